// proto/mysql/times.cpp: dates and times as text and in MySQL's binary form.
#include "proto/mysql/times.hpp"

#include <array>
#include <chrono>
#include <cstdio>

#include "proto/pg/timestamp.hpp"

namespace sluice::mysql {
namespace {

constexpr std::int64_t second_micros = 1'000'000;
constexpr std::int64_t minute_micros = 60 * second_micros;
constexpr std::int64_t hour_micros = 60 * minute_micros;
constexpr std::int64_t duration_hours_max = 838;

struct moment {
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    std::int64_t micros = 0;  // since midnight
};

moment moment_of(std::int64_t since_2000)
{
    using namespace std::chrono;
    auto days_ = since_2000 / pg::day_microseconds;
    auto micros = since_2000 % pg::day_microseconds;
    if (micros < 0) {
        micros += pg::day_microseconds;
        --days_;
    }
    const sys_days midnight =
        sys_days(std::chrono::year(2000) / 1 / 1) + days(static_cast<int>(days_));
    const year_month_day date(midnight);
    return {int(date.year()), unsigned(date.month()), unsigned(date.day()), micros};
}

// "HH:MM:SS[.ffffff]" with at least `decimals` digits behind the point.
void append_clock(std::string& out, std::int64_t micros, std::uint8_t decimals)
{
    std::array<char, 48> room{};
    std::snprintf(room.data(),
                  room.size(),
                  "%02d:%02d:%02d",
                  static_cast<int>(micros / hour_micros),
                  static_cast<int>(micros / minute_micros % 60),
                  static_cast<int>(micros / second_micros % 60));
    out += room.data();
    std::snprintf(room.data(), room.size(), ".%06d", static_cast<int>(micros % second_micros));
    std::string fraction = room.data();
    const std::size_t least = decimals <= 6 ? decimals : 0;
    while (fraction.size() > least + 1 && fraction.back() == '0')
        fraction.pop_back();
    if (fraction.size() > 1)
        out += fraction;
}

void append_clock_bytes(byte_queue& out, std::int64_t micros, bool days)
{
    if (days) {
        store_le(out.grow(4), static_cast<std::uint32_t>(micros / pg::day_microseconds));
        micros %= pg::day_microseconds;
    }
    out.append_byte(static_cast<char>(micros / hour_micros));
    out.append_byte(static_cast<char>(micros / minute_micros % 60));
    out.append_byte(static_cast<char>(micros / second_micros % 60));
    if (const auto fraction = micros % second_micros; fraction != 0)
        store_le(out.grow(4), static_cast<std::uint32_t>(fraction));
}

void append_date_bytes(byte_queue& out, const moment& at)
{
    store_le(out.grow(2), static_cast<std::uint16_t>(at.year));
    out.append_byte(static_cast<char>(at.month));
    out.append_byte(static_cast<char>(at.day));
}

void append_moment_bytes(byte_queue& out, const moment& at, bool date_only)
{
    const bool fraction = at.micros % second_micros != 0;
    const int length = date_only || at.micros == 0 ? 4 : fraction ? 11 : 7;
    out.append_byte(static_cast<char>(length));
    append_date_bytes(out, at);
    if (length > 4)
        append_clock_bytes(out, at.micros, false);
}

conversion append_duration(byte_queue& out,
                           std::string_view text,
                           const value_shape& shape,
                           row_format format)
{
    const auto parsed = parse_duration(text);
    if (!parsed)
        return conversion::not_a_time;
    const bool negative = *parsed < 0;
    const auto micros = negative ? -*parsed : *parsed;
    if (format == row_format::text) {
        std::string shown = negative ? "-" : "";
        append_clock(shown, micros, shape.decimals);
        append_lenenc_string(out, as_bytes(shown));
        return conversion::ok;
    }
    if (micros == 0) {
        out.append_byte('\0');
        return conversion::ok;
    }
    out.append_byte(micros % second_micros != 0 ? '\x0c' : '\x08');
    out.append_byte(negative ? '\1' : '\0');
    append_clock_bytes(out, micros, true);
    return conversion::ok;
}

std::string date_text(int year, unsigned month, unsigned day)
{
    std::array<char, 48> room{};
    std::snprintf(room.data(), room.size(), "%04d-%02u-%02u", year, month, day);
    return room.data();
}

bool valid_date(unsigned year, unsigned month, unsigned day) noexcept
{
    return year <= 9999 && month <= 12 && day <= 31;
}

// hour, minute, second and perhaps microseconds, as long as `length` bytes in all say.
conversion read_clock(field_reader& in, bool micros_too, std::int64_t& micros)
{
    const std::int64_t hour = in.u8();
    const std::int64_t minute = in.u8();
    const std::int64_t second = in.u8();
    const std::int64_t fraction = micros_too ? in.u32() : 0;
    if (hour > 23 || minute > 59 || second > 59 || fraction >= second_micros)
        return conversion::not_a_time;
    micros = hour * hour_micros + minute * minute_micros + second * second_micros + fraction;
    return conversion::ok;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) noexcept
{
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+'))
        text.remove_prefix(1);
    const auto colon = text.find(':');
    if (colon == 0 || colon > 3)
        return std::nullopt;
    std::int64_t hours = 0;
    for (const char c : text.substr(0, colon)) {
        if (c < '0' || c > '9')
            return std::nullopt;
        hours = hours * 10 + (c - '0');
    }
    // The rest is a time of day: let the hour be any valid one.
    std::array<char, 40> room{};
    const auto rest = text.substr(colon);
    if (rest.size() + 2 > room.size() || hours > duration_hours_max)
        return std::nullopt;
    room[0] = room[1] = '0';
    rest.copy(room.data() + 2, rest.size());
    const auto clock = pg::parse_time({room.data(), rest.size() + 2});
    if (!clock)
        return std::nullopt;
    const auto micros = hours * hour_micros + *clock;
    return negative ? -micros : micros;
}

conversion append_time(byte_queue& out,
                       std::string_view text,
                       const value_shape& shape,
                       row_format format)
{
    if (shape.type == column_type::time)
        return append_duration(out, text, shape, format);
    const bool date_only = shape.type == column_type::date;
    if (text.starts_with("0000-00-00")) {
        if (format == row_format::text)
            append_lenenc_string(out, as_bytes(date_only ? text.substr(0, 10) : text));
        else
            out.append_byte('\0');
        return conversion::ok;
    }
    const auto parsed = pg::parse_timestamp(text);
    if (!parsed || *parsed == pg::timestamp_infinity || *parsed == pg::timestamp_minus_infinity)
        return conversion::not_a_time;
    // A date column that was given a date and time holds both in SQLite; a server drops the time.
    const auto at = moment_of(*parsed);
    if (format == row_format::binary) {
        append_moment_bytes(out, at, date_only);
        return conversion::ok;
    }
    auto shown = date_text(at.year, at.month, at.day);
    if (!date_only) {
        shown += ' ';
        append_clock(shown, at.micros, shape.decimals);
    }
    append_lenenc_string(out, as_bytes(shown));
    return conversion::ok;
}

conversion read_datetime(field_reader& in, bool date_only, bound_value& out)
{
    const auto length = in.u8();
    if (length != 0 && length != 4 && length != 7 && length != 11)
        return conversion::not_a_time;
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    if (length > 0) {
        year = in.u16();
        month = in.u8();
        day = in.u8();
    }
    std::int64_t micros = 0;
    if (length > 4) {
        if (const auto failed = read_clock(in, length == 11, micros); failed != conversion::ok)
            return failed;
    }
    if (!valid_date(year, month, day))
        return conversion::not_a_time;
    auto text = date_text(static_cast<int>(year), month, day);
    if (!date_only) {
        text += ' ';
        append_clock(text, micros, 0);
    }
    out = std::move(text);
    return conversion::ok;
}

conversion read_duration(field_reader& in, bound_value& out)
{
    const auto length = in.u8();
    if (length != 0 && length != 8 && length != 12)
        return conversion::not_a_time;
    bool negative = false;
    std::int64_t micros = 0;
    if (length > 0) {
        negative = in.u8() != 0;
        const std::int64_t days = in.u32();
        if (const auto failed = read_clock(in, length == 12, micros); failed != conversion::ok)
            return failed;
        if (days > duration_hours_max / 24)
            return conversion::out_of_range;
        micros += days * pg::day_microseconds;
    }
    std::string text = negative ? "-" : "";
    append_clock(text, micros, 0);
    out = std::move(text);
    return conversion::ok;
}

}  // namespace sluice::mysql
