// drivers/sqlite/text_functions.cpp: PostgreSQL's functions on text and time that applications use
// most and SQLite lacks.
#include <algorithm>
#include <array>
#include <memory>
#include <random>

#include "drivers/sqlite/catalog.hpp"
#include "drivers/sqlite/function_call.hpp"
#include "drivers/sqlite/pattern.hpp"
#include "proto/pg/timestamp.hpp"

namespace sluice::sqlite {
namespace {

bool too_long(sqlite3_context* call, std::size_t size)
{
    const auto most = sqlite3_limit(sqlite3_context_db_handle(call), SQLITE_LIMIT_LENGTH, -1);
    if (size <= static_cast<std::size_t>(most))
        return false;
    sqlite3_result_error_toobig(call);
    return true;
}

bool stopped(void* data) noexcept
{
    const auto* control = static_cast<handle*>(data)->control;
    return control &&
           (control->cause.load(std::memory_order_relaxed) != stop_cause::none ||
            (control->deadline != clock::time_point::max() && clock::now() >= control->deadline));
}

// text REGEXP pattern
void regexp(sqlite3_context* call, int, arguments given)
{
    if (is_null(given[0]) || is_null(given[1]))
        return;
    auto* known = static_cast<pattern*>(sqlite3_get_auxdata(call, 0));
    std::unique_ptr<pattern> fresh;
    if (!known) {
        std::string error;
        fresh = std::make_unique<pattern>(pattern::compile(text_of(given[0]), error));
        if (!error.empty())
            return refuse(call, "invalid regular expression: " + error);
        known = fresh.get();
    }
    auto& on = handle_of(call);
    const bool found = known->found_in(text_of(given[1]), stopped, &on);
    if (!found && stopped(&on))
        return sqlite3_result_error_code(call, SQLITE_INTERRUPT);
    sqlite3_result_int(call, found);
    if (fresh)
        sqlite3_set_auxdata(
            call, 0, fresh.release(), [](void* p) { delete static_cast<pattern*>(p); });
}

void concat(sqlite3_context* call, int count, arguments given)
{
    std::string out;
    for (int i = 0; i < count; ++i)
        out += text_of(given[i]);
    if (!too_long(call, out.size()))
        answer(call, out);
}

void concat_ws(sqlite3_context* call, int count, arguments given)
{
    if (count == 0 || is_null(given[0]))
        return;
    std::string out;
    bool first = true;
    for (int i = 1; i < count; ++i) {
        if (is_null(given[i]))
            continue;
        if (!std::exchange(first, false))
            out += text_of(given[0]);
        out += text_of(given[i]);
    }
    if (!too_long(call, out.size()))
        answer(call, out);
}

bool any_null(int count, arguments given) noexcept
{
    return std::any_of(given, given + count, is_null);
}

// Offsets of characters, with the end's behind them.
std::vector<std::size_t> characters(std::string_view text)
{
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < text.size(); ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
            out.push_back(i);
    out.push_back(text.size());
    return out;
}

template <bool Left>
void part(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto text = text_of(given[0]);
    const auto at = characters(text);
    const auto length = static_cast<std::int64_t>(at.size()) - 1;
    std::int64_t n = sqlite3_value_int64(given[1]);
    n = n < 0 ? std::max<std::int64_t>(length + std::max(n, -length), 0) : std::min(n, length);
    const auto cut = at[static_cast<std::size_t>(Left ? n : length - n)];
    answer(call, Left ? text.substr(0, cut) : text.substr(cut));
}

template <bool Left>
void pad(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto text = text_of(given[0]);
    const auto fill = count > 2 ? text_of(given[2]) : std::string_view(" ");
    const auto at = characters(text);
    const auto fill_at = characters(fill);
    const auto wanted = std::max<std::int64_t>(sqlite3_value_int64(given[1]), 0);
    const auto length = static_cast<std::int64_t>(at.size()) - 1;
    if (wanted <= length)
        return answer(call, text.substr(0, at[static_cast<std::size_t>(wanted)]));
    if (fill.empty())
        return answer(call, text);
    if (too_long(call, static_cast<std::size_t>(wanted)))
        return;
    std::string padding;
    const auto fills = fill_at.size() - 1;
    for (std::int64_t i = 0; i < wanted - length; ++i) {
        const auto which = static_cast<std::size_t>(i) % fills;
        padding += fill.substr(fill_at[which], fill_at[which + 1] - fill_at[which]);
    }
    if (!too_long(call, padding.size() + text.size()))
        answer(call, Left ? padding + std::string(text) : std::string(text) + padding);
}

void repeat(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto text = text_of(given[0]);
    const auto times = std::max<std::int64_t>(sqlite3_value_int64(given[1]), 0);
    const auto limit = sqlite3_limit(sqlite3_context_db_handle(call), SQLITE_LIMIT_LENGTH, -1);
    if (!text.empty() && times > limit / static_cast<std::int64_t>(text.size()))
        return sqlite3_result_error_toobig(call);
    std::string out;
    for (std::int64_t i = 0; i < times; ++i)
        out += text;
    answer(call, out);
}

void reverse(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto text = text_of(given[0]);
    const auto at = characters(text);
    std::string out;
    for (std::size_t i = at.size() - 1; i-- > 0;)
        out += text.substr(at[i], at[i + 1] - at[i]);
    answer(call, out);
}

void split_part(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto text = text_of(given[0]);
    const auto by = text_of(given[1]);
    auto wanted = sqlite3_value_int64(given[2]);
    if (wanted < 1)
        return refuse(call, "field position must be greater than zero");
    std::size_t from = 0;
    for (;;) {
        const auto end = by.empty() ? text.size() : std::min(text.find(by, from), text.size());
        if (--wanted == 0)
            return answer(call, text.substr(from, end - from));
        if (end == text.size())
            return answer(call, {});
        from = end + by.size();
    }
}

void initcap(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    std::string out(text_of(given[0]));
    bool inside = false;
    for (char& c : out) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter)
            c = static_cast<char>(inside ? c | 0x20 : c & ~0x20);
        inside = letter || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    }
    answer(call, out);
}

