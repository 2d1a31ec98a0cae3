// proto/pg/timestamp.cpp: dates and times, text to counts and back.
#include "proto/pg/timestamp.hpp"

#include <chrono>
#include <cstdio>

namespace sluice::pg {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr sys_days epoch = year{2000} / 1 / 1;
constexpr sys_days first_day = year{1} / 1 / 1;
constexpr sys_days last_day = year{9999} / 12 / 31;

// Takes fields off the front of the text; after a failure every answer is false or zero.
class scanner {
public:
    explicit scanner(std::string_view text) noexcept : rest_(text) {}

    int digits(std::size_t count) noexcept
    {
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') {
                failed_ = true;
                return 0;
            }
            value = value * 10 + (rest_[0] - '0');
            rest_.remove_prefix(1);
        }
        return value;
    }
    void expect(char c) noexcept
    {
        if (!skip(c))
            failed_ = true;
    }
    bool skip(char c) noexcept
    {
        if (!rest_.starts_with(c))
            return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool at_digit() const noexcept { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }
    bool done() const noexcept { return rest_.empty(); }
    bool failed() const noexcept { return failed_; }
    void fail() noexcept { failed_ = true; }

private:
    std::string_view rest_;
    bool failed_ = false;
};

std::string_view trimmed(std::string_view text) noexcept
{
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

// Days since 2000-01-01.
std::int64_t scan_date(scanner& in) noexcept
{
    const int y = in.digits(4);
    in.expect('-');
    const int m = in.digits(2);
    in.expect('-');
    const int d = in.digits(2);
    const year_month_day date{
        year{y}, month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
    if (!date.ok() || y < 1) {
        in.fail();
        return 0;
    }
    return (sys_days(date) - epoch).count();
}

std::int64_t scan_fraction(scanner& in) noexcept
{
    std::int64_t micros = 0;
    std::int64_t unit = 100'000;
    if (!in.at_digit())
        in.fail();
    bool seventh = true;
    while (in.at_digit()) {
        const int digit = in.digits(1);
        if (unit > 0) {
            micros += digit * unit;
            unit /= 10;
        } else if (seventh) {
            micros += digit >= 5 ? 1 : 0;
            seventh = false;
        }
    }
    return micros;
}

std::int64_t scan_time(scanner& in) noexcept
{
    const int h = in.digits(2);
    in.expect(':');
    const int m = in.digits(2);
    int s = 0;
    std::int64_t micros = 0;
    if (in.skip(':')) {
        s = in.digits(2);
        if (in.skip('.'))
            micros = scan_fraction(in);
    }
    // 24:00:00 is midnight of the next day to PostgreSQL, as is a leap second's 23:59:60.
    const bool end_of_day = h == 24 && m == 0 && s == 0 && micros == 0;
    if ((h > 23 && !end_of_day) || m > 59 || s > 60)
        in.fail();
    return ((h * 60 + m) * 60LL + s) * 1'000'000 + micros;
}

// Microseconds east of UTC.
std::int64_t scan_offset(scanner& in) noexcept
{
    in.skip(' ');
    if (in.skip('Z') || in.skip('z') || in.done())
        return 0;
    const bool west = in.skip('-');
    if (!west)
        in.expect('+');
    const int h = in.digits(2);
    int m = 0;
    if (in.skip(':') || in.at_digit())
        m = in.digits(2);
    if (h > 15 || m > 59)
        in.fail();
    const std::int64_t east = (h * 60LL + m) * 60'000'000;
    return west ? -east : east;
}

// Appends ".ffffff" without trailing zeros.
void append_fraction(std::string& out, std::int64_t micros)
{
    if (micros == 0)
        return;
    char text[16];
    std::snprintf(text, sizeof text, ".%06d", static_cast<int>(micros));
    std::string_view digits(text);
    while (digits.ends_with('0'))
        digits.remove_suffix(1);
    out.append(digits);
}

}  // namespace

std::optional<std::int32_t> parse_date(std::string_view text) noexcept
{
    text = trimmed(text);
    if (text == "infinity")
        return date_infinity;
    if (text == "-infinity")
        return date_minus_infinity;
    const auto whole = parse_timestamp(text);
    if (!whole || *whole % day_microseconds != 0)
        return std::nullopt;
    return static_cast<std::int32_t>(*whole / day_microseconds);
}

std::optional<std::int64_t> parse_time(std::string_view text) noexcept
{
    scanner in(trimmed(text));
    const auto micros = scan_time(in);
    if (in.failed() || !in.done() || micros > day_microseconds)
        return std::nullopt;
    return micros;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) noexcept
{
    text = trimmed(text);
    if (text == "infinity")
        return timestamp_infinity;
    if (text == "-infinity")
        return timestamp_minus_infinity;
    scanner in(text);
    std::int64_t micros = scan_date(in) * day_microseconds;
    if (in.skip('T') || in.skip('t') || in.skip(' ')) {
        micros += scan_time(in);
        micros -= scan_offset(in);
    }
    if (in.failed() || !in.done())
        return std::nullopt;
    return micros;
}

std::optional<std::string> format_date(std::int32_t count)
{
    if (count == date_infinity)
        return "infinity";
    if (count == date_minus_infinity)
        return "-infinity";
    const sys_days at = epoch + days{count};
    if (at < first_day || at > last_day)
        return std::nullopt;
    const year_month_day date{at};
    char text[32];
    std::snprintf(text,
                  sizeof text,
                  "%04d-%02u-%02u",
                  static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()));
    return text;
}

std::optional<std::string> format_time(std::int64_t micros)
{
    if (micros < 0 || micros > day_microseconds)
        return std::nullopt;
    const auto seconds = micros / 1'000'000;
    char text[32];
    std::snprintf(text,
                  sizeof text,
                  "%02d:%02d:%02d",
                  static_cast<int>(seconds / 3600),
                  static_cast<int>(seconds / 60 % 60),
                  static_cast<int>(seconds % 60));
    std::string out = text;
    append_fraction(out, micros % 1'000'000);
    return out;
}

std::optional<std::string> format_timestamp(std::int64_t micros)
{
    if (micros == timestamp_infinity)
        return "infinity";
    if (micros == timestamp_minus_infinity)
        return "-infinity";
    auto day_count = micros / day_microseconds;
    auto within = micros % day_microseconds;
    if (within < 0) {
        within += day_microseconds;
        --day_count;
    }
    auto date = format_date(static_cast<std::int32_t>(day_count));
    if (!date)
        return std::nullopt;
    return *date + ' ' + *format_time(within);
}

}  // namespace sluice::pg
