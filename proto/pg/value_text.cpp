// proto/pg/value_text.cpp: spellings of booleans, numbers, bytea and uuid.
#include "proto/pg/value_text.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace sluice::pg {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

char lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) noexcept
{
    const auto first = text.find_first_not_of(" \t\r\n\v\f");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n\v\f") - first + 1);
}

bool same(std::string_view text, std::string_view lower_case) noexcept
{
    if (text.size() != lower_case.size())
        return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (lower(text[i]) != lower_case[i])
            return false;
    return true;
}

// PostgreSQL takes any prefix of a word that names one value only: "t", "tr", ..., but not "o".
bool begins(std::string_view text, std::string_view word, std::size_t least) noexcept
{
    return text.size() >= least && text.size() <= word.size() &&
           same(text, word.substr(0, text.size()));
}

int hex_value(char c) noexcept
{
    const auto at = hex_digits.find(lower(c));
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

template <class T>
void append_floating_text(byte_queue& out, T value)
{
    if (std::isnan(value)) {
        out.append("NaN");
        return;
    }
    if (std::isinf(value)) {
        out.append(value < 0 ? "-Infinity" : "Infinity");
        return;
    }
    // PostgreSQL switches to an exponent below 1e-4 and from 1e15 (float8) or 1e6 (float4) on.
    const T size = std::fabs(value);
    const T most = sizeof(T) == sizeof(double) ? static_cast<T>(1e15) : static_cast<T>(1e6);
    const bool plain = size == 0 || (size >= static_cast<T>(1e-4) && size < most);
    std::array<char, 64> digits{};
    const auto shape = plain ? std::chars_format::fixed : std::chars_format::scientific;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, shape).ptr;
    out.append(std::string_view(digits.data(), end));
}

int octal_digit(char c, char most) noexcept
{
    return c >= '0' && c <= most ? c - '0' : -1;
}

bool parse_escaped_bytea(std::string_view text, std::vector<std::byte>& out)
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out.push_back(static_cast<std::byte>(text[i]));
            continue;
        }
        if (i + 1 < text.size() && text[i + 1] == '\\') {
            out.push_back(std::byte{'\\'});
            ++i;
            continue;
        }
        if (i + 3 >= text.size())
            return false;
        const int a = octal_digit(text[i + 1], '3');
        const int b = octal_digit(text[i + 2], '7');
        const int c = octal_digit(text[i + 3], '7');
        if (a < 0 || b < 0 || c < 0)
            return false;
        out.push_back(static_cast<std::byte>(a << 6 | b << 3 | c));
        i += 3;
    }
    return true;
}

}  // namespace

void append_float8(byte_queue& out, double value)
{
    append_floating_text(out, value);
}

void append_float4(byte_queue& out, float value)
{
    append_floating_text(out, value);
}

std::optional<bool> parse_boolean(std::string_view text) noexcept
{
    text = trimmed(text);
    if (begins(text, "true", 1) || begins(text, "yes", 1) || same(text, "on") || text == "1")
        return true;
    if (begins(text, "false", 1) || begins(text, "no", 1) || begins(text, "off", 2) || text == "0")
        return false;
    return std::nullopt;
}

conversion parse_integer(std::string_view text, std::int64_t& out) noexcept
{
    text = trimmed(text);
    if (text.starts_with('+') && !text.starts_with("+-"))
        text.remove_prefix(1);
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (ec == std::errc::result_out_of_range)
        return conversion::out_of_range;
    if (ec != std::errc{} || end != text.data() + text.size())
        return conversion::not_of_type;
    return conversion::ok;
}

conversion integer_of(const stored_value& value, std::int64_t& out) noexcept
{
    if (const auto* i = std::get_if<std::int64_t>(&value)) {
        out = *i;
        return conversion::ok;
    }
    if (const auto* d = std::get_if<double>(&value)) {
        if (std::trunc(*d) != *d)
            return conversion::not_of_type;
        if (*d < -0x1p63 || *d >= 0x1p63)
            return conversion::out_of_range;
        out = static_cast<std::int64_t>(*d);
        return conversion::ok;
    }
    if (const auto* text = std::get_if<std::string_view>(&value))
        return parse_integer(*text, out);
    return conversion::not_of_type;
}

