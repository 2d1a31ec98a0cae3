// proto/sql/lexer_mysql.cpp: what MySQL's scanner does otherwise: comments that are executed,
// backslashes, variables.
#include <array>
#include <cstring>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

using namespace characters;

namespace {

// MySQL's versions have five digits, MariaDB's six. Comments for later ones are never executed.
constexpr unsigned executable_version_max = 200'000;
constexpr int version_digits_max = 6;

}  // namespace

// At a byte that is no blank. True: it began or ended a comment, which has been passed over.
bool lexer::skip_mysql_comment() noexcept
{
    const auto left = end_ - at_;
    if (*at_ == '#') {
        skip_line();
        return true;
    }
    if (left < 2)
        return false;
    if (at_[0] == '-' && at_[1] == '-') {
        // Without a blank behind it, it is a minus of a minus.
        if (left > 2 && static_cast<unsigned char>(at_[2]) > ' ')
            return false;
        skip_line();
        return true;
    }
    if (at_[0] == '*' && at_[1] == '/' && in_executable_comment_) {
        in_executable_comment_ = false;
        at_ += 2;
        return true;
    }
    if (at_[0] != '/' || at_[1] != '*')
        return false;
    const char* p = at_ + 2;
    if (end_ - p > 1 && p[0] == 'M' && p[1] == '!')
        ++p;
    if (p == end_ || *p != '!') {
        skip_block_comment();
        return true;
    }
    unsigned version = 0;
    ++p;
    for (int digits = 0; p < end_ && is(*p, digit) && digits < version_digits_max; ++p, ++digits)
        version = version * 10 + static_cast<unsigned>(*p - '0');
    if (version > executable_version_max) {
        skip_block_comment();
        return true;
    }
    conditional_ = in_executable_comment_ = true;
    at_ = p;
    return true;
}

// Behind the opening quote: to behind the closing one.
void lexer::mysql_string(char quote) noexcept
{
    if (!backslashes_)
        return quoted(quote);
    while (at_ < end_) {
        const char c = *at_++;
        if (c == '\\' && at_ < end_) {
            ++at_;
        } else if (c == quote) {
            if (at_ == end_ || *at_ != quote)
                return;
            ++at_;
        }
    }
    unterminated_ = true;
}

// At '@'.
void lexer::mysql_variable() noexcept
{
    ++at_;
    if (at_ < end_ && *at_ == '@')
        ++at_;
    if (at_ < end_ && (*at_ == '\'' || *at_ == '"' || *at_ == '`')) {
        const char quote = *at_++;
        quote == '`' ? quoted(quote) : mysql_string(quote);
        return;
    }
    while (at_ < end_ && (is(*at_, letter | digit | dollar) || *at_ == '.'))
        ++at_;
    // @@session.`a`
    if (at_ < end_ && *at_ == '`' && at_[-1] == '.') {
        ++at_;
        quoted('`');
    }
}

token_kind lexer::mysql_operator() noexcept
{
    static constexpr std::array<std::string_view, 13> longer{
        "->>", "<=>", "->", "||", "&&", "<<", ">>", "<=", ">=", "!=", "<>", ":=", "=="};
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    if (rest.size() < 2 || !is(rest[1], operator_)) {
        ++at_;
        return token_kind::op;
    }
    for (const auto candidate : longer) {
        if (rest.starts_with(candidate)) {
            at_ += candidate.size();
            return token_kind::op;
        }
    }
    ++at_;
    return token_kind::op;
}

token_kind lexer::mysql_scan() noexcept
{
    const char c = *at_;
    if (is(c, letter | dollar)) {
        const char lower = static_cast<char>(c | 0x20);
        if (end_ - at_ > 1 && at_[1] == '\'' && (lower == 'x' || lower == 'b' || lower == 'n')) {
            at_ += 2;
            if (lower == 'n') {
                mysql_string('\'');
                return token_kind::string;
            }
            quoted('\'');
            return token_kind::bit_string;
        }
        do {
            ++at_;
        } while (at_ < end_ && is(*at_, letter | digit | dollar));
        return token_kind::word;
    }
    if (is(c, digit) || (c == '.' && end_ - at_ > 1 && is(at_[1], digit)))
        return number();
    switch (c) {
        case '\'':
        case '"':
            ++at_;
            if (c == '"' && dialect_ == dialect::mysql_ansi_quotes) {
                quoted('"');
                return token_kind::quoted_word;
            }
            mysql_string(c);
            return token_kind::string;
        case '`':
            ++at_;
            quoted('`');
            return token_kind::quoted_word;
        case '?':
            ++at_;
            return token_kind::parameter;
        case '@':
            mysql_variable();
            return token_kind::variable;
        case ':':
            if (end_ - at_ > 1 && at_[1] == '=')
                return mysql_operator();
            break;
        default:
            if (is(c, operator_))
                return mysql_operator();
            break;
    }
    return special();
}

}  // namespace sluice::sql
