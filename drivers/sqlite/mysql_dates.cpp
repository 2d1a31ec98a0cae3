// drivers/sqlite/mysql_dates.cpp: MySQL's date and time functions on ISO 8601 text.
#include "drivers/sqlite/mysql_dates.hpp"

#include <sqlite3.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "proto/pg/timestamp.hpp"

namespace sluice::sqlite {
namespace {

using arguments = sqlite3_value**;
namespace chrono = std::chrono;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t epoch_2000 = 946'684'800;  // of Unix, in seconds
constexpr std::array<std::string_view, 7> day_names{
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> month_names{"January",
                                                       "February",
                                                       "March",
                                                       "April",
                                                       "May",
                                                       "June",
                                                       "July",
                                                       "August",
                                                       "September",
                                                       "October",
                                                       "November",
                                                       "December"};

void answer(sqlite3_context* call, std::string_view text) noexcept
{
    sqlite3_result_text64(call, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

std::string_view argument(sqlite3_value* v) noexcept
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(v));
    return {text ? text : "", static_cast<std::size_t>(sqlite3_value_bytes(v))};
}

// Microseconds since 2000-01-01.
std::optional<std::int64_t> moment(sqlite3_value* v)
{
    if (sqlite3_value_type(v) == SQLITE_NULL)
        return std::nullopt;
    const auto text = argument(v);
    if (auto whole = pg::parse_timestamp(text))
        return whole;
    return pg::parse_time(text);  // a time alone: on the first day
}

std::int64_t now_micros()
{
    const auto since = chrono::system_clock::now().time_since_epoch();
    return chrono::duration_cast<chrono::microseconds>(since).count() - epoch_2000 * second;
}

struct parts {
    chrono::year_month_day date;
    unsigned weekday = 0;  // Sunday is 0
    int day_of_year = 0;   // from 1
    std::int64_t micros = 0;

    int year() const { return int(date.year()); }
    unsigned month() const { return unsigned(date.month()); }
    unsigned day() const { return unsigned(date.day()); }
    int hour() const { return static_cast<int>(micros / (3600 * second)); }
    int minute() const { return static_cast<int>(micros / (60 * second) % 60); }
    int seconds() const { return static_cast<int>(micros / second % 60); }
};

parts parts_of(std::int64_t at)
{
    auto days = at / pg::day_microseconds;
    auto micros = at % pg::day_microseconds;
    if (micros < 0) {
        micros += pg::day_microseconds;
        --days;
    }
    const chrono::sys_days day =
        chrono::sys_days(chrono::year(2000) / 1 / 1) + chrono::days(static_cast<int>(days));
    parts out;
    out.date = chrono::year_month_day(day);
    out.weekday = chrono::weekday(day).c_encoding();
    out.day_of_year =
        static_cast<int>((day - chrono::sys_days(out.date.year() / 1 / 1)).count() + 1);
    out.micros = micros;
    return out;
}

std::int64_t micros_of(chrono::year_month_day date, std::int64_t micros)
{
    const auto days =
        (chrono::sys_days(date) - chrono::sys_days(chrono::year(2000) / 1 / 1)).count();
    return std::int64_t{days} * pg::day_microseconds + micros;
}

// A date stays a date where nothing of a day was added.
std::string shown(std::int64_t at, bool date_only)
{
    if (date_only)
        return pg::format_date(static_cast<std::int32_t>(at / pg::day_microseconds -
                                                         (at % pg::day_microseconds < 0)))
            .value_or("");
    return pg::format_timestamp(at).value_or("");
}

std::int64_t unit_micros(std::string_view unit) noexcept
{
    if (unit == "microsecond")
        return 1;
    if (unit == "second")
        return second;
    if (unit == "minute")
        return 60 * second;
    if (unit == "hour")
        return 3600 * second;
    if (unit == "day")
        return pg::day_microseconds;
    if (unit == "week")
        return 7 * pg::day_microseconds;
    return 0;
}

int unit_months(std::string_view unit) noexcept
{
    return unit == "month" ? 1 : unit == "quarter" ? 3 : unit == "year" ? 12 : 0;
}

std::int64_t add_months(std::int64_t at, std::int64_t months)
{
    const auto p = parts_of(at);
    auto target = p.date + chrono::months(static_cast<int>(months));
    if (!target.ok())
        target = target.year() / target.month() / chrono::last;
    return micros_of(target, p.micros);
}

// date_add(x, n, 'unit')
void add(sqlite3_context* call, arguments given, int sign)
{
    constexpr double amount_max = 1e12;
    const auto at = moment(given[0]);
    const double amount = sqlite3_value_double(given[1]) * sign;
    const auto unit = argument(given[2]);
    if (!at || sqlite3_value_type(given[1]) == SQLITE_NULL || std::abs(amount) > amount_max)
        return;
    const bool date_only = argument(given[0]).size() <= 10;
    if (const int months = unit_months(unit); months != 0) {
        const auto count = static_cast<std::int64_t>(amount) * months;
        if (std::abs(count) <= 12 * 10000)
            answer(call, shown(add_months(*at, count), date_only));
        return;
    }
    const auto micros = unit_micros(unit);
    if (micros == 0)
        return sqlite3_result_error(
            call, "intervals of several units are not available for SQLite databases", -1);
    const double moved = amount * static_cast<double>(micros);
    if (std::abs(moved) < 1e18)
        answer(call,
               shown(*at + static_cast<std::int64_t>(moved),
                     date_only && micros >= pg::day_microseconds));
}

void date_add(sqlite3_context* call, int count, arguments given)
{
    if (count == 3)
        return add(call, given, 1);
}
void date_sub(sqlite3_context* call, int count, arguments given)
{
    if (count == 3)
        return add(call, given, -1);
}

void date_diff(sqlite3_context* call, int, arguments given)
{
    const auto a = moment(given[0]);
    const auto b = moment(given[1]);
    if (!a || !b)
        return;
    const auto day = [](std::int64_t at) {
        return at / pg::day_microseconds - (at % pg::day_microseconds < 0);
    };
    sqlite3_result_int64(call, day(*a) - day(*b));
}

// timestampdiff('unit', from, to)
void timestamp_diff(sqlite3_context* call, int, arguments given)
{
    const auto unit = argument(given[0]);
    const auto from = moment(given[1]);
    const auto to = moment(given[2]);
    if (!from || !to)
        return;
    if (const int months = unit_months(unit); months != 0) {
        const auto a = parts_of(*from);
        const auto b = parts_of(*to);
        std::int64_t whole =
            (b.year() - a.year()) * 12 + static_cast<int>(b.month()) - static_cast<int>(a.month());
        if (whole > 0 && add_months(*from, whole) > *to)
            --whole;
        if (whole < 0 && add_months(*from, whole) < *to)
            ++whole;
        return sqlite3_result_int64(call, whole / months);
    }
    if (const auto micros = unit_micros(unit); micros != 0)
        sqlite3_result_int64(call, (*to - *from) / micros);
}

std::optional<std::int64_t> part(std::int64_t at, std::string_view unit)
{
    const auto p = parts_of(at);
    if (unit == "year")
        return p.year();
    if (unit == "quarter")
        return (p.month() - 1) / 3 + 1;
    if (unit == "month")
        return p.month();
    if (unit == "day")
        return p.day();
    if (unit == "hour")
        return p.hour();
    if (unit == "minute")
        return p.minute();
    if (unit == "second")
        return p.seconds();
    if (unit == "microsecond")
        return p.micros % second;
    if (unit == "dayofweek")
        return p.weekday + 1;
    if (unit == "weekday")
        return (p.weekday + 6) % 7;
    if (unit == "dayofyear")
        return p.day_of_year;
    if (unit == "week")
        return (p.day_of_year + 6 - static_cast<int>(p.weekday)) / 7;
    return std::nullopt;
}

void extract(sqlite3_context* call, int, arguments given)
{
    const auto at = moment(given[1]);
    if (!at)
        return;
    if (const auto value = part(*at, argument(given[0])))
        sqlite3_result_int64(call, *value);
}

template <const char* unit>
void part_function(sqlite3_context* call, int, arguments given)
{
    if (const auto at = moment(given[0]))
        if (const auto value = part(*at, unit))
            sqlite3_result_int64(call, *value);
}

void last_day(sqlite3_context* call, int, arguments given)
{
    const auto at = moment(given[0]);
    if (!at)
        return;
    const auto p = parts_of(*at);
    answer(call, shown(micros_of(p.date.year() / p.date.month() / chrono::last, 0), true));
}

void day_name(sqlite3_context* call, int, arguments given)
{
    if (const auto at = moment(given[0]))
        answer(call, day_names[parts_of(*at).weekday]);
}

void month_name(sqlite3_context* call, int, arguments given)
{
    if (const auto at = moment(given[0]))
        answer(call, month_names[parts_of(*at).month() - 1]);
}

std::string padded(std::int64_t n, int width)
{
    std::array<char, 32> room{};
    std::snprintf(room.data(), room.size(), "%0*d", width, static_cast<int>(n));
    return room.data();
}

std::string ordinal(unsigned day)
{
    const bool teen = day >= 11 && day <= 13;
    const unsigned last = teen ? 0 : day % 10;
    return std::to_string(day) + (last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th");
}

// One letter of DATE_FORMAT's format.
std::string formatted(const parts& p, char letter)
{
    const int hour12 = p.hour() % 12 == 0 ? 12 : p.hour() % 12;
    switch (letter) {
        case 'Y':
            return padded(p.year(), 4);
        case 'y':
            return padded(p.year() % 100, 2);
        case 'm':
            return padded(p.month(), 2);
        case 'c':
            return std::to_string(p.month());
        case 'M':
            return std::string(month_names[p.month() - 1]);
        case 'b':
            return std::string(month_names[p.month() - 1].substr(0, 3));
        case 'd':
            return padded(p.day(), 2);
        case 'e':
            return std::to_string(p.day());
        case 'D':
            return ordinal(p.day());
        case 'j':
            return padded(p.day_of_year, 3);
        case 'W':
            return std::string(day_names[p.weekday]);
        case 'a':
            return std::string(day_names[p.weekday].substr(0, 3));
        case 'w':
            return std::to_string(p.weekday);
        case 'U':
            return padded((p.day_of_year + 6 - static_cast<int>(p.weekday)) / 7, 2);
        case 'u':
            return padded((p.day_of_year + 6 - static_cast<int>((p.weekday + 6) % 7)) / 7, 2);
        case 'H':
            return padded(p.hour(), 2);
        case 'k':
            return std::to_string(p.hour());
        case 'h':
        case 'I':
            return padded(hour12, 2);
        case 'l':
            return std::to_string(hour12);
        case 'i':
            return padded(p.minute(), 2);
        case 's':
        case 'S':
            return padded(p.seconds(), 2);
        case 'f':
            return padded(p.micros % second, 6);
        case 'p':
            return p.hour() < 12 ? "AM" : "PM";
        case 'T':
            return padded(p.hour(), 2) + ":" + padded(p.minute(), 2) + ":" + padded(p.seconds(), 2);
        case 'r':
            return padded(hour12, 2) + ":" + padded(p.minute(), 2) + ":" + padded(p.seconds(), 2) +
                   (p.hour() < 12 ? " AM" : " PM");
        default:
            return std::string(1, letter);
    }
}

std::string format(std::int64_t at, std::string_view how)
{
    const auto p = parts_of(at);
    std::string out;
    for (std::size_t i = 0; i < how.size(); ++i) {
        if (how[i] == '%' && i + 1 < how.size())
            out += formatted(p, how[++i]);
        else
            out += how[i];
    }
    return out;
}

void date_format(sqlite3_context* call, int, arguments given)
{
    const auto at = moment(given[0]);
    if (at && sqlite3_value_type(given[1]) != SQLITE_NULL)
        answer(call, format(*at, argument(given[1])));
}

void unix_timestamp(sqlite3_context* call, int count, arguments given)
{
    if (count == 0)
        return sqlite3_result_int64(call, now_micros() / second + epoch_2000);
    const auto at = moment(given[0]);
    if (!at)
        return;
    if (*at % second == 0)
        return sqlite3_result_int64(call, *at / second + epoch_2000);
    sqlite3_result_double(call,
                          static_cast<double>(*at) / static_cast<double>(second) + epoch_2000);
}

void from_unixtime(sqlite3_context* call, int count, arguments given)
{
    constexpr double seconds_max = 253'402'300'799.0;  // the year 9999
    if (sqlite3_value_type(given[0]) == SQLITE_NULL)
        return;
    const double seconds = sqlite3_value_double(given[0]);
    if (seconds < 0 || seconds > seconds_max)
        return;
    const auto at = static_cast<std::int64_t>((seconds - epoch_2000) * 1e6);
    if (count == 2)
        answer(call, format(at, argument(given[1])));
    else
        answer(call, shown(at, false));
}

// Only what is no conversion: there is no table of time zones here.
void convert_tz(sqlite3_context* call, int, arguments given)
{
    const auto utc = [](std::string_view zone) {
        return zone == "UTC" || zone == "+00:00" || zone == "SYSTEM" || zone == "GMT";
    };
    const auto from = argument(given[1]);
    const auto to = argument(given[2]);
    if (moment(given[0]) && (from == to || (utc(from) && utc(to))))
        sqlite3_result_value(call, given[0]);
}

constexpr char year_unit[] = "year";
constexpr char quarter_unit[] = "quarter";
constexpr char month_unit[] = "month";
constexpr char week_unit[] = "week";
constexpr char day_unit[] = "day";
constexpr char hour_unit[] = "hour";
constexpr char minute_unit[] = "minute";
constexpr char second_unit[] = "second";
constexpr char micro_unit[] = "microsecond";
constexpr char dayofweek_unit[] = "dayofweek";
constexpr char weekday_unit[] = "weekday";
constexpr char dayofyear_unit[] = "dayofyear";

struct function {
    const char* name;
    int arity;
    void (*call)(sqlite3_context*, int, arguments);
};

constexpr function functions[] = {
    {"date_add", 3, date_add},
    {"date_sub", 3, date_sub},
    {"datediff", 2, date_diff},
    {"timestampdiff", 3, timestamp_diff},
    {"extract", 2, extract},
    {"year", 1, part_function<year_unit>},
    {"quarter", 1, part_function<quarter_unit>},
    {"month", 1, part_function<month_unit>},
    {"week", 1, part_function<week_unit>},
    {"dayofmonth", 1, part_function<day_unit>},
    {"hour", 1, part_function<hour_unit>},
    {"minute", 1, part_function<minute_unit>},
    {"second", 1, part_function<second_unit>},
    {"microsecond", 1, part_function<micro_unit>},
    {"dayofweek", 1, part_function<dayofweek_unit>},
    {"weekday", 1, part_function<weekday_unit>},
    {"dayofyear", 1, part_function<dayofyear_unit>},
    {"last_day", 1, last_day},
    {"dayname", 1, day_name},
    {"monthname", 1, month_name},
    {"date_format", 2, date_format},
    {"unix_timestamp", 0, unix_timestamp},
    {"unix_timestamp", 1, unix_timestamp},
    {"from_unixtime", 1, from_unixtime},
    {"from_unixtime", 2, from_unixtime},
    {"convert_tz", 3, convert_tz},
};

}  // namespace

void add_mysql_dates(sqlite3* db)
{
    for (const auto& f : functions)
        sqlite3_create_function_v2(db,
                                   f.name,
                                   f.arity,
                                   SQLITE_UTF8 | SQLITE_INNOCUOUS,
                                   nullptr,
                                   f.call,
                                   nullptr,
                                   nullptr,
                                   nullptr);
}

}  // namespace sluice::sqlite
