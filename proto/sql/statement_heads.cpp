// proto/sql/statement_heads.cpp: what the first words of a statement say to pooling.
//
// Grammar: PostgreSQL's src/backend/parser/gram.y.
#include "proto/sql/key_words.hpp"
#include "proto/sql/statement_scanner.hpp"

namespace sluice::sql {
namespace {

// Without its quotes; empty when it cannot be given as a view (doubled quotes, U&"...").
std::string_view bare(const token& t) noexcept
{
    if (t.kind == token_kind::word)
        return t.text;
    if (t.kind != token_kind::quoted_word || t.text.size() < 2)
        return {};
    const auto inner = t.text.substr(1, t.text.size() - 2);
    return inner.find('"') == std::string_view::npos ? inner : std::string_view{};
}

// A token that SET takes as a value and that means the same when it is sent again later.
bool is_constant(const token& t) noexcept
{
    switch (t.kind) {
        case token_kind::word:
        case token_kind::quoted_word:
        case token_kind::string:
        case token_kind::escape_string:
        case token_kind::dollar_string:
        case token_kind::number:
        case token_kind::comma:
        case token_kind::op:
            return true;
        default:
            return false;
    }
}

// Unread tokens that set_config() may have before its arguments count as unknown: the look-ahead
// must not read a long text once for every call in it.
constexpr int set_config_tokens_max = 64;

}  // namespace

void statement_scanner::remember_name() noexcept
{
    const bool quoted = now_.kind != token_kind::word;
    if (quoted && now_.kind != token_kind::quoted_word && now_.kind != token_kind::unicode_word)
        return;
    if (out_.name.raw.empty())
        out_.name = {now_.text, quoted};
}

statement_kind statement_scanner::named(statement_kind kind) noexcept
{
    remember_name();
    return kind;
}

// The value from `now_` to the statement's end as written; empty unless all of it is constant.
std::string_view statement_scanner::value_to_end() noexcept
{
    const char* begin = now_.text.data();
    const char* end = begin;
    bool constant = true;
    for (; !at_end(); advance()) {
        constant &= is_constant(now_);
        end = now_.text.data() + now_.text.size();
    }
    constant &= !lexer_.unterminated();
    return constant ? std::string_view(begin, static_cast<std::size_t>(end - begin))
                    : std::string_view{};
}

// A setting's name, perhaps with dots. Empty when it cannot be given as one view.
std::string_view statement_scanner::setting_name() noexcept
{
    auto name = bare(now_);
    advance();
    while (now_.kind == token_kind::dot) {
        advance();
        const auto part = bare(now_);
        // Only parts that touch ("a.b", without blanks, comments or quotes) are one view.
        if (!name.empty() && !part.empty() && name.data() + name.size() + 1 == part.data())
            name = {name.data(), name.size() + 1 + part.size()};
        else
            name = {};
        advance();
    }
    return name;
}

void statement_scanner::assignment(std::string_view name) noexcept
{
    if (same_word(name, "session_authorization")) {
        pin(pin_reason::session_authorization);
        return;
    }
    const bool equals = now_.kind == token_kind::op && now_.text == "=";
    if (!equals && !at("to")) {
        touch(name);  // FROM CURRENT, or a syntax error
        return;
    }
    advance();
    touch(name, value_to_end());
}

// SET SESSION CHARACTERISTICS AS TRANSACTION mode, ...
void statement_scanner::session_characteristics() noexcept
{
    while (!at_end()) {
        if (accept("isolation")) {
            touch("default_transaction_isolation");
            accept("level");  // READ may follow here, too
        } else if (at("read")) {
            touch("default_transaction_read_only");
        } else if (at("deferrable")) {
            touch("default_transaction_deferrable");
        }
        advance();
    }
}

statement_kind statement_scanner::set_head() noexcept
{
    if (at("local") || at("transaction") || at("constraints"))
        return statement_kind::set_local;
    if (accept("session")) {
        if (accept("characteristics")) {
            session_characteristics();
            return statement_kind::set;
        }
        if (accept("authorization")) {
            at("default") ? unpin(pin_reason::session_authorization)
                          : pin(pin_reason::session_authorization);
            return statement_kind::set;
        }
        if (at("transaction"))
            return statement_kind::set_local;
    }
    const token first = now_;
    const auto name = setting_name();
    const bool assigned = (now_.kind == token_kind::op && now_.text == "=") || at("to");
    const bool plain = !assigned && first.kind == token_kind::word;
    if (plain && same_word(first.text, "time") && accept("zone")) {
        // LOCAL is a key word here alone, an interval has no form as a plain value.
        const bool interval = at("interval");
        const auto value = value_to_end();
        touch("TimeZone",
              interval                    ? std::string_view{}
              : same_word(value, "local") ? std::string_view("DEFAULT")
                                          : value);
    } else if (plain && same_word(first.text, "names")) {
        const auto value = at_end() ? std::string_view("DEFAULT") : value_to_end();
        touch("client_encoding", value);
    } else if (plain && same_word(first.text, "schema")) {
        touch("search_path", value_to_end());
    } else if (plain && same_word(first.text, "role")) {
        touch("role", value_to_end());
    } else if (plain && same_word(first.text, "xml") && accept("option")) {
        touch("xmloption", value_to_end());
    } else {
        assignment(name);
    }
    return statement_kind::set;
}

statement_kind statement_scanner::reset_head() noexcept
{
    const token first = now_;
    const auto name = setting_name();
    if (first.kind == token_kind::word && !name.empty()) {
        if (same_word(name, "all")) {
            out_.resets_all = true;
            return statement_kind::reset;
        }
        if (same_word(name, "time") && at("zone")) {
            touch("TimeZone");
            return statement_kind::reset;
        }
        if (same_word(name, "transaction") && at("isolation"))
            return statement_kind::reset;
        if (same_word(name, "session") && at("authorization")) {
            unpin(pin_reason::session_authorization);
            return statement_kind::reset;
        }
    }
    if (same_word(name, "session_authorization"))
        unpin(pin_reason::session_authorization);
    else
        touch(name);
    return statement_kind::reset;
}

statement_kind statement_scanner::prepare_head() noexcept
{
    if (at("transaction")) {
        lexer ahead = lexer_;
        const auto kind = ahead.next().kind;
        if (kind != token_kind::word && kind != token_kind::open_paren)
            return statement_kind::prepare_transaction;
    }
    pin(pin_reason::sql_prepare);
    return named(statement_kind::prepare);
}

// DEALLOCATE [PREPARE] name | ALL. A statement may itself be called "prepare".
statement_kind statement_scanner::deallocate_head() noexcept
{
    const token first = now_;
    if (accept("prepare") && at_end()) {
        if (out_.name.raw.empty())
            out_.name = {first.text, false};
        return statement_kind::deallocate;
    }
    if (at("all")) {
        unpin(pin_reason::sql_prepare);
        return statement_kind::deallocate;
    }
    return named(statement_kind::deallocate);
}

statement_kind statement_scanner::discard_head() noexcept
{
    if (at("all")) {
        out_.resets_all = true;
        out_.unpins = pin_reason::temporary_object | pin_reason::advisory_lock |
                      pin_reason::listen | pin_reason::hold_cursor | pin_reason::sql_prepare |
                      pin_reason::session_authorization;
        out_.pins = out_.pins & pin_reason::load;
    } else if (at("temp") || at("temporary")) {
        unpin(pin_reason::temporary_object);
    }
    return statement_kind::discard;
}

// DECLARE name ... CURSOR [WITH HOLD | WITHOUT HOLD] FOR query
statement_kind statement_scanner::declare_head() noexcept
{
    remember_name();
    for (advance(); !at_end() && !at("for"); advance()) {
        if (!at("with"))
            continue;
        advance();
        if (at("hold"))
            pin(pin_reason::hold_cursor);
        if (at_end() || at("for"))
            break;
    }
    return statement_kind::declare_cursor;
}

// The cursor is the last word, whatever direction comes before it.
statement_kind statement_scanner::fetch_head() noexcept
{
    token last = now_;
    for (; !at_end(); advance())
        last = now_;
    const token end = now_;
    now_ = last;
    remember_name();
    now_ = end;
    return statement_kind::fetch;
}

statement_kind statement_scanner::close_head() noexcept
{
    if (!at("all"))
        return named(statement_kind::close_cursor);
    unpin(pin_reason::hold_cursor);
    return statement_kind::close_cursor;
}

// ROLLBACK [WORK | TRANSACTION] [TO [SAVEPOINT] name] | ROLLBACK PREPARED 'id'
statement_kind statement_scanner::rollback_head() noexcept
{
    if (at("prepared"))
        return statement_kind::rollback_prepared;
    if (!accept("work"))
        accept("transaction");
    if (!accept("to"))
        return statement_kind::rollback;
    accept("savepoint");
    return named(statement_kind::rollback_to);
}

statement_kind statement_scanner::unlisten_head() noexcept
{
    if (now_.kind == token_kind::op && now_.text == "*")
        unpin(pin_reason::listen);
    return named(statement_kind::unlisten);
}

// CREATE [OR REPLACE] [GLOBAL | LOCAL] TEMP | TEMPORARY ...
statement_kind statement_scanner::create_head() noexcept
{
    if (accept("or"))
        accept("replace");
    if (!accept("global"))
        accept("local");
    if (at("temp") || at("temporary"))
        pin(pin_reason::temporary_object);
    return statement_kind::create;
}

// Behind the INTO of a query: it makes a table.
void statement_scanner::into_target() noexcept
{
    state_.stands_alone = false;
    if (!accept("global"))
        accept("local");
    if (at("temp") || at("temporary"))
        pin(pin_reason::temporary_object);
}

// EXPLAIN [ANALYZE] [VERBOSE] | [(options)] statement: ANALYZE runs it.
statement_kind statement_scanner::explain_head() noexcept
{
    while (now_.kind == token_kind::open_paren || now_.kind == token_kind::close_paren ||
           now_.kind == token_kind::comma || now_.kind == token_kind::word) {
        if (accept("create")) {
            create_head();
            break;
        }
        if (at("insert") || at("merge") || at("select") || at("with"))
            break;
        if (now_.kind == token_kind::open_paren)
            ++state_.parens;
        else if (now_.kind == token_kind::close_paren)
            state_.parens -= state_.parens > 0;
        advance();
    }
    return statement_kind::explain;
}

// DO [LANGUAGE name] 'code': the code is in a string; what is in it by name is found.
statement_kind statement_scanner::do_head() noexcept
{
    out_.opaque = true;
    for (; !at_end(); advance())
        if (now_.kind == token_kind::dollar_string || now_.kind == token_kind::string)
            code(now_.text);
    return statement_kind::do_;
}

void statement_scanner::code(std::string_view quoted) noexcept
{
    const auto opening = quoted.front() == '$' ? quoted.find('$', 1) + 1 : 1;
    const token outer_token = now_;
    const lexer outer = lexer_;
    lexer_ = lexer(quoted.substr(opening));
    for (advance(); now_.kind != token_kind::end;) {
        if (accept("create")) {
            create_head();
        } else if (now_.kind == token_kind::word && now_.text.size() >= 6) {
            const auto word = now_.text;
            advance();
            function_name(word);
        } else {
            advance();
        }
    }
    lexer_ = outer;
    now_ = outer_token;
}

// At the parenthesis of set_config(name, value, is_local). Looks ahead on a copy: the arguments
// are read once more by body(), they may hold calls that matter.
void statement_scanner::set_config_call() noexcept
{
    lexer ahead = lexer_;
    const token name = ahead.next();
    bool literal = name.kind == token_kind::string && name.text.front() == '\'' &&
                   name.text.size() > 2 && name.text.find('\'', 1) == name.text.size() - 1;

    // The third argument, if it is one token alone.
    token local;
    int depth = 1;
    int commas = 0;
    int local_tokens = 0;
    bool closed = false;
    for (int count = 0; count < set_config_tokens_max && !closed; ++count) {
        const token t = ahead.next();
        if (count == 0)
            literal &= t.kind == token_kind::comma;
        if (t.kind == token_kind::end)
            break;
        if (t.kind == token_kind::open_paren)
            ++depth;
        closed = t.kind == token_kind::close_paren && --depth == 0;
        if (t.kind == token_kind::comma && depth == 1) {
            ++commas;
        } else if (commas == 2 && !closed) {
            local = t;
            ++local_tokens;
        }
    }
    const bool is_local =
        closed && local_tokens == 1 &&
        (is_word(local, "true") || same_word(local.text, "'true'") || same_word(local.text, "'t'"));
    if (is_local)
        return;
    const auto inner = literal ? name.text.substr(1, name.text.size() - 2) : std::string_view{};
    if (same_word(inner, "session_authorization"))
        pin(pin_reason::session_authorization);
    else
        touch(inner);
}

}  // namespace sluice::sql
