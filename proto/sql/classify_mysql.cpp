// proto/sql/classify_mysql.cpp: the loop over statements, and the words that matter inside them.
#include "proto/sql/classify_mysql.hpp"

#include <string>

#include "proto/sql/key_words.hpp"
#include "proto/sql/mysql_scanner.hpp"

namespace sluice::sql {

using namespace literals;

namespace {

bool may_stand_alone(mysql_kind kind) noexcept
{
    switch (kind) {
        case mysql_kind::select:
        case mysql_kind::insert:
        case mysql_kind::replace:
        case mysql_kind::update:
        case mysql_kind::delete_:
        case mysql_kind::values:
        case mysql_kind::table:
        case mysql_kind::with:
            return true;
        default:
            return false;
    }
}

}  // namespace

bool mysql_scanner::accept(std::string_view lower) noexcept
{
    if (!at(lower))
        return false;
    advance();
    return true;
}

void mysql_scanner::run() noexcept
{
    for (advance(); now_.kind != token_kind::end;) {
        if (now_.kind == token_kind::semicolon) {
            advance();
            continue;
        }
        state_ = {};
        const auto kind = head();
        state_.kind = kind;
        out_.kinds |= std::uint64_t{1} << static_cast<unsigned>(kind);
        if (++out_.statements == 1)
            out_.kind = kind;
        if (kind == mysql_kind::other)
            out_.opaque = true;
        body();
    }
    out_.digest = digest_.value();
    out_.unterminated = lexer_.unterminated();
    out_.self_contained = out_.statements == 1 && may_stand_alone(out_.kind) &&
                          state_.stands_alone && !out_.unterminated && !lexer_.conditional() &&
                          !out_.user_variables && out_.leaves_session_alone();
    out_.only_reads = out_.self_contained && !out_.unknown_call &&
                      (out_.kind == mysql_kind::select || out_.kind == mysql_kind::values ||
                       out_.kind == mysql_kind::table);
}

// From the first token of a statement.
mysql_kind mysql_scanner::head() noexcept
{
    while (now_.kind == token_kind::open_paren)
        advance();
    // SET STATEMENT a = 1 FOR statement: what is set lasts as long as the statement.
    while (at("set") && skip_set_statement()) {
    }
    if (now_.kind != token_kind::word)
        return mysql_kind::other;
    const auto word = now_.text;
    advance();
    if (now_.kind == token_kind::colon)
        return compound();
    if (word.size() > 8)
        return longer_head(word);
    switch (key_of(word)) {
        case "select"_key:
            return mysql_kind::select;
        case "insert"_key:
            return insert_head(mysql_kind::insert);
        case "replace"_key:
            return insert_head(mysql_kind::replace);
        case "update"_key:
            return mysql_kind::update;
        case "delete"_key:
            return mysql_kind::delete_;
        case "values"_key:
            return mysql_kind::values;
        case "table"_key:
            return mysql_kind::table;
        case "with"_key:
            return mysql_kind::with;
        case "begin"_key:
            return begin_head();
        case "start"_key:
            return at("transaction") ? mysql_kind::begin : mysql_kind::other;
        case "commit"_key:
            return end_of_transaction(mysql_kind::commit);
        case "rollback"_key:
            return rollback_head();
        case "release"_key:
            accept("savepoint");
            return named(mysql_kind::release);
        case "set"_key:
            return set_head();
        case "show"_key:
            return show_head();
        case "use"_key:
            return named(mysql_kind::use);
        case "call"_key:
            out_.opaque = state_.variables_pin = true;
            return mysql_kind::call;
        case "do"_key:
            return mysql_kind::do_;
        case "prepare"_key:
            return prepare_head();
        case "execute"_key:
            return execute_head();
        case "lock"_key:
            return lock_head();
        case "unlock"_key:
            return unlock_head();
        case "flush"_key:
            return flush_head();
        case "handler"_key:
            return handler_head();
        case "load"_key:
            return load_head();
        case "create"_key:
            return create_head();
        case "drop"_key:
            return drop_head();
        case "alter"_key:
            state_.routine = at("event");
            return mysql_kind::ddl;
        case "truncate"_key:
        case "rename"_key:
        case "grant"_key:
        case "revoke"_key:
        case "install"_key:
            return mysql_kind::ddl;
        case "analyze"_key:
        case "optimize"_key:
        case "check"_key:
        case "checksum"_key:
        case "repair"_key:
        case "cache"_key:
        case "purge"_key:
        case "reset"_key:
            return mysql_kind::maintenance;
        case "backup"_key:
            return backup_head();
        case "kill"_key:
            return kill_head();
        case "xa"_key:
            return xa_head();
        case "explain"_key:
        case "describe"_key:
        case "desc"_key:
            return mysql_kind::explain;
        case "get"_key:
            return diagnostics_head();
        case "signal"_key:
        case "resignal"_key:
            return mysql_kind::signal;
        case "help"_key:
            return mysql_kind::help;
        case "if"_key:
        case "case"_key:
        case "loop"_key:
        case "while"_key:
        case "repeat"_key:
        case "for"_key:
        case "declare"_key:
            return compound();
        case "shutdown"_key:
            out_.disconnects = true;
            return mysql_kind::other;
        default:
            return mysql_kind::other;
    }
}

mysql_kind mysql_scanner::longer_head(std::string_view word) noexcept
{
    if (same_word(word, "savepoint"))
        return named(mysql_kind::savepoint);
    if (same_word(word, "deallocate"))
        return deallocate_head();
    if (same_word(word, "uninstall"))
        return mysql_kind::ddl;
    return mysql_kind::other;
}

// From `now_` to the semicolon that ends the statement, or to the end of the text.
void mysql_scanner::body() noexcept
{
    if (state_.routine) {
        const mysql_traits before = out_;
        while (now_.kind != token_kind::end &&
               !(now_.kind == token_kind::semicolon && state_.blocks == 0))
            step();
        routine_ended(before);
        return;
    }
    while (now_.kind != token_kind::end &&
           (now_.kind != token_kind::semicolon || state_.whole_text))
        step();
}

// What stands in a routine's body is not executed now. But if its end was not found, perhaps
// there is something behind it that is.
void mysql_scanner::routine_ended(const mysql_traits& before) noexcept
{
    if (state_.blocks > 0) {
        out_.opaque = true;
        return;
    }
    out_ = before;
}

// Over one token, or over a few that belong together.
void mysql_scanner::step() noexcept
{
    switch (now_.kind) {
        case token_kind::word:
            if (const auto word = now_.text; !body_word(word)) {
                advance();
                if (now_.kind == token_kind::open_paren)
                    called(word);
            }
            state_.qualified = false;
            return;
        case token_kind::quoted_word: {
            const auto inner = now_.text.substr(1);
            advance();
            if (now_.kind == token_kind::open_paren)
                called(inner.substr(0, inner.size() - (inner.empty() ? 0 : 1)));
            state_.qualified = false;
            return;
        }
        case token_kind::dot:
            state_.qualified = true;
            advance();
            return;
        case token_kind::variable:
            if (now_.text.starts_with("@@"))
                system_variable(now_.text);
            else
                user_variable();
            return;
        case token_kind::open_paren:
            ++state_.parens;
            break;
        case token_kind::close_paren:
            state_.parens -= state_.parens > 0;
            break;
        default:
            break;
    }
    state_.qualified = false;
    advance();
}

void mysql_scanner::touch(std::string_view name, std::string_view value) noexcept
{
    for (std::uint8_t i = 0; i < out_.setting_count; ++i) {
        if (same_ignoring_case(out_.settings[i].name, name)) {
            out_.settings[i].value = value;
            return;
        }
    }
    if (out_.setting_count < mysql_traits::settings_max)
        out_.settings[out_.setting_count++] = {name, value};
    else
        out_.touches_unknown_setting = true;
}

void mysql_scanner::look(looks_back at) noexcept
{
    out_.looks = out_.looks | at;
    state_.stands_alone = false;
}

void mysql_scanner::pin(mysql_pin reason) noexcept
{
    out_.pins |= reason;
    out_.unpins = out_.unpins & ~reason;
    state_.stands_alone = false;
}

void mysql_scanner::unpin(mysql_pin reason) noexcept
{
    out_.unpins |= reason;
    out_.pins = out_.pins & ~reason;
    state_.stands_alone = false;
}

mysql_traits classify_mysql(std::string_view text, mysql_mode mode) noexcept
{
    mysql_traits traits;
    mysql_scanner(text, mode, traits).run();
    return traits;
}

std::string_view describe(mysql_pin one) noexcept
{
    switch (one) {
        case mysql_pin::none:
            return "none";
        case mysql_pin::user_variable:
            return "user variable";
        case mysql_pin::lock:
            return "GET_LOCK";
        case mysql_pin::table_lock:
            return "LOCK TABLES";
        case mysql_pin::temporary_table:
            return "temporary table";
        case mysql_pin::sql_prepare:
            return "SQL PREPARE";
        case mysql_pin::handler:
            return "HANDLER";
        case mysql_pin::global_lock:
            return "FLUSH TABLES WITH READ LOCK";
        case mysql_pin::found_rows:
            return "SQL_CALC_FOUND_ROWS";
        case mysql_pin::xa:
            return "XA transaction";
        case mysql_pin::role:
            return "SET ROLE";
    }
    return "several";
}

void append_mysql_name(std::string& out, std::string_view written)
{
    const char quote = written.empty() ? '\0' : written.front();
    if (written.size() < 2 || (quote != '`' && quote != '"') || written.back() != quote) {
        out += written;
        return;
    }
    const auto inner = written.substr(1, written.size() - 2);
    for (std::size_t i = 0; i < inner.size(); ++i) {
        out += inner[i];
        i += inner[i] == quote;
    }
}

}  // namespace sluice::sql
