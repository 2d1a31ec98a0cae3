// drivers/sqlite/mysql_functions.cpp: SQL functions that MySQL's clients expect and SQLite lacks:
// text, and what MySQL's catalogs say about a declared type. Dates: mysql_dates.cpp.
#include "drivers/sqlite/mysql_functions.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <string_view>

#include "drivers/sqlite/mysql_dates.hpp"
#include "proto/mysql/column_types.hpp"

namespace sluice::sqlite {
namespace {

using arguments = sqlite3_value**;

void answer(sqlite3_context* call, std::string_view text) noexcept
{
    sqlite3_result_text64(call, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

std::string_view argument(sqlite3_value* v) noexcept
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(v));
    return {text ? text : "", static_cast<std::size_t>(sqlite3_value_bytes(v))};
}

bool any_null(int count, arguments given) noexcept
{
    return std::any_of(given, given + count, [](sqlite3_value* v) {
        return sqlite3_value_type(v) == SQLITE_NULL;
    });
}

// Where character number `n` of UTF-8 begins, or the end.
std::size_t character_at(std::string_view text, std::int64_t n) noexcept
{
    std::size_t i = 0;
    for (; i < text.size() && n > 0; --n) {
        ++i;
        while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80)
            ++i;
    }
    return i;
}

std::int64_t characters_in(std::string_view text) noexcept
{
    return std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    });
}

// NULL if one of them is.
void concat(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    std::string out;
    for (int i = 0; i < count; ++i)
        out += argument(given[i]);
    answer(call, out);
}

void left(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto text = argument(given[0]);
    answer(call, text.substr(0, character_at(text, sqlite3_value_int64(given[1]))));
}

void right(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto text = argument(given[0]);
    const auto wanted = std::max<std::int64_t>(sqlite3_value_int64(given[1]), 0);
    answer(call, text.substr(character_at(text, characters_in(text) - wanted)));
}

void is_null(sqlite3_context* call, int, arguments given)
{
    sqlite3_result_int(call, sqlite3_value_type(given[0]) == SQLITE_NULL);
}

void random_fraction(sqlite3_context* call, int, arguments)
{
    thread_local std::mt19937_64 source{std::random_device{}()};
    sqlite3_result_double(call, std::uniform_real_distribution<double>(0.0, 1.0)(source));
}

// LOCATE(part, text [, from]); characters from 1.
void locate(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto part = argument(given[0]);
    const auto text = argument(given[1]);
    const auto from = count > 2 ? sqlite3_value_int64(given[2]) : 1;
    const auto found =
        from < 1 ? std::string_view::npos : text.find(part, character_at(text, from - 1));
    sqlite3_result_int64(
        call, found == std::string_view::npos ? 0 : characters_in(text.substr(0, found)) + 1);
}

