// proto/sql/transaction_words.cpp: recursive descent over a handful of words.
#include "proto/sql/transaction_words.hpp"

#include <array>

namespace sluice::sql {
namespace {

struct level_text {
    isolation_level level;
    std::string_view text;
};
constexpr std::array<level_text, 4> levels{{
    {isolation_level::read_uncommitted, "read uncommitted"},
    {isolation_level::read_committed, "read committed"},
    {isolation_level::repeatable_read, "repeatable read"},
    {isolation_level::serializable, "serializable"},
}};

class parser {
public:
    explicit parser(std::string_view statement) noexcept
        : lexer_(statement, dialect::postgres_for_sqlite)
    {
        advance();
    }

    transaction_words run() noexcept
    {
        verb();
        if (out_.verb != transaction_verb::none) {
            accept_semicolon();
            if (now_.kind != token_kind::end)
                fail();
        }
        return out_;
    }

private:
    void advance() noexcept { now_ = lexer_.next(); }
    bool at(std::string_view word) const noexcept { return is_word(now_, word); }
    bool accept(std::string_view word) noexcept
    {
        if (!at(word))
            return false;
        advance();
        return true;
    }
    void expect(std::string_view word) noexcept
    {
        if (!accept(word))
            fail();
    }
    void accept_semicolon() noexcept
    {
        while (now_.kind == token_kind::semicolon)
            advance();
    }
    void fail() noexcept
    {
        if (!out_.error)
            out_.error = now_;
    }

    void verb() noexcept
    {
        if (accept("begin"))
            begin();
        else if (accept("start"))
            start();
        else if (accept("commit"))
            end(transaction_verb::commit, transaction_verb::commit_prepared);
        else if (accept("end"))
            end(transaction_verb::commit, transaction_verb::none);
        else if (accept("rollback"))
            end(transaction_verb::rollback, transaction_verb::rollback_prepared);
        else if (accept("abort"))
            end(transaction_verb::rollback, transaction_verb::none);
        else if (accept("savepoint"))
            savepoint(transaction_verb::savepoint);
        else if (accept("release"))
            release();
        else if (accept("set"))
            set();
        else if (accept("prepare"))
            prepare();
    }

    void begin() noexcept
    {
        out_.verb = transaction_verb::begin;
        if (accept("deferred"))
            out_.lock = begin_lock::deferred;
        else if (accept("immediate"))
            out_.lock = begin_lock::immediate;
        else if (accept("exclusive"))
            out_.lock = begin_lock::exclusive;
        if (!accept("work"))
            accept("transaction");
        modes(false);
    }

    void start() noexcept
    {
        out_.verb = transaction_verb::begin;
        out_.start = true;
        expect("transaction");
        modes(false);
    }

    // The commas between modes are optional.
    void modes(bool required) noexcept
    {
        for (bool first = true; !out_.error; first = false) {
            if (now_.kind == token_kind::end || now_.kind == token_kind::semicolon) {
                if (first && required)
                    fail();
                return;
            }
            if (!first && now_.kind == token_kind::comma)
                advance();
            mode();
        }
    }

    void mode() noexcept
    {
        if (accept("isolation")) {
            expect("level");
            level();
        } else if (accept("read")) {
            if (accept("only"))
                out_.read_only = true;
            else if (accept("write"))
                out_.read_only = false;
            else
                fail();
        } else if (accept("not")) {
            expect("deferrable");
            out_.deferrable = false;
        } else if (accept("deferrable")) {
            out_.deferrable = true;
        } else {
            fail();
        }
    }

    void level() noexcept
    {
        if (accept("serializable")) {
            out_.isolation = isolation_level::serializable;
        } else if (accept("repeatable")) {
            expect("read");
            out_.isolation = isolation_level::repeatable_read;
        } else if (accept("read")) {
            if (accept("committed"))
                out_.isolation = isolation_level::read_committed;
            else if (accept("uncommitted"))
                out_.isolation = isolation_level::read_uncommitted;
            else
                fail();
        } else {
            fail();
        }
    }

    // COMMIT, ROLLBACK: [WORK | TRANSACTION] [AND [NO] CHAIN] | TO savepoint | PREPARED 'id'
    void end(transaction_verb plain, transaction_verb prepared) noexcept
    {
        out_.verb = plain;
        if (prepared != transaction_verb::none && accept("prepared")) {
            out_.verb = prepared;
            identifier_string();
            return;
        }
        if (!accept("work"))
            accept("transaction");
        if (prepared == transaction_verb::rollback_prepared && accept("to")) {
            accept("savepoint");
            savepoint(transaction_verb::rollback_to);
        } else if (accept("and")) {
            out_.chain = !accept("no");
            expect("chain");
        }
    }

    void release() noexcept
    {
        const token first = now_;
        if (!accept("savepoint") || now_.kind != token_kind::end) {
            savepoint(transaction_verb::release);
            return;
        }
        out_.verb = transaction_verb::release;
        out_.name = {first.text, false};  // a savepoint called "savepoint"
    }

    void savepoint(transaction_verb v) noexcept
    {
        out_.verb = v;
        if (now_.kind != token_kind::word && now_.kind != token_kind::quoted_word) {
            fail();
            return;
        }
        out_.name = {now_.text, now_.kind == token_kind::quoted_word};
        advance();
    }

    void set() noexcept
    {
        const bool session = accept("session");
        if (!session)
            accept("local");
        if (session && accept("characteristics")) {
            out_.verb = transaction_verb::set_session_characteristics;
            expect("as");
            expect("transaction");
            modes(true);
        } else if (at("transaction")) {
            advance();
            if (now_.kind == token_kind::op || at("to"))
                return;  // a setting of that name
            out_.verb = transaction_verb::set_transaction;
            modes(true);
        }
    }

    void prepare() noexcept
    {
        if (!accept("transaction") || now_.kind == token_kind::word ||
            now_.kind == token_kind::open_paren)
            return;
        out_.verb = transaction_verb::prepare_transaction;
        identifier_string();
    }

    void identifier_string() noexcept
    {
        if (now_.kind == token_kind::string || now_.kind == token_kind::escape_string)
            advance();
        else
            fail();
    }

    lexer lexer_;
    token now_;
    transaction_words out_;
};

}  // namespace

transaction_words parse_transaction(std::string_view statement) noexcept
{
    return parser(statement).run();
}

std::string_view to_text(isolation_level level) noexcept
{
    return levels[static_cast<std::size_t>(level)].text;
}

std::optional<isolation_level> isolation_from_text(std::string_view text) noexcept
{
    for (const auto& known : levels)
        if (same_word(text, known.text))
            return known.level;
    return std::nullopt;
}

}  // namespace sluice::sql
