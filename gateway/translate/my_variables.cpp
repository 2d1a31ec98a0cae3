// gateway/translate/my_variables.cpp: the table of system variables.
#include "gateway/translate/my_variables.hpp"

#include <algorithm>
#include <array>

namespace sluice::gateway {
namespace {

using kind = my_value::kind;

constexpr auto number = kind::number;
constexpr auto words = kind::text;
constexpr auto truth = kind::boolean;

constexpr std::array known{
    known_my_variable{"auto_increment_increment", "1", number, false},
    known_my_variable{"auto_increment_offset", "1", number, false},
    known_my_variable{"autocommit", "ON", truth, false},
    known_my_variable{"back_log", "80", number, true},
    known_my_variable{"basedir", "/usr/", words, true},
    known_my_variable{"big_tables", "OFF", truth, false},
    known_my_variable{"character_set_client", "utf8mb4", words, false},
    known_my_variable{"character_set_connection", "utf8mb4", words, false},
    known_my_variable{"character_set_database", "utf8mb4", words, false},
    known_my_variable{"character_set_filesystem", "binary", words, false},
    known_my_variable{"character_set_results", "utf8mb4", words, false},
    known_my_variable{"character_set_server", "utf8mb4", words, false},
    known_my_variable{"character_set_system", "utf8mb3", words, true},
    known_my_variable{"collation_connection", "utf8mb4_general_ci", words, false},
    known_my_variable{"collation_database", "utf8mb4_general_ci", words, false},
    known_my_variable{"collation_server", "utf8mb4_general_ci", words, false},
    known_my_variable{"completion_type", "NO_CHAIN", words, false},
    known_my_variable{"datadir", "", words, true},
    known_my_variable{"default_storage_engine", "InnoDB", words, false},
    known_my_variable{"default_tmp_storage_engine", "InnoDB", words, false},
    known_my_variable{"default_week_format", "0", number, false},
    known_my_variable{"div_precision_increment", "4", number, false},
    known_my_variable{"event_scheduler", "OFF", words, true},
    known_my_variable{"explicit_defaults_for_timestamp", "ON", truth, false},
    known_my_variable{"foreign_key_checks", "ON", truth, false},
    known_my_variable{"group_concat_max_len", "1048576", number, false},
    known_my_variable{"gtid_mode", "OFF", words, true},
    known_my_variable{"have_profiling", "NO", words, true},
    known_my_variable{"have_query_cache", "NO", words, true},
    known_my_variable{"hostname", "sluice", words, true},
    known_my_variable{"init_connect", "", words, true},
    known_my_variable{"innodb_file_per_table", "ON", truth, true},
    known_my_variable{"innodb_lock_wait_timeout", "50", number, false},
    known_my_variable{"innodb_read_only", "OFF", truth, true},
    known_my_variable{"innodb_strict_mode", "OFF", truth, false},
    known_my_variable{"interactive_timeout", "28800", number, false},
    known_my_variable{"lc_messages", "en_US", words, false},
    known_my_variable{"lc_time_names", "en_US", words, false},
    known_my_variable{"license", "", words, true},
    known_my_variable{"local_infile", "OFF", truth, true},
    known_my_variable{"lock_wait_timeout", "86400", number, false},
    known_my_variable{"log_bin", "OFF", truth, true},
    known_my_variable{"low_priority_updates", "OFF", truth, false},
    known_my_variable{"lower_case_file_system", "OFF", truth, true},
    known_my_variable{"lower_case_table_names", "0", number, true},
    known_my_variable{"max_connections", "10000", number, true},
    known_my_variable{"max_execution_time", "0", number, false},
    known_my_variable{"max_heap_table_size", "16777216", number, false},
    known_my_variable{"max_join_size", "18446744073709551615", number, false},
    known_my_variable{"max_sort_length", "1024", number, false},
    known_my_variable{"max_statement_time", "0", number, false},
    known_my_variable{"max_user_connections", "0", number, true},
    known_my_variable{"net_buffer_length", "16384", number, false},
    known_my_variable{"net_read_timeout", "30", number, false},
    known_my_variable{"net_retry_count", "10", number, false},
    known_my_variable{"net_write_timeout", "60", number, false},
    known_my_variable{"old_passwords", "0", number, true},
    known_my_variable{"optimizer_switch", "", words, false},
    known_my_variable{"performance_schema", "OFF", truth, true},
    known_my_variable{"port", "3306", number, true},
    known_my_variable{"profiling", "OFF", truth, false},
    known_my_variable{"protocol_version", "10", number, true},
    known_my_variable{"query_cache_size", "0", number, true},
    known_my_variable{"query_cache_type", "OFF", words, false},
    known_my_variable{"read_only", "OFF", truth, true},
    known_my_variable{"secure_file_priv", "", words, true},
    known_my_variable{"server_id", "1", number, true},
    known_my_variable{"session_track_schema", "ON", truth, false},
    known_my_variable{"session_track_state_change", "OFF", truth, false},
    known_my_variable{"session_track_system_variables", "", words, false},
    known_my_variable{"session_track_transaction_info", "OFF", words, false},
    known_my_variable{"socket", "", words, true},
    known_my_variable{"sql_auto_is_null", "OFF", truth, false},
    known_my_variable{"sql_big_selects", "ON", truth, false},
    known_my_variable{"sql_log_bin", "ON", truth, false},
    known_my_variable{"sql_mode", "STRICT_TRANS_TABLES", words, false},
    known_my_variable{"sql_notes", "ON", truth, false},
    known_my_variable{"sql_quote_show_create", "ON", truth, false},
    known_my_variable{"sql_require_primary_key", "OFF", truth, false},
    known_my_variable{"sql_safe_updates", "OFF", truth, false},
    known_my_variable{"sql_select_limit", "18446744073709551615", number, false},
    known_my_variable{"sql_warnings", "OFF", truth, false},
    known_my_variable{"storage_engine", "InnoDB", words, false},
    known_my_variable{"system_time_zone", "UTC", words, true},
    known_my_variable{"table_open_cache", "2000", number, true},
    known_my_variable{"thread_cache_size", "0", number, true},
    known_my_variable{"time_zone", "SYSTEM", words, false},
    known_my_variable{"tmp_table_size", "16777216", number, false},
    known_my_variable{"tmpdir", "", words, true},
    known_my_variable{"transaction_isolation", "READ-COMMITTED", words, false},
    known_my_variable{"transaction_read_only", "OFF", truth, false},
    known_my_variable{"unique_checks", "ON", truth, false},
    known_my_variable{"version_comment", "Sluice (SQLite)", words, true},
    known_my_variable{"version_compile_machine", "x86_64", words, true},
    known_my_variable{"version_compile_os", "Linux", words, true},
    known_my_variable{"wait_timeout", "28800", number, false},
};

}  // namespace

std::span<const known_my_variable> my_variables() noexcept
{
    return known;
}

const known_my_variable* find_my_variable(std::string_view name) noexcept
{
    const auto at = std::find_if(
        known.begin(), known.end(), [name](const auto& each) { return each.name == name; });
    return at == known.end() ? nullptr : &*at;
}

std::string_view canonical_my_variable(std::string_view name) noexcept
{
    if (name == "tx_isolation")
        return "transaction_isolation";
    if (name == "tx_read_only")
        return "transaction_read_only";
    if (name == "character_set")
        return "character_set_client";
    return name;
}

}  // namespace sluice::gateway
