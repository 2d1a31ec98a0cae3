// proto/sql/string_literal.cpp: unescaping.
#include "proto/sql/string_literal.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "proto/sql/key_words.hpp"

namespace sluice::sql {
namespace {

int hex_digit(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char low = lower_ascii(c);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

void append_utf8(std::string& out, std::uint32_t c)
{
    const auto tail = [&out, c](unsigned shift) {
        out += static_cast<char>(0x80u | ((c >> shift) & 0x3fu));
    };
    if (c == 0 || c > 0x10ffff)
        return;
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xc0u | c >> 6);
        tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xe0u | c >> 12);
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xf0u | c >> 18);
        tail(12);
        tail(6);
        tail(0);
    }
}

bool is_high_surrogate(std::uint32_t c) noexcept
{
    return c >= 0xd800 && c < 0xdc00;
}
bool is_low_surrogate(std::uint32_t c) noexcept
{
    return c >= 0xdc00 && c < 0xe000;
}

// Reads a literal's body, piece by piece.
class unescaper {
public:
    explicit unescaper(std::string_view body) noexcept : rest_(body) {}

    // E'...': rest_ is all behind the opening quote.
    std::string escapes()
    {
        while (!rest_.empty()) {
            const char c = take();
            if (c == '\\' && !rest_.empty())
                escape();
            else if (c != '\'')
                out_ += c;
            else if (!quote_goes_on())
                break;
        }
        return std::move(out_);
    }

    std::string plain(bool unicode)
    {
        while (!rest_.empty()) {
            const char c = take();
            if (c == '\\' && unicode)
                unicode_escape();
            else if (c != '\'')
                out_ += c;
            else if (!quote_goes_on())
                break;
        }
        return std::move(out_);
    }

private:
    char take() noexcept
    {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    // Behind a quote: a doubled one, a continuation on a later line, or the end.
    bool quote_goes_on()
    {
        if (rest_.starts_with('\'')) {
            out_ += take();
            return true;
        }
        const auto next = continuation();
        if (next == std::string_view::npos)
            return false;
        rest_.remove_prefix(next);
        return true;
    }

    // The lexer has found that the token goes on, so all that can precede the next quote is blanks
    // and line comments; quotes in the comments do not count.
    std::size_t continuation() const noexcept
    {
        for (std::size_t i = 0; i < rest_.size(); ++i) {
            if (rest_[i] == '\'')
                return i + 1;
            if (rest_[i] == '-')
                i = std::min(rest_.find_first_of("\r\n", i), rest_.size());
        }
        return std::string_view::npos;
    }

    std::uint32_t digits(std::size_t count_max, unsigned base)
    {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < count_max && !rest_.empty(); ++i) {
            const int digit = hex_digit(rest_.front());
            if (digit < 0 || static_cast<unsigned>(digit) >= base)
                break;
            value = value * base + static_cast<unsigned>(digit);
            take();
        }
        return value;
    }

    void byte(std::uint32_t value)
    {
        if ((value & 0xffu) != 0)
            out_ += static_cast<char>(value & 0xffu);
    }

    void character(std::uint32_t value)
    {
        if (is_high_surrogate(value)) {
            high_ = value;
            return;
        }
        if (is_low_surrogate(value) && high_ != 0)
            value = 0x10000 + ((high_ - 0xd800) << 10) + (value - 0xdc00);
        high_ = 0;
        append_utf8(out_, value);
    }

    void escape()
    {
        const char c = take();
        switch (c) {
            case 'b':
                out_ += '\b';
                break;
            case 'f':
                out_ += '\f';
                break;
            case 'n':
                out_ += '\n';
                break;
            case 'r':
                out_ += '\r';
                break;
            case 't':
                out_ += '\t';
                break;
            case 'v':
                out_ += '\v';
                break;
            case 'u':
                character(digits(4, 16));
                break;
            case 'U':
                character(digits(8, 16));
                break;
            case 'x':
                if (!rest_.empty() && hex_digit(rest_.front()) >= 0)
                    byte(digits(2, 16));
                else
                    out_ += c;
                break;
            default:
                if (c < '0' || c > '7') {
                    out_ += c;
                    break;
                }
                octal(static_cast<std::uint32_t>(c - '0'));
        }
    }

    void octal(std::uint32_t value)
    {
        for (int i = 0; i < 2 && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '7';
             ++i)
            value = value * 8 + static_cast<std::uint32_t>(take() - '0');
        byte(value);
    }

    // Behind the backslash of U&'...': \\ or \XXXX or \+XXXXXX.
    void unicode_escape()
    {
        if (rest_.starts_with('\\')) {
            out_ += take();
        } else if (rest_.starts_with('+')) {
            take();
            character(digits(6, 16));
        } else if (!rest_.empty() && hex_digit(rest_.front()) >= 0) {
            character(digits(4, 16));
        } else {
            out_ += '\\';
        }
    }

    std::string_view rest_;
    std::string out_;
    std::uint32_t high_ = 0;  // first half of a surrogate pair
};

}  // namespace

std::string string_value(const token& t)
{
    const auto text = t.text;
    if (t.kind == token_kind::dollar_string) {
        const auto opening = text.find('$', 1) + 1;
        const auto tag = text.substr(0, opening);
        auto body = text.substr(opening);
        if (body.ends_with(tag))
            body.remove_suffix(tag.size());
        return std::string(body);
    }
    unescaper body(text.substr(text.find('\'') + 1));
    if (t.kind == token_kind::escape_string)
        return body.escapes();
    return body.plain(t.kind == token_kind::unicode_string);
}

std::string name_value(const token& t)
{
    std::string out;
    if (t.kind == token_kind::word) {
        std::transform(t.text.begin(), t.text.end(), std::back_inserter(out), lower_ascii);
        return out;
    }
    const char quote = t.text.front();
    for (std::size_t i = 1; i < t.text.size(); ++i) {
        if (t.text[i] == quote && (++i == t.text.size() || t.text[i] != quote))
            break;
        out += t.text[i];
    }
    return out;
}

void append_literal(std::string& out, std::string_view value)
{
    out += '\'';
    for (const char c : value) {
        out += c;
        if (c == '\'')
            out += c;
    }
    out += '\'';
}

}  // namespace sluice::sql
