// proto/sql/mysql_literal.cpp: the values behind MySQL's string literals and quoted names.
#include "proto/sql/mysql_literal.hpp"

#include "proto/pg/values.hpp"

namespace sluice::sql {

char mysql_unescaped(char c) noexcept
{
    switch (c) {
        case '0':
            return '\0';
        case 'b':
            return '\b';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case 'Z':
            return '\x1a';
        default:
            return c;
    }
}

std::string mysql_string_value(std::string_view literal, bool backslashes)
{
    std::string out;
    if (!literal.empty() && (literal[0] == 'N' || literal[0] == 'n'))
        literal.remove_prefix(1);
    if (literal.empty())
        return out;
    const char quote = literal[0];
    out.reserve(literal.size());
    for (std::size_t i = 1; i < literal.size(); ++i) {
        const char c = literal[i];
        const bool more = i + 1 < literal.size();
        if (c == '\\' && backslashes && more) {
            const char escaped = literal[++i];
            if (escaped == '%' || escaped == '_')
                out += '\\';
            out += mysql_unescaped(escaped);
        } else if (c == quote) {
            if (!more || literal[i + 1] != quote)
                break;
            out += c;
            ++i;
        } else {
            out += c;
        }
    }
    return out;
}

std::string mysql_name_value(const token& t)
{
    if (t.kind == token_kind::string)
        return mysql_string_value(t.text);
    if (t.kind != token_kind::quoted_word || t.text.size() < 2)
        return std::string(t.text);
    const char quote = t.text[0];
    std::string out;
    for (std::size_t i = 1; i + 1 < t.text.size(); ++i) {
        out += t.text[i];
        if (t.text[i] == quote)
            ++i;
    }
    return out;
}

void append_sqlite_blob(std::string& out, std::string_view bytes)
{
    static constexpr char digits[] = "0123456789abcdef";
    out += "x'";
    for (const char c : bytes) {
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    out += '\'';
}

void append_sqlite_literal(std::string& out, std::string_view value)
{
    if (!pg::is_plain_utf8(value))
        return append_sqlite_blob(out, value);
    out += '\'';
    for (const char c : value)
        out.append(c == '\'' ? 2u : 1u, c);
    out += '\'';
}

std::string in_backticks(std::string_view name)
{
    std::string out = "`";
    for (const char c : name)
        out.append(c == '`' ? 2u : 1u, c);
    return out + '`';
}

}  // namespace sluice::sql
