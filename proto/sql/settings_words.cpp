// proto/sql/settings_words.cpp: PostgreSQL's VariableSetStmt, VariableShowStmt, VariableResetStmt.
#include "proto/sql/settings_words.hpp"

#include "proto/sql/key_words.hpp"
#include "proto/sql/string_literal.hpp"

namespace sluice::sql {
namespace {

class parser {
public:
    explicit parser(std::string_view statement) noexcept
        : lexer_(statement, dialect::postgres_for_sqlite)
    {
        advance();
    }

    settings_words run()
    {
        if (accept("show"))
            show();
        else if (accept("set"))
            set();
        else if (accept("reset"))
            reset();
        if (out_.verb != settings_verb::none) {
            while (now_.kind == token_kind::semicolon)
                advance();
            if (now_.kind != token_kind::end)
                fail();
        }
        return std::move(out_);
    }

private:
    void advance() noexcept { now_ = lexer_.next(); }
    bool at(std::string_view word) const noexcept { return is_word(now_, word); }
    bool at_end() const noexcept
    {
        return now_.kind == token_kind::end || now_.kind == token_kind::semicolon;
    }
    bool accept(std::string_view word) noexcept
    {
        if (!at(word))
            return false;
        advance();
        return true;
    }
    void fail() noexcept
    {
        if (!out_.error)
            out_.error = now_;
    }

    void name()
    {
        for (;;) {
            if (now_.kind == token_kind::word)
                out_.name += now_.text;
            else if (now_.kind == token_kind::quoted_word)
                out_.name += name_value(now_);
            else
                return fail();
            advance();
            if (now_.kind != token_kind::dot)
                return;
            out_.name += '.';
            advance();
        }
    }

    // Names of several words. True if it was one of them.
    bool long_name()
    {
        if (same_word(out_.name, "time") && accept("zone"))
            out_.name = "TimeZone";
        else if (same_word(out_.name, "session") && accept("authorization"))
            out_.name = "session_authorization";
        else
            return false;
        return true;
    }

    // TRANSACTION ISOLATION LEVEL, in SHOW and RESET.
    bool transaction_isolation() noexcept
    {
        if (!same_word(out_.name, "transaction") || !accept("isolation"))
            return false;
        if (!accept("level"))
            fail();
        return true;
    }

    void show()
    {
        out_.verb = settings_verb::show;
        if (accept("all")) {
            out_.verb = settings_verb::show_all;
            return;
        }
        name();
        if (transaction_isolation())
            out_.name = "transaction_isolation";
        else
            long_name();
    }

    void reset()
    {
        out_.verb = settings_verb::reset;
        if (accept("all")) {
            out_.verb = settings_verb::reset_all;
            return;
        }
        name();
        if (transaction_isolation())
            out_.name = "transaction_isolation";
        else
            long_name();
    }

    void set()
    {
        auto verb = settings_verb::set;
        if (at("constraints"))
            return;
        if (accept("local")) {
            verb = settings_verb::set_local;
        } else if (at("session")) {
            advance();
            if (at("characteristics"))
                return;
            if (accept("authorization")) {
                out_.verb = verb;
                out_.name = "session_authorization";
                return value();
            }
        }
        name();
        const bool assigned = (now_.kind == token_kind::op && now_.text == "=") || at("to");
        if (!assigned && same_word(out_.name, "transaction")) {
            out_ = {};
            return;
        }
        out_.verb = verb;
        if (assigned) {
            advance();
        } else if (same_word(out_.name, "names")) {
            out_.name = "client_encoding";
            if (at_end())
                return;
        } else if (same_word(out_.name, "schema")) {
            out_.name = "search_path";
        } else if (same_word(out_.name, "xml") && accept("option")) {
            out_.name = "xmloption";
        } else if (same_word(out_.name, "role")) {
            out_.name = "role";
        } else if (!long_name()) {
            return fail();
        }
        value();
    }

    // DEFAULT, or constants with commas between. TIME ZONE LOCAL is its default, too.
    void value()
    {
        if (accept("default") || (out_.name == "TimeZone" && accept("local")))
            return;
        if (out_.name == "TimeZone" && accept("interval"))
            return interval();
        std::string list;
        for (;;) {
            if (!constant(list))
                return fail();
            if (now_.kind != token_kind::comma)
                break;
            advance();
            list += ", ";
        }
        out_.value = std::move(list);
    }

    // INTERVAL '-08:00' HOUR TO MINUTE
    void interval()
    {
        if (!is_string(now_.kind))
            return fail();
        out_.value = string_value(now_);
        advance();
        while (now_.kind == token_kind::word)
            advance();
    }

    bool constant(std::string& out)
    {
        if (now_.kind == token_kind::op && (now_.text == "-" || now_.text == "+")) {
            if (now_.text == "-")
                out += '-';
            advance();
            if (now_.kind != token_kind::number)
                return false;
        }
        if (now_.kind == token_kind::number)
            out += now_.text;
        else if (is_string(now_.kind))
            out += string_value(now_);
        else if (now_.kind == token_kind::word || now_.kind == token_kind::quoted_word)
            out += name_value(now_);
        else
            return false;
        advance();
        return true;
    }

    lexer lexer_;
    token now_;
    settings_words out_;
};

}  // namespace

settings_words parse_settings(std::string_view statement)
{
    return parser(statement).run();
}

}  // namespace sluice::sql