// FIND_IN_SET('b', 'a,b,c')
void find_in_set(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto wanted = argument(given[0]);
    auto list = argument(given[1]);
    for (int place = 1; !list.empty(); ++place) {
        const auto comma = list.find(',');
        if (list.substr(0, comma) == wanted)
            return sqlite3_result_int(call, place);
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
    sqlite3_result_int(call, 0);
}

// FIELD(x, a, b, ...)
void field(sqlite3_context* call, int count, arguments given)
{
    int place = 0;
    if (count > 0 && sqlite3_value_type(given[0]) != SQLITE_NULL)
        for (int i = 1; i < count && place == 0; ++i)
            if (sqlite3_value_type(given[i]) != SQLITE_NULL &&
                argument(given[i]) == argument(given[0]))
                place = i;
    sqlite3_result_int(call, place);
}

void substring_index(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const auto text = argument(given[0]);
    const auto by = argument(given[1]);
    auto times = sqlite3_value_int64(given[2]);
    if (by.empty() || times == 0)
        return answer(call, {});
    if (times > 0) {
        std::size_t at = 0;
        for (;; at += by.size()) {
            at = text.find(by, at);
            if (at == std::string_view::npos)
                return answer(call, text);
            if (--times == 0)
                return answer(call, text.substr(0, at));
        }
    }
    std::size_t end = text.size();
    for (;;) {
        const auto at = end == 0 ? std::string_view::npos : text.rfind(by, end - 1);
        if (at == std::string_view::npos || at + by.size() > text.size())
            return answer(call, text);
        if (++times == 0)
            return answer(call, text.substr(at + by.size()));
        end = at;
    }
}

void unhex(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    std::string digits(argument(given[0]));
    if (digits.size() % 2 == 1)
        digits.insert(0, 1, '0');
    std::string bytes;
    const auto value = [](char c) {
        return c >= '0' && c <= '9'                     ? c - '0'
               : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                        : -1;
    };
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const int high = value(digits[i]);
        const int low = value(digits[i + 1]);
        if (high < 0 || low < 0)
            return;
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    sqlite3_result_blob64(call, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

void uuid(sqlite3_context* call, int, arguments)
{
    unsigned char b[16];
    sqlite3_randomness(sizeof b, b);
    b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x40);
    b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
    std::string out;
    for (int i = 0; i < 16; ++i) {
        static constexpr char digits[] = "0123456789abcdef";
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out += '-';
        out += digits[b[i] >> 4];
        out += digits[b[i] & 15];
    }
    answer(call, out);
}

void truncate(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    constexpr int places_max = 30;
    const int places = std::clamp(sqlite3_value_int(given[1]), -places_max, places_max);
    const double scale = std::pow(10.0, places);
    sqlite3_result_double(call, std::trunc(sqlite3_value_double(given[0]) * scale) / scale);
}

void compare(sqlite3_context* call, int count, arguments given)
{
    if (any_null(count, given))
        return;
    const int order = argument(given[0]).compare(argument(given[1]));
    sqlite3_result_int(call, order < 0 ? -1 : order > 0 ? 1 : 0);
}

// JSON_UNQUOTE(x): what a JSON string says; anything else as it is. (json_extract() of SQLite has
// taken the quotes off already, other than MySQL's.)
void json_unquote(sqlite3_context* call, int, arguments given)
{
    if (sqlite3_value_type(given[0]) == SQLITE_NULL)
        return;
    const auto text = argument(given[0]);
    sqlite3_stmt* asked = nullptr;
    if (text.size() > 1 && text.front() == '"' && text.back() == '"' &&
        sqlite3_prepare_v2(sqlite3_context_db_handle(call),
                           "SELECT json_extract(?1, '$') WHERE json_valid(?1)",
                           -1,
                           &asked,
                           nullptr) == SQLITE_OK) {
        sqlite3_bind_value(asked, 1, given[0]);
        if (sqlite3_step(asked) == SQLITE_ROW) {
            sqlite3_result_value(call, sqlite3_column_value(asked, 0));
            sqlite3_finalize(asked);
            return;
        }
    }
    sqlite3_finalize(asked);
    answer(call, text);
}

// sluice_mysql_type(declared, 'full' | 'name' | ...): columns of information_schema.COLUMNS.
void type_part(sqlite3_context* call, int, arguments given)
{
    const auto type = mysql::read_declared_type(argument(given[0]));
    const auto part = argument(given[1]);
    using enum mysql::type_class;
    const bool text = type.kind == characters || type.kind == unknown;
    const bool number = type.kind == integer || type.kind == decimal || type.kind == floating;
    if (part == "full")
        return answer(call, type.full);
    if (part == "name")
        return answer(call, type.name);
    if (part == "characters" && (text || type.kind == bytes))
        return sqlite3_result_int64(call, type.precision);
    if (part == "octets" && (text || type.kind == bytes))
        return sqlite3_result_int64(
            call,
            std::min(std::int64_t{type.precision} * (text ? 4 : 1), std::int64_t{4294967295}));
    if (part == "precision" && number)
        return sqlite3_result_int64(call, type.precision);
    if (part == "scale" && (type.kind == integer || type.kind == decimal))
        return sqlite3_result_int64(call, type.scale);
    if (part == "fraction" && type.kind == time)
        return sqlite3_result_int64(call, type.precision);
    if (part == "charset" && text)
        return answer(call, "utf8mb4");
    if (part == "collation" && text)
        return answer(call, "utf8mb4_general_ci");
}

// A default as MySQL shows it: a literal without its quotes.
void default_value(sqlite3_context* call, int, arguments given)
{
    if (sqlite3_value_type(given[0]) == SQLITE_NULL)
        return;
    const auto text = argument(given[0]);
    if (text.size() < 2 || text.front() != '\'' || text.back() != '\'') {
        if (text != "NULL")
            answer(call, text);
        return;
    }
    std::string out;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        out += text[i];
        i += text[i] == '\'';
    }
    answer(call, out);
}

// What follows AS in CREATE VIEW ... AS SELECT ...
void view_body(sqlite3_context* call, int, arguments given)
{
    const auto text = argument(given[0]);
    for (std::size_t i = 0; i + 4 <= text.size(); ++i) {
        const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
        if (blank(text[i]) && (text[i + 1] | 0x20) == 'a' && (text[i + 2] | 0x20) == 's' &&
            blank(text[i + 3]))
            return answer(call, text.substr(i + 4));
    }
    answer(call, text);
}

struct function {
    const char* name;
    int arity;
    void (*call)(sqlite3_context*, int, arguments);
    bool changes;  // answers something else each time
};

constexpr function functions[] = {
    {"mysql_concat", -1, concat, false},
    {"left", 2, left, false},
    {"right", 2, right, false},
    {"isnull", 1, is_null, false},
    {"rand", 0, random_fraction, true},
    {"rand", 1, random_fraction, true},
    {"locate", 2, locate, false},
    {"locate", 3, locate, false},
    {"find_in_set", 2, find_in_set, false},
    {"field", -1, field, false},
    {"substring_index", 3, substring_index, false},
    {"unhex", 1, unhex, false},
    {"uuid", 0, uuid, true},
    {"truncate", 2, truncate, false},
    {"strcmp", 2, compare, false},
    {"json_unquote", 1, json_unquote, false},
    {"sluice_mysql_type", 2, type_part, false},
    {"sluice_mysql_default", 1, default_value, false},
    {"sluice_view_body", 1, view_body, false},
};

}  // namespace

void add_mysql_functions(sqlite3* db)
{
    for (const auto& f : functions) {
        const int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS | (f.changes ? 0 : SQLITE_DETERMINISTIC);
        sqlite3_create_function_v2(
            db, f.name, f.arity, flags, nullptr, f.call, nullptr, nullptr, nullptr);
    }
    add_mysql_dates(db);
}

}  // namespace sluice::sqlite
