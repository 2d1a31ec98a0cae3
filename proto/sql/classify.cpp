// proto/sql/classify.cpp: the loop over statements, and the words that matter inside them.
#include "proto/sql/classify.hpp"

#include <algorithm>
#include <utility>

#include "proto/sql/harmless_calls.hpp"
#include "proto/sql/key_words.hpp"
#include "proto/sql/statement_scanner.hpp"

namespace sluice::sql {

using namespace literals;

namespace {

bool may_stand_alone(statement_kind kind) noexcept
{
    switch (kind) {
        case statement_kind::select:
        case statement_kind::insert:
        case statement_kind::update:
        case statement_kind::delete_:
        case statement_kind::values:
        case statement_kind::with:
            return true;
        default:
            return false;
    }
}

bool may_only_read(statement_kind kind) noexcept
{
    return kind == statement_kind::select || kind == statement_kind::values ||
           kind == statement_kind::with;
}

bool writes(std::string_view word) noexcept
{
    const auto key = word.size() <= 6 ? key_of(word) : 0;
    return key == "insert"_key || key == "update"_key || key == "delete"_key || key == "merge"_key;
}

bool begins_with(std::string_view word, std::string_view lower) noexcept
{
    return word.size() >= lower.size() && same_word(word.substr(0, lower.size()), lower);
}

}  // namespace

// Once, not in every place that calls it; body() has its own.
void statement_scanner::advance() noexcept
{
    now_ = lexer_.next();
    digest_.add(now_);
}

bool statement_scanner::accept(std::string_view lower) noexcept
{
    if (!at(lower))
        return false;
    advance();
    return true;
}

void statement_scanner::run() noexcept
{
    for (advance(); now_.kind != token_kind::end;) {
        if (now_.kind == token_kind::semicolon) {
            advance();
            continue;
        }
        state_ = {};
        state_.kind = statement_kind::other;
        const auto kind = head();
        state_.kind = kind;
        if (kind == statement_kind::rollback_to)
            out_.is_rollback_to = true;
        out_.kinds |= std::uint64_t{1} << static_cast<unsigned>(kind);
        if (++out_.statements == 1)
            out_.kind = kind;
        body();
    }
    out_.digest = digest_.value();
    out_.unterminated = lexer_.unterminated();
    out_.self_contained = out_.statements == 1 && may_stand_alone(out_.kind) &&
                          state_.stands_alone && !out_.unterminated && out_.leaves_session_alone();
    out_.only_reads = out_.self_contained && may_only_read(out_.kind) && state_.only_reads;
}

// From the first token of a statement.
statement_kind statement_scanner::head() noexcept
{
    while (now_.kind == token_kind::open_paren) {
        ++state_.parens;
        advance();
    }
    if (now_.kind != token_kind::word)
        return statement_kind::other;
    const auto word = now_.text;
    advance();
    if (word.size() > 8)
        return longer_head(word);
    switch (key_of(word)) {
        case "select"_key:
            return statement_kind::select;
        case "insert"_key:
            state_.after_insert = true;
            return statement_kind::insert;
        case "update"_key:
            return statement_kind::update;
        case "delete"_key:
            return statement_kind::delete_;
        case "merge"_key:
            state_.after_insert = true;
            return statement_kind::merge;
        case "values"_key:
            return statement_kind::values;
        case "table"_key:
            return statement_kind::table;
        case "with"_key:
            return statement_kind::with;
        case "begin"_key:
        case "start"_key:
            return statement_kind::begin;
        case "commit"_key:
        case "end"_key:
            return at("prepared") ? statement_kind::commit_prepared : statement_kind::commit;
        case "rollback"_key:
        case "abort"_key:
            return rollback_head();
        case "release"_key:
            accept("savepoint");
            return named(statement_kind::release);
        case "set"_key:
            return set_head();
        case "reset"_key:
            return reset_head();
        case "show"_key:
            return statement_kind::show;
        case "prepare"_key:
            return prepare_head();
        case "execute"_key:
            return named(statement_kind::execute);
        case "discard"_key:
            return discard_head();
        case "declare"_key:
            return declare_head();
        case "fetch"_key:
        case "move"_key:
            return fetch_head();
        case "close"_key:
            return close_head();
        case "copy"_key:
            return statement_kind::copy;
        case "listen"_key:
            pin(pin_reason::listen);
            return named(statement_kind::listen);
        case "unlisten"_key:
            return unlisten_head();
        case "notify"_key:
            return named(statement_kind::notify);
        case "lock"_key:
            return statement_kind::lock;
        case "load"_key:
            pin(pin_reason::load);
            return statement_kind::load;
        case "create"_key:
            return create_head();
        case "alter"_key:
        case "drop"_key:
        case "truncate"_key:
        case "comment"_key:
        case "grant"_key:
        case "revoke"_key:
        case "reassign"_key:
        case "import"_key:
        case "security"_key:
        case "refresh"_key:
            return statement_kind::ddl;
        case "vacuum"_key:
        case "analyze"_key:
        case "analyse"_key:
        case "cluster"_key:
        case "reindex"_key:
            return statement_kind::maintenance;
        case "call"_key:
            out_.opaque = true;
            return statement_kind::call;
        case "do"_key:
            return do_head();
        case "explain"_key:
            return explain_head();
        default:
            return statement_kind::other;
    }
}

statement_kind statement_scanner::longer_head(std::string_view word) noexcept
{
    if (same_word(word, "savepoint"))
        return named(statement_kind::savepoint);
    if (same_word(word, "deallocate"))
        return deallocate_head();
    if (same_word(word, "checkpoint"))
        return statement_kind::maintenance;
    return statement_kind::other;
}

// From `now_` to the semicolon that ends the statement, or to the end of the text. Semicolons in
// parentheses (CREATE RULE) and in BEGIN ATOMIC ... END (SQL function bodies) end nothing.
void statement_scanner::body() noexcept
{
    for (;;) {
        const auto name = std::exchange(state_.name, {});
        const bool qualified = std::exchange(state_.after_dot, false);
        switch (now_.kind) {
            case token_kind::end:
                return;
            case token_kind::semicolon:
                if (state_.parens == 0 && state_.atomic == 0)
                    return;
                break;
            case token_kind::open_paren:
                ++state_.parens;
                if (!name.empty())
                    called(name);
                break;
            case token_kind::close_paren:
                state_.parens -= state_.parens > 0;
                break;
            case token_kind::word:
                // Of another schema is not what it is called.
                state_.name = qualified ? std::string_view(".") : now_.text;
                if (body_word(now_.text))
                    continue;
                break;
            case token_kind::quoted_word: {
                state_.name = now_.text;
                const auto inner = now_.text.substr(1, now_.text.size() - 1);
                if (inner.size() > 7) {
                    advance();
                    function_name(inner.substr(0, inner.size() - 1));
                    continue;
                }
                break;
            }
            case token_kind::dot:
                state_.after_dot = true;
                break;
            case token_kind::unicode_word:
                state_.stands_alone = false;
                break;
            default:
                break;
        }
        now_ = lexer_.next();
        digest_.add(now_);
    }
}

// A name before a parenthesis.
void statement_scanner::called(std::string_view name) noexcept
{
    if (state_.only_reads && !harmless_before_parenthesis(name))
        state_.only_reads = false;
}

// Looks at one word. True: it has stepped over it, and perhaps over more.
bool statement_scanner::body_word(std::string_view word) noexcept
{
    const char first = static_cast<char>(word.front() | 0x20);
    const bool insert_before = std::exchange(state_.after_insert, false);
    if (state_.kind == statement_kind::with && writes(word))
        state_.only_reads = false;
    switch (first) {
        case 'i':
            if (word.size() == 6 && same_word(word, "insert")) {
                state_.after_insert = true;
            } else if (word.size() == 4 && same_word(word, "into") && !insert_before) {
                advance();
                into_target();
                return true;
            }
            return false;
        case 'f':
            if (word.size() != 3 || !same_word(word, "for"))
                return false;
            advance();
            if (at("update") || at("share") || at("no") || at("key"))
                state_.stands_alone = false;
            return true;
        case 'p':
        case 's':
        case 'l':
        case 'd':
        case 'c':
            if (word.size() >= 6) {
                advance();
                function_name(word);
                return true;
            }
            if (first == 'c' && state_.kind == statement_kind::create)
                definition_word(word);
            return false;
        case 'o':
            if (!state_.temporary || !same_word(word, "on"))
                return false;
            advance();
            // Gone with the transaction, which keeps the backend anyway.
            if (accept("commit") && at("drop"))
                out_.pins = out_.pins & ~pin_reason::temporary_object;
            return true;
        case 'm':
            state_.after_insert = same_word(word, "merge");
            return false;
        case 'b':
        case 'e':
            if (state_.kind == statement_kind::create)
                definition_word(word);
            return false;
        default:
            return false;
    }
}

// BEGIN ATOMIC ... END around the statements of an SQL function; CASE ... END inside.
void statement_scanner::definition_word(std::string_view word) noexcept
{
    if (same_word(word, "begin")) {
        lexer ahead = lexer_;
        state_.atomic += state_.atomic > 0 || is_word(ahead.next(), "atomic");
    } else if (state_.atomic > 0 && same_word(word, "case")) {
        ++state_.atomic;
    } else if (state_.atomic > 0 && same_word(word, "end")) {
        --state_.atomic;
    }
}

// `word`, without quotes, may name one of the functions that matter; `now_` is what follows it.
void statement_scanner::function_name(std::string_view word) noexcept
{
    if (begins_with(word, "pg_temp")) {
        pin(pin_reason::temporary_object);
        return;
    }
    // A rule of the view turns an UPDATE of it into set_config().
    if (same_word(word, "pg_settings") &&
        (state_.kind == statement_kind::update || state_.kind == statement_kind::with))
        out_.touches_unknown_setting = true;
    if (now_.kind != token_kind::open_paren)
        return;
    if (begins_with(word, "pg_")) {
        state_.stands_alone = false;
        if (same_word(word, "pg_advisory_unlock_all"))
            unpin(pin_reason::advisory_lock);
        else if (same_word(word, "pg_advisory_lock") || same_word(word, "pg_try_advisory_lock") ||
                 same_word(word, "pg_advisory_lock_shared") ||
                 same_word(word, "pg_try_advisory_lock_shared"))
            pin(pin_reason::advisory_lock);
    } else if (same_word(word, "set_config")) {
        state_.stands_alone = false;
        set_config_call();
    } else if (same_word(word, "setseed") || same_word(word, "currval") ||
               same_word(word, "lastval") || begins_with(word, "lo_") ||
               begins_with(word, "dblink")) {
        state_.stands_alone = false;
    }
}

void statement_scanner::touch(std::string_view name, std::string_view value) noexcept
{
    if (name.empty()) {
        out_.touches_unknown_setting = true;
        return;
    }
    const auto known = out_.settings.begin() + out_.setting_count;
    const auto same = std::find_if(out_.settings.begin(), known, [name](const setting_change& s) {
        return s.name.size() == name.size() &&
               std::equal(name.begin(), name.end(), s.name.begin(), [](char a, char b) {
                   return lower_ascii(a) == lower_ascii(b);
               });
    });
    if (same != known) {
        same->value = value;
    } else if (out_.setting_count < statement_traits::settings_max) {
        out_.settings[out_.setting_count++] = {name, value};
    } else {
        out_.touches_unknown_setting = true;
    }
}

void statement_scanner::pin(pin_reason reason) noexcept
{
    out_.pins |= reason;
    out_.unpins = out_.unpins & ~reason;
}

void statement_scanner::unpin(pin_reason reason) noexcept
{
    out_.unpins |= reason;
    out_.pins = out_.pins & ~reason;
}

statement_traits classify_postgres(std::string_view text) noexcept
{
    statement_traits traits;
    statement_scanner(text, traits).run();
    return traits;
}

std::string_view describe(pin_reason one) noexcept
{
    switch (one) {
        case pin_reason::none:
            return "none";
        case pin_reason::temporary_object:
            return "temporary object";
        case pin_reason::advisory_lock:
            return "session advisory lock";
        case pin_reason::listen:
            return "LISTEN";
        case pin_reason::hold_cursor:
            return "cursor WITH HOLD";
        case pin_reason::sql_prepare:
            return "SQL PREPARE";
        case pin_reason::load:
            return "LOAD";
        case pin_reason::session_authorization:
            return "SET SESSION AUTHORIZATION";
    }
    return "several";
}

}  // namespace sluice::sql
