// proto/pg/numeric.cpp: decimal numbers, base 10 to base 10000 and back.
#include "proto/pg/numeric.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include "proto/core/reader.hpp"

namespace sluice::pg {
namespace {

constexpr std::uint16_t sign_negative = 0x4000;
constexpr std::uint16_t sign_nan = 0xc000;
constexpr std::uint16_t sign_infinity = 0xd000;
constexpr std::uint16_t sign_minus_infinity = 0xf000;
constexpr int integer_digits_max = 131072;
constexpr int scale_max = 16383;

// 0.<digits> * 10^point; `scale` digits are shown behind the point.
struct decimal {
    std::uint16_t special = 0;  // NaN and the infinities
    bool negative = false;
    std::string digits;  // no leading zeros; empty is zero
    int point = 0;
    int scale = 0;
};

bool same(std::string_view text, std::string_view lower) noexcept
{
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
    });
}

std::string_view trimmed(std::string_view text) noexcept
{
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

bool parse_special(std::string_view text, decimal& out) noexcept
{
    if (same(text, "nan"))
        out.special = sign_nan;
    else if (same(text, "inf") || same(text, "infinity"))
        out.special = out.negative ? sign_minus_infinity : sign_infinity;
    return out.special != 0;
}

std::optional<decimal> parse(std::string_view text)
{
    decimal out;
    text = trimmed(text);
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
        out.negative = text[0] == '-';
        text.remove_prefix(1);
    }
    if (parse_special(text, out))
        return out;

    bool behind_point = false;
    std::size_t seen = 0;
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '.' && !behind_point) {
            behind_point = true;
            continue;
        }
        if (!is_digit(c))
            break;
        ++seen;
        if (behind_point)
            ++out.scale;
        if (c == '0' && out.digits.empty()) {
            out.point -= behind_point ? 1 : 0;
            continue;
        }
        out.digits.push_back(c);
        out.point += behind_point ? 0 : 1;
    }
    if (seen == 0)
        return std::nullopt;
    if (at < text.size()) {
        if (text[at] != 'e' && text[at] != 'E')
            return std::nullopt;
        auto power = text.substr(at + 1);
        if (power.starts_with('+'))
            power.remove_prefix(1);
        int exponent = 0;
        const auto [end, ec] = std::from_chars(power.data(), power.data() + power.size(), exponent);
        if (ec != std::errc{} || end != power.data() + power.size() || exponent > 200000 ||
            exponent < -200000)
            return std::nullopt;
        out.point += exponent;
        out.scale = std::max(0, out.scale - exponent);
    }
    if (out.digits.empty()) {
        out.point = 0;
        out.negative = false;
    }
    if (out.point > integer_digits_max || out.scale > scale_max)
        return std::nullopt;
    return out;
}

std::string format(const decimal& number)
{
    switch (number.special) {
        case sign_nan:
            return "NaN";
        case sign_infinity:
            return "Infinity";
        case sign_minus_infinity:
            return "-Infinity";
        default:
            break;
    }
    const auto digit = [&number](int index) {
        const bool inside = index >= 0 && index < static_cast<int>(number.digits.size());
        return inside ? number.digits[static_cast<std::size_t>(index)] : '0';
    };
    std::string out;
    if (number.negative)
        out.push_back('-');
    if (number.point <= 0)
        out.push_back('0');
    for (int i = 0; i < number.point; ++i)
        out.push_back(digit(i));
    if (number.scale > 0)
        out.push_back('.');
    for (int i = 0; i < number.scale; ++i)
        out.push_back(digit(number.point + i));
    return out;
}

// Floor division by four, for weights below zero too.
int quarter(int value) noexcept
{
    return value >= 0 ? value / 4 : -((-value + 3) / 4);
}

std::vector<std::uint16_t> base_10000(const decimal& number, int& weight)
{
    std::vector<std::uint16_t> groups;
    if (number.digits.empty()) {
        weight = 0;
        return groups;
    }
    // Decimal place p (0 is the one before the point) belongs to group floor(p / 4).
    weight = quarter(number.point - 1);
    int place = number.point - 1;
    int group = weight;
    std::uint16_t value = 0;
    const auto flush_to = [&](int next) {
        while (group > next) {
            groups.push_back(value);
            value = 0;
            --group;
        }
    };
    for (const char c : number.digits) {
        flush_to(quarter(place));
        static constexpr std::uint16_t powers[] = {1, 10, 100, 1000};
        const int within = place - quarter(place) * 4;
        value = static_cast<std::uint16_t>(value + (c - '0') * powers[within]);
        --place;
    }
    groups.push_back(value);
    while (!groups.empty() && groups.back() == 0)
        groups.pop_back();
    return groups;
}

}  // namespace

bool append_numeric_text(byte_queue& out, std::string_view text, int scale)
{
    auto number = parse(text);
    if (!number)
        return false;
    number->scale = std::max(number->scale, number->special ? 0 : std::min(scale, scale_max));
    out.append(format(*number));
    return true;
}

bool append_numeric_binary(byte_queue& out, std::string_view text, int scale)
{
    auto number = parse(text);
    if (!number)
        return false;
    number->scale = std::max(number->scale, number->special ? 0 : std::min(scale, scale_max));
    int weight = 0;
    const auto groups =
        number->special ? std::vector<std::uint16_t>{} : base_10000(*number, weight);
    const std::uint16_t sign =
        number->special ? number->special : (number->negative ? sign_negative : std::uint16_t{0});
    out.append_be(static_cast<std::uint16_t>(groups.size()));
    out.append_be(static_cast<std::uint16_t>(weight));
    out.append_be(sign);
    out.append_be(static_cast<std::uint16_t>(number->scale));
    for (const auto group : groups)
        out.append_be(group);
    return true;
}

std::optional<std::string> numeric_from_binary(bytes_view bytes)
{
    reader in(bytes);
    const std::size_t count = in.be<std::uint16_t>();
    const auto weight = static_cast<std::int16_t>(in.be<std::uint16_t>());
    const auto sign = in.be<std::uint16_t>();
    const auto scale = in.be<std::uint16_t>();
    reader groups(in.take(count * 2));
    if (in.finish())
        return std::nullopt;

    decimal number;
    if (sign == sign_nan || sign == sign_infinity || sign == sign_minus_infinity) {
        number.special = sign;
        return format(number);
    }
    if ((sign != 0 && sign != sign_negative) || scale > scale_max)
        return std::nullopt;
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned group = groups.be<std::uint16_t>();
        if (group > 9999)
            return std::nullopt;
        for (const unsigned power : {1000u, 100u, 10u, 1u})
            number.digits.push_back(static_cast<char>('0' + group / power % 10));
    }
    number.negative = sign == sign_negative;
    number.point = (weight + 1) * 4;
    number.scale = scale;
    const auto zeros = number.digits.find_first_not_of('0');
    if (zeros == std::string::npos) {
        number.digits.clear();
        number.point = 0;
        number.negative = false;
    } else {
        number.digits.erase(0, zeros);
        number.point -= static_cast<int>(zeros);
    }
    return format(number);
}

std::optional<std::string> numeric_from_text(std::string_view text)
{
    const auto number = parse(text);
    if (!number)
        return std::nullopt;
    return format(*number);
}

}  // namespace sluice::pg