void starts_with(sqlite3_context* call, int count, arguments given)
{
    if (!any_null(count, given))
        sqlite3_result_int(call, text_of(given[0]).starts_with(text_of(given[1])));
}
void byte_length(sqlite3_context* call, int count, arguments given)
{
    if (!any_null(count, given))
        sqlite3_result_int64(call, sqlite3_value_bytes(given[0]));
}
void first_character(sqlite3_context* call, int count, arguments given)
{
    if (!any_null(count, given))
        sqlite3_result_int(
            call, text_of(given[0]).empty() ? 0 : static_cast<unsigned char>(text_of(given[0])[0]));
}

// position(a IN b), strpos(b, a): in characters from 1, 0 for none.
void position(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto at = text_of(given[1]).find(text_of(given[0]));
    const auto found =
        at == std::string_view::npos
            ? 0
            : static_cast<std::int64_t>(characters(text_of(given[1]).substr(0, at)).size());
    sqlite3_result_int64(call, found);
}
void strpos(sqlite3_context* call, int count, arguments given)
{
    sqlite3_value* swapped[] = {given[1], given[0]};
    position(call, count, swapped);
}

// trim(both 'x' from y) as pg_trim('both', 'x', y).
void trim(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto side = text_of(given[0]);
    const auto set = text_of(given[1]);
    auto text = text_of(given[2]);
    if (side != "trailing")
        text.remove_prefix(std::min(text.find_first_not_of(set), text.size()));
    if (side != "leading")
        text = text.substr(0, text.find_last_not_of(set) + 1);
    answer(call, text);
}

void to_hex(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    char digits[24];
    std::snprintf(digits,
                  sizeof digits,
                  "%llx",
                  static_cast<unsigned long long>(sqlite3_value_int64(given[0])));
    answer(call, digits);
}

