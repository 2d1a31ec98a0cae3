// proto/sql/mysql_set.cpp: MySQL's SET: a list of assignments to all kinds of variables.
#include "proto/sql/key_words.hpp"
#include "proto/sql/mysql_scanner.hpp"

namespace sluice::sql {

// At SET. MariaDB's SET STATEMENT a = 1 FOR is stepped over (true); of any other SET nothing is.
bool mysql_scanner::skip_set_statement() noexcept
{
    lexer ahead = lexer_;
    if (!is_word(ahead.next(), "statement"))
        return false;
    advance();
    state_.stands_alone = false;
    for (advance(); !at_end() && !at("for");)
        step();
    advance();
    return true;
}

mysql_kind mysql_scanner::set_head() noexcept
{
    if (at("transaction")) {
        advance();
        transaction(scope::none);
        return mysql_kind::set_transaction;
    }
    // Accounts' passwords and roles: none of the session's business.
    if (at("password") || at("default"))
        return mysql_kind::set;
    if (at("role")) {
        advance();
        pin(mysql_pin::role);
        touch("role", value_to_comma());
        return mysql_kind::set;
    }
    for (;;) {
        assignment();
        if (now_.kind != token_kind::comma)
            return mysql_kind::set;
        advance();
    }
}

mysql_scanner::scope mysql_scanner::scope_of(std::string_view word) noexcept
{
    if (same_word(word, "session") || same_word(word, "local"))
        return scope::session;
    if (same_word(word, "global") || same_word(word, "persist") || same_word(word, "persist_only"))
        return scope::global;
    return scope::none;
}

// One element of the list, up to the comma behind it.
void mysql_scanner::assignment() noexcept
{
    if (now_.kind == token_kind::variable) {
        auto name = now_.text.substr(1);
        advance();
        if (!name.starts_with('@')) {
            out_.user_variables = true;
            pin(mysql_pin::user_variable);
            value_to_comma();
            return;
        }
        name = name.substr(1);
        scope where = scope::none;
        if (const auto dot = name.find('.'); dot != std::string_view::npos) {
            where = scope_of(name.substr(0, dot));
            if (where != scope::none)
                name = name.substr(dot + 1);
        }
        if (name.size() >= 2 && name.front() == '`' && name.back() == '`')
            name = name.substr(1, name.size() - 2);
        assign(where, name);
        return;
    }
    scope where = scope::none;
    if (now_.kind == token_kind::word) {
        if (accept("names")) {
            touch("names", value_to_comma());
            return;
        }
        if (at("charset") || at("character")) {
            if (!accept("charset")) {
                advance();
                accept("set");
            }
            touch("character set", value_to_comma());
            return;
        }
        where = scope_of(now_.text);
        if (where != scope::none) {
            advance();
            if (accept("transaction")) {
                transaction(where);
                return;
            }
        }
    }
    assign(where, variable_name());
}

// At a name, perhaps of several parts; empty when there is none.
std::string_view mysql_scanner::variable_name() noexcept
{
    if (now_.kind != token_kind::word && now_.kind != token_kind::quoted_word)
        return {};
    auto name = now_.text;
    const bool quoted = now_.kind == token_kind::quoted_word;
    advance();
    if (now_.kind == token_kind::dot) {
        do {
            advance();
            name = {name.data(),
                    static_cast<std::size_t>(now_.text.data() + now_.text.size() - name.data())};
            advance();
        } while (now_.kind == token_kind::dot);
        return name;
    }
    return quoted && name.size() >= 2 ? name.substr(1, name.size() - 2) : name;
}

// Behind the name.
void mysql_scanner::assign(scope where, std::string_view name) noexcept
{
    if (at_assignment())
        advance();
    const auto value = value_to_comma();
    if (where == scope::global)
        out_.sets_global = true;
    else if (!name.empty())
        touch(name, value);
}

// Behind TRANSACTION. Its characteristics have commas of their own.
void mysql_scanner::transaction(scope where) noexcept
{
    const char* begin = now_.text.data();
    while (!at_end())
        advance();
    if (where == scope::session)
        touch("transaction", since(begin));
    else if (where == scope::global)
        out_.sets_global = true;
}

// To the comma or the statement's end, looking at what is called on the way.
std::string_view mysql_scanner::value_to_comma() noexcept
{
    const char* begin = now_.text.data();
    const auto depth = state_.parens;
    while (!at_end() && !(now_.kind == token_kind::comma && state_.parens == depth))
        step();
    return since(begin);
}

}  // namespace sluice::sql
