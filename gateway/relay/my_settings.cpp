// gateway/relay/my_settings.cpp: what follows a MySQL client, and the SET that brings it along.
#include "gateway/relay/my_settings.hpp"

#include <algorithm>
#include <array>

#include "gateway/relay/my_charsets.hpp"

namespace sluice::gateway {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) noexcept
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 5> charset_names = {"character_set_client",
                                                           "character_set_connection",
                                                           "character_set_results",
                                                           "collation_connection",
                                                           "character_set_filesystem"};

// The next RAND(), INSERT or event uses them up, or they count on by themselves. `timestamp` is
// reported with its old value when it is set to DEFAULT.
constexpr std::array<std::string_view, 10> pinning_names = {"timestamp",
                                                            "insert_id",
                                                            "rand_seed1",
                                                            "rand_seed2",
                                                            "pseudo_thread_id",
                                                            "pseudo_slave_mode",
                                                            "gtid_seq_no",
                                                            "gtid_next",
                                                            "profiling",
                                                            "debug_sync"};

// Values of these are names and numbers that a server knows as long as it runs.
constexpr std::array<std::string_view, 22> safe_names = {"autocommit",
                                                         "character_set_client",
                                                         "character_set_connection",
                                                         "character_set_results",
                                                         "collation_connection",
                                                         "foreign_key_checks",
                                                         "group_concat_max_len",
                                                         "innodb_lock_wait_timeout",
                                                         "interactive_timeout",
                                                         "lock_wait_timeout",
                                                         "max_execution_time",
                                                         "max_statement_time",
                                                         "net_read_timeout",
                                                         "net_write_timeout",
                                                         "sql_auto_is_null",
                                                         "sql_mode",
                                                         "sql_select_limit",
                                                         "time_zone",
                                                         "transaction_isolation",
                                                         "tx_isolation",
                                                         "unique_checks",
                                                         "wait_timeout"};

bool is_number(std::string_view value) noexcept
{
    if (value.starts_with('-'))
        value.remove_prefix(1);
    bool digits = false;
    bool point = false;
    for (const char c : value) {
        if (c >= '0' && c <= '9')
            digits = true;
        else if (c == '.' && !point)
            point = true;
        else
            return false;
    }
    return digits;
}

// In every sql_mode the same: no backslashes and no quotes but those around.
void append_value(std::string& sql, std::string_view name, std::string_view value)
{
    if (is_number(value)) {
        sql += value;
        return;
    }
    if (value.empty() && name == "character_set_results") {
        sql += "NULL";
        return;
    }
    const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '\'' && c != '\\'; };
    if (std::all_of(value.begin(), value.end(), plain)) {
        sql += '\'';
        sql += value;
        sql += '\'';
        return;
    }
    static constexpr char digits[] = "0123456789abcdef";
    sql += "_utf8 x'";
    for (const char c : value) {
        sql += digits[static_cast<unsigned char>(c) >> 4];
        sql += digits[static_cast<unsigned char>(c) & 15];
    }
    sql += '\'';
}

bool is_entry(std::string_view name) noexcept
{
    return name.starts_with('/');
}

void begin_assignment(std::string& sql, std::string_view name)
{
    sql += sql.empty() ? "SET @@session." : ", @@session.";
    sql += name;
    sql += '=';
}

}  // namespace

my_variable kind_of_variable(std::string_view name) noexcept
{
    if (is_one_of(name, charset_names))
        return my_variable::charset;
    if (name == "last_insert_id" || name == "identity")
        return my_variable::last_insert_id;
    if (name.starts_with("session_track_"))
        return my_variable::tracking;
    if (is_one_of(name, pinning_names) || name.starts_with("debug"))
        return my_variable::pins;
    return my_variable::follows;
}

session_settings my_session_start(std::uint16_t collation,
                                  std::string_view schema,
                                  bool multi_statements)
{
    session_settings session;
    const auto name = collation_name(collation);
    // Not known here: one of MySQL 8, all of which are utf8mb4's. The server has a default for it.
    const auto charset = name.empty() ? std::string_view("utf8mb4") : charset_of_collation(name);
    session.set("character_set_client", charset);
    session.set("character_set_results", charset);
    if (name.empty())
        session.set("character_set_connection", charset);
    else
        session.set("collation_connection", name);
    if (!schema.empty())
        session.set(schema_entry, schema);
    session.set(multi_statements_entry, multi_statements ? "1" : "0");
    return session;
}

my_settings_change plan_my_settings(const session_settings& wanted, const session_settings& applied)
{
    my_settings_change plan;
    // Defaults first: one variable may stand for two (character_set_, collation_connection).
    for (const auto& [name, value] : applied.entries()) {
        if (is_entry(name) || wanted.find(name))
            continue;
        begin_assignment(plan.sql, name);
        plan.sql += "DEFAULT";
    }
    for (const auto& [name, value] : wanted.entries()) {
        const std::string* now = applied.find(name);
        if (now && *now == value)
            continue;
        if (name == schema_entry) {
            plan.schema = value;
            plan.safe = false;
        } else if (name == multi_statements_entry) {
            plan.multi_statements = value == "1";
        } else {
            begin_assignment(plan.sql, name);
            append_value(plan.sql, name, value);
            plan.safe = plan.safe && is_one_of(name, safe_names);
        }
    }
    return plan;
}

session_settings parse_context(const session_settings& session)
{
    session_settings context;
    for (const std::string_view name : {schema_entry,
                                        std::string_view("sql_mode"),
                                        std::string_view("character_set_client"),
                                        std::string_view("character_set_connection"),
                                        std::string_view("collation_connection")}) {
        if (const auto* value = session.find(name))
            context.set(name, *value);
    }
    return context;
}

}  // namespace sluice::gateway
