// drivers/sqlite/functions.cpp: SQL functions that PostgreSQL's clients expect and SQLite lacks.
#include "drivers/sqlite/functions.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "drivers/sqlite/handle.hpp"

namespace sluice::sqlite {
namespace {

const session_context nobody;

caller* asking(sqlite3_context* call) noexcept
{
    return static_cast<handle*>(sqlite3_user_data(call))->asking;
}

const session_context& context(sqlite3_context* call) noexcept
{
    const auto* who = asking(call);
    return who && who->context ? *who->context : nobody;
}

void answer(sqlite3_context* call, std::string_view text) noexcept
{
    sqlite3_result_text64(call, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

std::string_view argument(sqlite3_value* v) noexcept
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(v));
    return {text ? text : "", static_cast<std::size_t>(sqlite3_value_bytes(v))};
}

using arguments = sqlite3_value**;

// UTC without a zone, so that it sorts and compares with CURRENT_TIMESTAMP and stored times.
void now(sqlite3_context* call, int, arguments) noexcept
{
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(since).count();
    const std::time_t seconds = micros / 1000000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char date[32];
    char all[48];
    std::strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &utc);
    std::snprintf(all, sizeof all, "%s.%06d", date, static_cast<int>(micros % 1000000));
    answer(call, all);
}

void version(sqlite3_context* call, int, arguments) noexcept
{
    answer(call, context(call).version);
}
void user(sqlite3_context* call, int, arguments) noexcept
{
    answer(call, context(call).user);
}
void database_name(sqlite3_context* call, int, arguments) noexcept
{
    answer(call, context(call).database);
}
void schema(sqlite3_context* call, int, arguments) noexcept
{
    answer(call, context(call).schema);
}
void process(sqlite3_context* call, int, arguments) noexcept
{
    sqlite3_result_int(call, context(call).process_id);
}
void no(sqlite3_context* call, int, arguments) noexcept
{
    sqlite3_result_int(call, 0);
}
void nothing(sqlite3_context* call, int, arguments) noexcept
{
    answer(call, {});
}
void encoding(sqlite3_context* call, int, arguments) noexcept
{
    answer(call, "UTF8");
}
void user_by_id(sqlite3_context* call, int, arguments) noexcept
{
    answer(call, context(call).user);
}
void yes(sqlite3_context* call, int, arguments) noexcept
{
    sqlite3_result_int(call, 1);
}

// A number that grows with time and differs between transactions that matter to anyone.
void transaction_number(sqlite3_context* call, int, arguments) noexcept
{
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    sqlite3_result_int64(call,
                         std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

void quote_ident(sqlite3_context* call, int, arguments given) noexcept
{
    if (sqlite3_value_type(given[0]) == SQLITE_NULL)
        return;
    const auto name = argument(given[0]);
    const bool plain =
        !name.empty() && (name[0] == '_' || (name[0] >= 'a' && name[0] <= 'z')) &&
        std::all_of(
            name.begin(),
            name.end(),
            [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }) &&
        !sqlite3_keyword_check(name.data(), static_cast<int>(name.size()));
    if (plain)
        return answer(call, name);
    std::string quoted = "\"";
    for (const char c : name)
        quoted.append(c == '"' ? 2u : 1u, c);
    answer(call, quoted + '"');
}

void quote_literal(sqlite3_context* call, int, arguments given) noexcept
{
    if (sqlite3_value_type(given[0]) == SQLITE_NULL)
        return;
    std::string quoted = "'";
    for (const char c : argument(given[0]))
        quoted.append(c == '\'' ? 2u : 1u, c);
    answer(call, quoted + '\'');
}

void current_setting(sqlite3_context* call, int count, arguments given) noexcept
{
    const auto name = argument(given[0]);
    const auto same = [name](const auto& pair) {
        return pair.first.size() == name.size() &&
               sqlite3_strnicmp(pair.first.data(), name.data(), static_cast<int>(name.size())) == 0;
    };
    if (const auto* who = asking(call)) {
        const auto& fresh = who->settings;
        const auto last = std::find_if(fresh.rbegin(), fresh.rend(), same);
        if (last != fresh.rend())
            return answer(call, last->second);
    }
    const auto& known = context(call).settings;
    const auto found = std::find_if(known.begin(), known.end(), same);
    if (found != known.end())
        return answer(call, found->second);
    if (count > 1 && sqlite3_value_int(given[1]))
        return;
    const std::string text = "unrecognized configuration parameter \"" + std::string(name) + '"';
    sqlite3_result_error(call, text.data(), static_cast<int>(text.size()));
}

void set_config(sqlite3_context* call, int, arguments given) noexcept
{
    constexpr std::size_t settings_max = 100;
    auto* who = asking(call);
    const auto wanted = argument(given[1]);
    if (who && who->settings.size() < settings_max)
        who->settings.emplace_back(argument(given[0]), wanted);
    answer(call, wanted);
}

// SQLite's own would answer for whoever used the handle before.
void last_insert_rowid(sqlite3_context* call, int, arguments) noexcept
{
    const auto* who = asking(call);
    sqlite3_result_int64(call, who ? who->last_insert_rowid : 0);
}
void changes(sqlite3_context* call, int, arguments) noexcept
{
    const auto* who = asking(call);
    sqlite3_result_int64(call, who ? who->changes : 0);
}

struct function {
    const char* name;
    int arity;
    void (*call)(sqlite3_context*, int, arguments);
};

constexpr function functions[] = {
    {"now", 0, now},
    {"transaction_timestamp", 0, now},
    {"statement_timestamp", 0, now},
    {"clock_timestamp", 0, now},
    {"pg_postmaster_start_time", 0, now},
    {"version", 0, version},
    {"current_database", 0, database_name},
    {"current_catalog", 0, database_name},
    {"current_schema", 0, schema},
    {"current_user", 0, user},
    {"session_user", 0, user},
    {"pg_backend_pid", 0, process},
    {"pg_is_in_recovery", 0, no},
    {"pg_advisory_unlock_all", 0, nothing},
    {"pg_encoding_to_char", 1, encoding},
    {"pg_get_userbyid", 1, user_by_id},
    {"pg_type_is_visible", 1, yes},
    {"txid_current", 0, transaction_number},
    {"pg_current_xact_id", 0, transaction_number},
    {"quote_ident", 1, quote_ident},
    {"quote_literal", 1, quote_literal},
    {"current_setting", 1, current_setting},
    {"current_setting", 2, current_setting},
    {"set_config", 3, set_config},
    {"last_insert_rowid", 0, last_insert_rowid},
    {"changes", 0, changes},
    {"total_changes", 0, changes},
};

}  // namespace

void add_functions(handle& on)
{
    for (const auto& f : functions) {
        // DIRECTONLY where a schema could use them to act in another client's name.
        const int flags =
            SQLITE_UTF8 | (f.call == set_config ? SQLITE_DIRECTONLY : SQLITE_INNOCUOUS);
        sqlite3_create_function_v2(
            on.db(), f.name, f.arity, flags, &on, f.call, nullptr, nullptr, nullptr);
    }
}

}  // namespace sluice::sqlite
