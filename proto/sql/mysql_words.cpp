// proto/sql/mysql_words.cpp: the words that matter wherever they stand in a MySQL statement.
#include "proto/sql/harmless_calls.hpp"
#include "proto/sql/mysql_scanner.hpp"

namespace sluice::sql {

// Looks at one word. True: it has stepped over it, and perhaps over more.
bool mysql_scanner::body_word(std::string_view word) noexcept
{
    if (state_.routine && word.size() <= 5)
        block_word(word);
    switch (word.front() | 0x20) {
        case 'i':
            if (word.size() != 4 || !same_word(word, "into"))
                return false;
            advance();
            into_target();
            return true;
        case 'f':
            if (word.size() == 3 && same_word(word, "for")) {
                advance();
                if (at("update") || at("share"))
                    state_.stands_alone = false;
                return true;
            }
            break;
        case 'l':
            if (word.size() == 4 && same_word(word, "lock")) {
                state_.stands_alone = false;  // IN SHARE MODE
                return false;
            }
            break;
        case 's':
            if (word.size() == 19 && same_word(word, "sql_calc_found_rows")) {
                pin(mysql_pin::found_rows);
                return false;
            }
            break;
        case 'n':
        case 'p':
            // NEXT | PREVIOUS VALUE FOR sequence
            if (same_word(word, "next") || same_word(word, "previous")) {
                advance();
                if (at("value")) {
                    state_.stands_alone = false;
                    if ((word.front() | 0x20) == 'p')
                        look(looks_back::sequence);
                } else if (now_.kind == token_kind::open_paren) {
                    called(word);
                }
                return true;
            }
            break;
        default:
            break;
    }
    return false;
}

// `word`, without quotes, stands in front of a parenthesis.
void mysql_scanner::called(std::string_view word) noexcept
{
    if (word.size() >= 5)
        function_name(word);
    // A schema's function may have the name of one of the server's own.
    out_.unknown_call =
        out_.unknown_call || state_.qualified || !harmless_before_parenthesis_in_mysql(word);
}

// BEGIN ... END around the statements of a routine; CASE ... END inside.
void mysql_scanner::block_word(std::string_view word) noexcept
{
    if (same_word(word, "begin") || same_word(word, "case")) {
        ++state_.blocks;
    } else if (same_word(word, "end") && state_.blocks > 0) {
        lexer ahead = lexer_;
        const auto next = ahead.next();
        const bool closes_case = is_word(next, "case");
        if (closes_case) {
            advance();  // it opens none
            --state_.blocks;
        } else if (!is_word(next, "if") && !is_word(next, "loop") && !is_word(next, "while") &&
                   !is_word(next, "repeat") && !is_word(next, "for")) {
            --state_.blocks;
        }
    }
}

// The functions that matter.
void mysql_scanner::function_name(std::string_view word) noexcept
{
    const auto is = [word](std::string_view name) { return same_word(word, name); };
    switch (word.front() | 0x20) {
        case 'b':
            if (is("benchmark"))
                state_.stands_alone = false;
            return;
        case 'c':
            if (is("connection_id")) {
                out_.connection_id = true;
                state_.stands_alone = false;
            }
            return;
        case 'f':
            if (is("found_rows"))
                look(looks_back::found_rows);
            return;
        case 'g':
            if (is("get_lock"))
                pin(mysql_pin::lock);
            return;
        case 'l':
            if (is("last_insert_id")) {
                // With an argument it sets the id, as an insert does.
                lexer ahead = lexer_;
                if (ahead.next().kind == token_kind::close_paren)
                    look(looks_back::insert_id);
                state_.stands_alone = false;
            } else if (is("lastval")) {
                look(looks_back::sequence);
            }
            return;
        case 'n':
            if (is("nextval"))
                state_.stands_alone = false;
            return;
        case 'm':
            if (is("master_pos_wait") || is("master_gtid_wait"))
                state_.stands_alone = false;
            return;
        case 'r':
            if (is("row_count")) {
                look(looks_back::row_count);
            } else if (is("release_all_locks")) {
                unpin(mysql_pin::lock);
                out_.releases_locks = true;
            } else if (is("release_lock")) {
                out_.releases_locks = true;
                state_.stands_alone = false;
            }
            return;
        case 's':
            if (is("service_get_read_locks") || is("service_get_write_locks"))
                pin(mysql_pin::lock);
            else if (is("sleep") || is("setval") || is("source_pos_wait"))
                state_.stands_alone = false;
            return;
        case 'w':
            if (is("wait_for_executed_gtid_set") || is("wait_until_sql_thread_after_gtids"))
                state_.stands_alone = false;
            return;
        default:
            return;
    }
}

// At one that is not being set.
void mysql_scanner::user_variable() noexcept
{
    out_.user_variables = true;
    advance();
    if (state_.variables_pin || (now_.kind == token_kind::op && now_.text == ":="))
        pin(mysql_pin::user_variable);
}

void mysql_scanner::system_variable(std::string_view text) noexcept
{
    auto name = text.substr(2);
    if (const auto dot = name.rfind('.'); dot != std::string_view::npos)
        name = name.substr(dot + 1);
    if (name.size() >= 2 && name.front() == '`')
        name = name.substr(1, name.size() - 2);
    if (same_word(name, "warning_count") || same_word(name, "error_count"))
        look(looks_back::diagnostics);
    else if (same_word(name, "last_insert_id") || same_word(name, "identity"))
        look(looks_back::insert_id);
    else if (same_word(name, "pseudo_thread_id"))
        out_.connection_id = true;
    state_.stands_alone = false;
    advance();
}

// Behind INTO, but for that of INSERT and REPLACE.
void mysql_scanner::into_target() noexcept
{
    state_.stands_alone = false;
    if (now_.kind == token_kind::variable) {
        out_.user_variables = true;
        pin(mysql_pin::user_variable);
        advance();
    }
}

}  // namespace sluice::sql
