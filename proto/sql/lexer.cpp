// proto/sql/lexer.cpp: one table look-up says what kind of token a byte begins.
#include "proto/sql/lexer.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#include "proto/sql/key_words.hpp"

namespace sluice::sql {
using namespace characters;

bool same_word(std::string_view word, std::string_view lower_word) noexcept
{
    if (word.size() != lower_word.size())
        return false;
    for (std::size_t i = 0; i < word.size(); ++i)
        if (lower_ascii(word[i]) != lower_word[i])
            return false;
    return true;
}

bool name_token::equals(std::string_view stored) const noexcept
{
    if (!quoted) {
        if (raw.size() != stored.size())
            return false;
        for (std::size_t i = 0; i < raw.size(); ++i)
            if (lower_ascii(raw[i]) != stored[i])
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
        return is(c, digit) || (lower_ascii(c) >= 'a' && lower_ascii(c) <= 'f');
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
    if (at_ < end_ && lower_ascii(*at_) == 'e') {
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
        const char letter_ = lower_ascii(*at_);
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
    if (is_mysql())
        return mysql_scan();
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

token lexer::rest_of_next() noexcept
{
    skip_blanks();
    const char* start = at_;
    const auto kind = at_ < end_ ? scan() : token_kind::end;
    return {kind, {start, static_cast<std::size_t>(at_ - start)}};
}

}  // namespace sluice::sql