conversion parse_double(std::string_view text, double& out) noexcept
{
    text = trimmed(text);
    if (same(text, "nan")) {
        out = std::numeric_limits<double>::quiet_NaN();
        return conversion::ok;
    }
    if (text.starts_with('+') && !text.starts_with("+-"))
        text.remove_prefix(1);
    const bool negative = text.starts_with('-');
    const auto bare = negative ? text.substr(1) : text;
    if (same(bare, "infinity") || same(bare, "inf")) {
        const double infinity = std::numeric_limits<double>::infinity();
        out = negative ? -infinity : infinity;
        return conversion::ok;
    }
    // from_chars would take "nan(...)" too.
    if (bare.empty() || !((bare[0] >= '0' && bare[0] <= '9') || bare[0] == '.'))
        return conversion::not_of_type;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (end != text.data() + text.size())
        return conversion::not_of_type;
    if (ec == std::errc::result_out_of_range)
        return conversion::out_of_range;
    return ec == std::errc{} ? conversion::ok : conversion::not_of_type;
}

bool parse_bytea(std::string_view text, std::vector<std::byte>& out)
{
    out.clear();
    if (!text.starts_with("\\x"))
        return parse_escaped_bytea(text, out);
    text.remove_prefix(2);
    if (text.size() % 2 != 0)
        return false;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out.push_back(static_cast<std::byte>(high << 4 | low));
    }
    return true;
}

void append_hex_bytea(byte_queue& out, bytes_view bytes)
{
    out.append("\\x");
    auto* to = out.grow(bytes.size() * 2);
    for (const auto b : bytes) {
        *to++ = static_cast<std::byte>(hex_digits[std::to_integer<unsigned>(b) >> 4]);
        *to++ = static_cast<std::byte>(hex_digits[std::to_integer<unsigned>(b) & 15]);
    }
}

bool parse_uuid(std::string_view text, uuid_bytes& out) noexcept
{
    text = trimmed(text);
    if (text.starts_with('{') && text.ends_with('}'))
        text = text.substr(1, text.size() - 2);
    std::size_t nibbles = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '-' && nibbles > 0 && nibbles % 4 == 0 && nibbles < 32 && text[i - 1] != '-')
            continue;
        const int value = hex_value(text[i]);
        if (value < 0 || nibbles == 32)
            return false;
        auto& byte = out[nibbles / 2];
        byte = static_cast<std::byte>(nibbles % 2 == 0 ? value << 4
                                                       : std::to_integer<int>(byte) | value);
        ++nibbles;
    }
    return nibbles == 32;
}

std::string format_uuid(const uuid_bytes& bytes)
{
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out.push_back('-');
        out.push_back(hex_digits[std::to_integer<unsigned>(bytes[i]) >> 4]);
        out.push_back(hex_digits[std::to_integer<unsigned>(bytes[i]) & 15]);
    }
    return out;
}

bool is_plain_utf8(std::string_view text) noexcept
{
    std::size_t i = 0;
    const auto at = [&text](std::size_t n) { return static_cast<unsigned char>(text[n]); };
    while (i < text.size()) {
        const unsigned char first = at(i);
        if (first == 0)
            return false;
        if (first < 0x80) {
            ++i;
            continue;
        }
        const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
        if (first < 0xc2 || first > 0xf4 || text.size() - i < length)
            return false;
        // No overlong forms, no surrogates, nothing past U+10FFFF.
        const unsigned char second = at(i + 1);
        const unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        const unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (second < least || second > most)
            return false;
        for (std::size_t n = 2; n < length; ++n)
            if ((at(i + n) & 0xc0) != 0x80)
                return false;
        i += length;
    }
    return true;
}

}  // namespace sluice::pg
