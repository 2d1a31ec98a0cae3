// proto/sql/lexer_strings.cpp: blanks, comments and all that is quoted: what ends where.
#include <cstring>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

using namespace characters;

void lexer::skip_line() noexcept
{
    const auto rest = static_cast<std::size_t>(end_ - at_);
    const auto* newline = static_cast<const char*>(std::memchr(at_, '\n', rest));
    const char* stop = newline ? newline : end_;
    // A carriage return ends PostgreSQL's comments too, not SQLite's and MySQL's.
    if (dialect_ != dialect::sqlite && !is_mysql())
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
        } else if (at_[0] == '/' && at_[1] == '*' && dialect_ != dialect::sqlite && !is_mysql()) {
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
        } else if (is_mysql()) {
            if (!skip_mysql_comment())
                return;
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

}  // namespace sluice::sql
