// proto/sql/lexer.hpp: SQL text as a stream of tokens, as PostgreSQL's, MySQL's and SQLite's
// scanners see it.
//
// Layer: proto. Pure, allocates nothing, never fails: whatever the text, every byte belongs to one
// token or to the blanks and comments between two, and the stream ends with token_kind::end.
// Lifetime: tokens are views into the text given to the constructor.
//
// PostgreSQL: src/backend/parser/scan.l, with standard_conforming_strings on. SQLite: tokenize.c.
// MySQL: sql/sql_lex.cc. What stands in /*!50001 ... */ or /*M!100100 ... */ is tokens like any,
// unless it is for servers newer than any (mariadb-dump's 999999).
#pragma once

#include <cstdint>
#include <string_view>

#include "proto/sql/characters.hpp"

namespace sluice::sql {

enum class dialect : std::uint8_t {
    postgres,
    postgres_for_sqlite,  // PostgreSQL's, and `quoted` names
    sqlite,
    mysql,
    mysql_ansi_quotes,  // sql_mode ANSI_QUOTES: "a" is a name
};

enum class token_kind : std::uint8_t {
    end,             // no more tokens; text is empty and points at the end
    word,            // identifier or key word without quotes
    quoted_word,     // "a""b"; SQLite also `a` and [a]; MySQL `a`
    unicode_word,    // U&"..." (PostgreSQL)
    string,          // '...', with continuations on following lines (PostgreSQL), N'...';
                     // MySQL also "..."; backslashes escape there
    escape_string,   // E'...' with backslashes (PostgreSQL)
    unicode_string,  // U&'...' (PostgreSQL)
    bit_string,      // B'...', X'...' (PostgreSQL, MySQL); the blob X'...' (SQLite)
    dollar_string,   // $tag$...$tag$ (PostgreSQL)
    number,          // 1  1.5  .5e-3  0xff
    parameter,       // $1 (PostgreSQL); ? ?1 :name @name $name (SQLite); ? (MySQL)
    op,              // operators of any length, := and =>
    cast,            // ::
    open_paren,      // (
    close_paren,     // )
    open_bracket,    // [
    close_bracket,   // ]
    comma,           // ,
    dot,             // .
    colon,           // : alone
    semicolon,       // ;
    unknown,         // a byte that no token begins with
    variable,        // @a @'a b' @@a @@session.a (MySQL)
};

struct token {
    token_kind kind = token_kind::end;
    std::string_view text;  // as written, with quotes and prefix
};

class lexer {
public:
    explicit lexer(std::string_view text, dialect d = dialect::postgres) noexcept
        : at_(text.data()), end_(text.data() + text.size()), begin_(text.data()), dialect_(d)
    {
    }

    // Words, plain numbers and lone punctuation are most of any text: they are read here, all else
    // in rest_of_next().
    token next() noexcept
    {
        using namespace characters;
        const char* p = at_;
        while (p < end_ && is(*p, blank))
            ++p;
        const char* start = at_ = p;
        if (p == end_)
            return {token_kind::end, {p, 0}};
        if (is(*p, letter)) {
            do {
                ++p;
            } while (p < end_ && is(*p, letter | digit | dollar));
            if (p - start == 1 && is(*start, prefix) && p < end_ && (*p == '\'' || *p == '&'))
                return rest_of_next();
            at_ = p;
            return {token_kind::word, {start, static_cast<std::size_t>(p - start)}};
        }
        if (is(*p, single)) {
            ++at_;
            const auto kind = *p == '('   ? token_kind::open_paren
                              : *p == ')' ? token_kind::close_paren
                              : *p == ',' ? token_kind::comma
                                          : token_kind::semicolon;
            return {kind, {start, 1}};
        }
        if (is(*p, digit)) {
            do {
                ++p;
            } while (p < end_ && is(*p, digit));
            if (p < end_ && (is(*p, letter) || *p == '.'))
                return rest_of_next();
            at_ = p;
            return {token_kind::number, {start, static_cast<std::size_t>(p - start)}};
        }
        return rest_of_next();
    }

    // Bytes before `t` in the text.
    std::size_t offset(const token& t) const noexcept
    {
        return static_cast<std::size_t>(t.text.data() - begin_);
    }

    // MySQL's sql_mode NO_BACKSLASH_ESCAPES.
    void no_backslash_escapes() noexcept { backslashes_ = false; }

    // A string, quoted identifier, dollar quote or comment met so far has no end; it was taken to
    // reach to the end of the text.
    bool unterminated() const noexcept { return unterminated_; }
    // An executable comment was met (MySQL): what is in it may or may not be executed.
    bool conditional() const noexcept { return conditional_; }

private:
    void skip_blanks() noexcept;
    void skip_line() noexcept;
    void skip_block_comment() noexcept;
    bool continues_string() noexcept;
    void quoted(char quote) noexcept;
    void postgres_string(bool backslashes) noexcept;
    bool is_mysql() const noexcept
    {
        return dialect_ == dialect::mysql || dialect_ == dialect::mysql_ansi_quotes;
    }
    bool skip_mysql_comment() noexcept;
    void mysql_string(char quote) noexcept;
    void mysql_variable() noexcept;
    token_kind mysql_scan() noexcept;
    token_kind mysql_operator() noexcept;
    void until(char close) noexcept;
    bool dollar_quoted() noexcept;
    token rest_of_next() noexcept;
    token_kind scan() noexcept;
    token_kind number() noexcept;
    token_kind postgres_operator() noexcept;
    token_kind sqlite_operator() noexcept;
    token_kind word_or_prefixed() noexcept;
    token_kind special() noexcept;
    token_kind sqlite_special() noexcept;

    const char* at_;
    const char* end_;
    const char* begin_;
    // Up to here lie nothing but + and - that were split off an operator, one token each.
    const char* signs_until_ = nullptr;
    dialect dialect_;
    bool unterminated_ = false;
    bool backslashes_ = true;
    bool in_executable_comment_ = false;
    bool conditional_ = false;
};

// Whether an unquoted word is `lower` (given in lower case ASCII), whatever its case.
bool same_word(std::string_view word, std::string_view lower) noexcept;

inline bool is_word(const token& t, std::string_view lower) noexcept
{
    return t.kind == token_kind::word && same_word(t.text, lower);
}

// A name as written in a statement: compare with a name as the server stores it.
struct name_token {
    std::string_view raw;  // with its quotes; empty: no name was given
    bool quoted = false;

    // Unquoted names fold to lower case (ASCII); quoted ones stand for what is between the quotes,
    // "" being one quote. U&"..." names equal nothing.
    bool equals(std::string_view stored) const noexcept;
};

}  // namespace sluice::sql
