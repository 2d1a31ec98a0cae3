// proto/sql/lexer.cpp: one table look-up says what kind of token a byte begins.
#include "proto/sql/lexer.hpp"

#include <array>
#include <cstddef>
#include <cstring>

namespace sluice::sql {
namespace {

enum character : std::uint8_t {
    blank = 1,
    letter = 2,  // begins a word: letters, _ and every byte from 0x80
    digit = 4,
    dollar = 8,
    operator_ = 16,  // PostgreSQL's op_chars
    prefix = 32,     // letter that may begin a string: B E N U X
    slow = 64,       // / and -: may begin a comment
};

constexpr std::array<std::uint8_t, 256> make_table()
{
    std::array<std::uint8_t, 256> table{};
    const auto mark = [&table](std::string_view chars, unsigned bits) {
        for (const char c : chars)
            table[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(bits);
    };
    mark(" \t\n\r\f\v", blank);
    mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", letter);
    for (std::size_t c = 0x80; c < 0x100; ++c)
        table[c] = letter;
    mark("0123456789", digit);
    mark("$", dollar);
    mark("~!@#^&|`?+-*/%<>=", operator_);
    mark("BENUXbenux", prefix);
    mark("/-", slow);
    return table;
}

constexpr auto table = make_table();

bool is(char c, unsigned bits) noexcept
{
    return (table[static_cast<unsigned char>(c)] & bits) != 0;
}

char lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

bool same_word(std::string_view word, std::string_view lower_word) noexcept
{
    if (word.size() != lower_word.size())
        return false;
    for (std::size_t i = 0; i < word.size(); ++i)
        if (lower(word[i]) != lower_word[i])
            return false;
    return true;
}

bool name_token::equals(std::string_view stored) const noexcept
{
    if (!quoted) {
        if (raw.size() != stored.size())
            return false;
        for (std::size_t i = 0; i < raw.size(); ++i)
            if (lower(raw[i]) != stored[i])
                return false;
        return true;
    }
    if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"')
        return false;
    const auto inner = raw.substr(1, raw.size() - 2);
    std::size_t matched = 0;
    for (std::size_t i = 0; i < inner.size(); ++i, ++matched) {
        if (matched == stored.size() || inner[i] != stored[matched])
            return false;
        if (inner[i] == '"')
            ++i;
    }
    return matched == stored.size();
}

void lexer::skip_line() noexcept
{
    const auto rest = static_cast<std::size_t>(end_ - at_);
    const auto* newline = static_cast<const char*>(std::memchr(at_, '\n', rest));
    const char* stop = newline ? newline : end_;
    // A carriage return ends PostgreSQL's comments too, not SQLite's.
    if (dialect_ != dialect::sqlite)
        if (const auto* cr = std::memchr(at_, '\r', static_cast<std::size_t>(stop - at_)))
            stop = static_cast<const char*>(cr);
    at_ = stop;
}

// At "/*". PostgreSQL's nest.
void lexer::skip_block_comment() noexcept
{
    at_ += 2;
    for (std::size_t depth = 1; at_ < end_; ++at_) {
        if (end_ - at_ < 2)
            break;
        if (at_[0] == '*' && at_[1] == '/') {
            ++at_;
            if (--depth == 0) {
                ++at_;
                return;
            }
        } else if (at_[0] == '/' && at_[1] == '*' && dialect_ != dialect::sqlite) {
            ++at_;
            ++depth;
        }
    }
    at_ = end_;
    unterminated_ = true;
}

void lexer::skip_blanks() noexcept
{
    while (at_ < end_) {
        if (is(*at_, blank)) {
            ++at_;
        } else if (is(*at_, slow) && end_ - at_ >= 2) {
            if (at_[0] == '-' && at_[1] == '-')
                skip_line();
            else if (at_[0] == '/' && at_[1] == '*')
                skip_block_comment();
            else
                return;
        } else {
            return;
        }
    }
}

// After a closing quote: a string goes on when blanks with a newline in them (and line comments)
// lead to another quote. Then at_ is behind that quote.
bool lexer::continues_string() noexcept
{
    const char* p = at_;
    bool newline = false;
    while (p < end_) {
        if (is(*p, blank)) {
            newline |= *p == '\n' || *p == '\r';
            ++p;
        } else if (*p == '-' && end_ - p >= 2 && p[1] == '-') {
            while (p < end_ && *p != '\n' && *p != '\r')
                ++p;
        } else {
            break;
        }
    }
    if (!newline || p == end_ || *p != '\'')
        return false;
    at_ = p + 1;
    return true;
}

// Behind the opening quote: to behind the closing one; doubled quotes stand for one.
void lexer::quoted(char quote) noexcept
{
    for (;;) {
        const auto rest = static_cast<std::size_t>(end_ - at_);
        const auto* close = static_cast<const char*>(std::memchr(at_, quote, rest));
        if (!close) {
            at_ = end_;
            unterminated_ = true;
            return;
        }
        at_ = close + 1;
        if (at_ == end_ || *at_ != quote)
            return;
        ++at_;
    }
}

void lexer::postgres_string(bool backslashes) noexcept
{
    do {
        if (!backslashes) {
            quoted('\'');
            continue;
        }
        bool closed = false;
        while (at_ < end_ && !closed) {
            const char c = *at_++;
            if (c == '\\' && at_ < end_)
                ++at_;
            else if (c == '\'' && at_ < end_ && *at_ == '\'')
                ++at_;
            else if (c == '\'')
                closed = true;
        }
        if (!closed)
            unterminated_ = true;
    } while (!unterminated_ && continues_string());
}

void lexer::until(char close) noexcept
{
    const auto rest = static_cast<std::size_t>(end_ - at_);
    const auto* found = static_cast<const char*>(std::memchr(at_, close, rest));
    unterminated_ |= !found;
    at_ = found ? found + 1 : end_;
}

// At '$'. False when it begins no dollar quote; then at_ has not moved.
bool lexer::dollar_quoted() noexcept
{
    const char* p = at_ + 1;
    if (p < end_ && is(*p, letter))
        while (p < end_ && is(*p, letter | digit))
            ++p;
    if (p == end_ || *p != '$')
        return false;
    const std::string_view tag(at_, static_cast<std::size_t>(p + 1 - at_));
    const std::string_view body(p + 1, static_cast<std::size_t>(end_ - p - 1));
    const auto close = body.find(tag);
    unterminated_ |= close == std::string_view::npos;
    at_ = close == std::string_view::npos ? end_ : p + 1 + close + tag.size();
    return true;
}

// At a digit, or at a dot before one.
token_kind lexer::number() noexcept
{
    const auto digits = [this](auto accepted) {
        while (at_ < end_ &&
               (accepted(*at_) || (*at_ == '_' && end_ - at_ > 1 && accepted(at_[1]))))
            ++at_;
    };
    const auto decimal = [](char c) { return is(c, digit); };
    const auto hexadecimal = [](char c) {
        return is(c, digit) || (lower(c) >= 'a' && lower(c) <= 'f');
    };

    if (*at_ == '0' && end_ - at_ > 2 && std::memchr("xXoObB", at_[1], 6) && hexadecimal(at_[2])) {
        at_ += 2;
        digits(hexadecimal);
        return token_kind::number;
    }
    digits(decimal);
    // "1..2" is a number and a range operator.
    if (at_ < end_ && *at_ == '.' && !(end_ - at_ > 1 && at_[1] == '.')) {
        ++at_;
        digits(decimal);
    }
    if (at_ < end_ && lower(*at_) == 'e') {
        const char* p = at_ + 1;
        if (p < end_ && (*p == '+' || *p == '-'))
            ++p;
        if (p < end_ && is(*p, digit)) {
            at_ = p;
            digits(decimal);
        }
    }
    return token_kind::number;
}

// An operator takes all operator characters up to a comment's beginning. It ends in + or - only
// when one of ~ ! @ # % ^ & | ` ? is in it (so that "=-1" is "=" and "-1").
token_kind lexer::postgres_operator() noexcept
{
    const char* start = at_;
    if (at_ < signs_until_) {
        ++at_;
        return token_kind::op;
    }
    bool special = false;
    while (at_ < end_ && is(*at_, operator_)) {
        if (*at_ == '`' && dialect_ == dialect::postgres_for_sqlite)
            break;
        if (end_ - at_ > 1 &&
            ((at_[0] == '-' && at_[1] == '-') || (at_[0] == '/' && at_[1] == '*')))
            break;
        special |= std::memchr("~!@#%^&|`?", *at_, 10) != nullptr;
        ++at_;
    }
    if (!special) {
        const char* run_end = at_;
        while (at_ - start > 1 && (at_[-1] == '+' || at_[-1] == '-'))
            --at_;
        if (at_ != run_end)
            signs_until_ = run_end;
    }
    return token_kind::op;
}

token_kind lexer::sqlite_operator() noexcept
{
    static constexpr std::array<std::string_view, 10> longer{
        "->>", "->", "||", "<<", ">>", "<=", ">=", "==", "!=", "<>"};
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    for (const auto candidate : longer) {
        if (rest.starts_with(candidate)) {
            at_ += candidate.size();
            return token_kind::op;
        }
    }
    ++at_;
    return token_kind::op;
}

// A word, or a string whose prefix letter looks like one.
token_kind lexer::word_or_prefixed() noexcept
{
    const char* start = at_;
    if (is(*at_, prefix) && end_ - at_ > 1 && (at_[1] == '\'' || at_[1] == '&')) {
        const char letter_ = lower(*at_);
        const bool postgres = dialect_ != dialect::sqlite;
        if (at_[1] == '\'') {
            if (postgres ? letter_ != 'u' : letter_ == 'x') {
                at_ += 2;
                postgres ? postgres_string(letter_ == 'e') : quoted('\'');
                if (letter_ == 'e')
                    return token_kind::escape_string;
                return letter_ == 'n' ? token_kind::string : token_kind::bit_string;
            }
        } else if (postgres && letter_ == 'u' && end_ - at_ > 2 && at_[2] == '\'') {
            at_ += 3;
            postgres_string(false);
            return token_kind::unicode_string;
        } else if (postgres && letter_ == 'u' && end_ - at_ > 2 && at_[2] == '"') {
            at_ += 3;
            quoted('"');
            return token_kind::unicode_word;
        }
    }
    at_ = start + 1;
    while (at_ < end_ && is(*at_, letter | digit | dollar))
        ++at_;
    return token_kind::word;
}

// What only SQLite has. token_kind::end: nothing of it.
token_kind lexer::sqlite_special() noexcept
{
    const auto name_follows = [this] { return end_ - at_ > 1 && is(at_[1], letter | digit); };
    switch (*at_) {
        case '`':
            ++at_;
            quoted('`');
            return token_kind::quoted_word;
        case '[':
            ++at_;
            until(']');
            return token_kind::quoted_word;
        case '?':
            ++at_;
            while (at_ < end_ && is(*at_, digit))
                ++at_;
            return token_kind::parameter;
        case ':':
        case '@':
        case '$':
            if (!name_follows())
                return token_kind::end;
            ++at_;
            while (at_ < end_ && (is(*at_, letter | digit | dollar) ||
                                  (end_ - at_ > 2 && at_[0] == ':' && at_[1] == ':')))
                at_ += *at_ == ':' ? 2 : 1;
            return token_kind::parameter;
        default:
            return token_kind::end;
    }
}

// Everything that is neither a word, a number nor a plain operator.
token_kind lexer::special() noexcept
{
    const char c = *at_;
    const char after = end_ - at_ > 1 ? at_[1] : '\0';
    switch (c) {
        case '\'':
            ++at_;
            dialect_ != dialect::sqlite ? postgres_string(false) : quoted('\'');
            return token_kind::string;
        case '"':
            ++at_;
            quoted('"');
            return token_kind::quoted_word;
        case '$':
            if (is(after, digit)) {
                ++at_;
                while (at_ < end_ && is(*at_, digit))
                    ++at_;
                return token_kind::parameter;
            }
            if (dollar_quoted())
                return token_kind::dollar_string;
            ++at_;
            return token_kind::unknown;
        case ':':
            at_ += after == ':' || after == '=' ? 2 : 1;
            return after == ':'   ? token_kind::cast
                   : after == '=' ? token_kind::op
                                  : token_kind::colon;
        default:
            break;
    }
    ++at_;
    switch (c) {
        case '(':
            return token_kind::open_paren;
        case ')':
            return token_kind::close_paren;
        case '[':
            return token_kind::open_bracket;
        case ']':
            return token_kind::close_bracket;
        case ',':
            return token_kind::comma;
        case '.':
            at_ += after == '.';
            return after == '.' ? token_kind::op : token_kind::dot;
        case ';':
            return token_kind::semicolon;
        default:
            return token_kind::unknown;
    }
}

token_kind lexer::scan() noexcept
{
    const char c = *at_;
    if (is(c, letter))
        return word_or_prefixed();
    if (is(c, digit) || (c == '.' && end_ - at_ > 1 && is(at_[1], digit)))
        return number();
    if (c == '`' && dialect_ == dialect::postgres_for_sqlite) {
        ++at_;
        quoted('`');
        return token_kind::quoted_word;
    }
    if (dialect_ != dialect::sqlite)
        return is(c, operator_) ? postgres_operator() : special();
    if (const auto kind = sqlite_special(); kind != token_kind::end)
        return kind;
    return is(c, operator_) ? sqlite_operator() : special();
}

token lexer::next() noexcept
{
    skip_blanks();
    const char* start = at_;
    const auto kind = at_ < end_ ? scan() : token_kind::end;
    return {kind, {start, static_cast<std::size_t>(at_ - start)}};
}

}  // namespace sluice::sql