void random_uuid(sqlite3_context* call, int, arguments)
{
    unsigned char bytes[16];
    sqlite3_randomness(sizeof bytes, bytes);
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
    char text[37];
    char* at = text;
    for (int i = 0; i < 16; ++i)
        at += std::snprintf(
            at, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
    answer(call, std::string_view(text, 36));
}

// Days and microseconds of the day since 2000-01-01, from a date or a timestamp.
std::optional<std::int64_t> moment_of(sqlite3_value* v)
{
    const auto text = text_of(v);
    if (const auto whole = pg::parse_timestamp(text))
        return whole;
    if (const auto days = pg::parse_date(text))
        return *days * pg::day_microseconds;
    return std::nullopt;
}

struct calendar {
    std::int64_t year;
    int month;
    int day;
    std::int64_t days;  // since 2000-01-01
    std::int64_t micros;
};

// Civil from days, Howard Hinnant's algorithm (days since 1970-01-01).
calendar calendar_of(std::int64_t moment)
{
    calendar out{};
    out.days = moment / pg::day_microseconds;
    out.micros = moment % pg::day_microseconds;
    if (out.micros < 0) {
        out.micros += pg::day_microseconds;
        --out.days;
    }
    const std::int64_t z = out.days + 10957 + 719468;
    const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const auto doe = z - era * 146097;
    const auto yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const auto doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const auto mp = (5 * doy + 2) / 153;
    out.day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
    out.month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
    out.year = yoe + era * 400 + (out.month <= 2);
    return out;
}

std::int64_t days_of(std::int64_t year, int month, int day)
{
    year -= month <= 2;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const auto yoe = year - era * 400;
    const auto doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const auto doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468 - 10957;
}

int weekday(std::int64_t days) noexcept  // 0: Sunday; 2000-01-01 was a Saturday
{
    return static_cast<int>(((days + 6) % 7 + 7) % 7);
}

// The Thursday of a week says to which year it belongs (ISO 8601).
std::pair<std::int64_t, std::int64_t> iso_week(std::int64_t days)
{
    const auto thursday = days - (weekday(days) + 6) % 7 + 3;
    const auto year = calendar_of(thursday * pg::day_microseconds).year;
    return {year, (thursday - days_of(year, 1, 1)) / 7 + 1};
}

std::string lower_text(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    return out;
}

void date_part(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto field = lower_text(text_of(given[0]));
    const auto moment = moment_of(given[1]);
    if (!moment)
        return refuse(call, "this is no date or timestamp");
    const auto c = calendar_of(*moment);
    const auto seconds = c.micros / 1'000'000;
    if (field == "year")
        return sqlite3_result_int64(call, c.year);
    if (field == "month")
        return sqlite3_result_int64(call, c.month);
    if (field == "day")
        return sqlite3_result_int64(call, c.day);
    if (field == "quarter")
        return sqlite3_result_int64(call, (c.month + 2) / 3);
    if (field == "hour")
        return sqlite3_result_int64(call, seconds / 3600);
    if (field == "minute")
        return sqlite3_result_int64(call, seconds / 60 % 60);
    if (field == "second")
        return sqlite3_result_double(call, static_cast<double>(c.micros % 60'000'000) / 1e6);
    if (field == "dow")
        return sqlite3_result_int64(call, weekday(c.days));
    if (field == "isodow")
        return sqlite3_result_int64(call, (weekday(c.days) + 6) % 7 + 1);
    if (field == "doy")
        return sqlite3_result_int64(call, c.days - days_of(c.year, 1, 1) + 1);
    if (field == "week")
        return sqlite3_result_int64(call, iso_week(c.days).second);
    if (field == "isoyear")
        return sqlite3_result_int64(call, iso_week(c.days).first);
    if (field == "epoch")
        return sqlite3_result_double(call, static_cast<double>(*moment) / 1e6 + 10957.0 * 86400.0);
    refuse(call, "date_part knows no field \"" + field + '"');
}

void date_trunc(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto field = lower_text(text_of(given[0]));
    const auto moment = moment_of(given[1]);
    if (!moment)
        return refuse(call, "this is no date or timestamp");
    const auto c = calendar_of(*moment);
    const auto day = c.days * pg::day_microseconds;
    std::int64_t out = 0;
    if (field == "year")
        out = days_of(c.year, 1, 1) * pg::day_microseconds;
    else if (field == "quarter")
        out = days_of(c.year, (c.month - 1) / 3 * 3 + 1, 1) * pg::day_microseconds;
    else if (field == "month")
        out = days_of(c.year, c.month, 1) * pg::day_microseconds;
    else if (field == "week")
        out = (c.days - (weekday(c.days) + 6) % 7) * pg::day_microseconds;
    else if (field == "day")
        out = day;
    else if (field == "hour")
        out = day + c.micros / 3'600'000'000 * 3'600'000'000;
    else if (field == "minute")
        out = day + c.micros / 60'000'000 * 60'000'000;
    else if (field == "second")
        out = day + c.micros / 1'000'000 * 1'000'000;
    else
        return refuse(call, "date_trunc knows no field \"" + field + '"');
    if (const auto text = pg::format_timestamp(out))
        answer(call, *text);
}

constexpr function functions[] = {
    {"regexp", 2, regexp},
    {"concat", -1, concat},
    {"concat_ws", -1, concat_ws},
    {"pg_left", 2, part<true>},
    {"pg_right", 2, part<false>},
    {"lpad", 2, pad<true>},
    {"lpad", 3, pad<true>},
    {"rpad", 2, pad<false>},
    {"rpad", 3, pad<false>},
    {"repeat", 2, repeat},
    {"reverse", 1, reverse},
    {"split_part", 3, split_part},
    {"initcap", 1, initcap},
    {"starts_with", 2, starts_with},
    {"octet_length", 1, byte_length},
    {"ascii", 1, first_character},
    {"pg_position", 2, position},
    {"strpos", 2, strpos},
    {"pg_trim", 3, trim},
    {"to_hex", 1, to_hex},
    {"gen_random_uuid", 0, random_uuid},
    {"date_part", 2, date_part},
    {"date_trunc", 2, date_trunc},
};

}  // namespace

void add_text_functions(handle& on)
{
    add_functions(on, functions);
}

}  // namespace sluice::sqlite
