// proto/sql/statement_heads.cpp: what the first words of a statement say to pooling.
//
// Grammar: PostgreSQL's src/backend/parser/gram.y.
#include "proto/sql/statement_scanner.hpp"

namespace sluice::sql {

void statement_scanner::remember_name(const token& name, statement_kind kind) noexcept
{
    const bool quoted = name.kind != token_kind::word;
    if (quoted && name.kind != token_kind::quoted_word && name.kind != token_kind::unicode_word)
        return;
    if (out_.name_kind != statement_kind::empty) {
        out_.more_names = true;
        return;
    }
    out_.name = {name.text, quoted};
    out_.name_kind = kind;
}

statement_kind statement_scanner::named(statement_kind kind) noexcept
{
    remember_name(now_, kind);
    return kind;
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
        remember_name(first, statement_kind::deallocate);
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
    remember_name(now_, statement_kind::declare_cursor);
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
    remember_name(last, statement_kind::fetch);
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
    temporary();
    return statement_kind::create;
}

// TEMP | TEMPORARY: a pin, unless the body says ON COMMIT DROP.
void statement_scanner::temporary() noexcept
{
    if (!at("temp") && !at("temporary"))
        return;
    state_.temporary = !any(out_.pins & pin_reason::temporary_object);
    pin(pin_reason::temporary_object);
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
    const statement_digest outer_digest = digest_;
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
    digest_ = outer_digest;
    now_ = outer_token;
}

}  // namespace sluice::sql
