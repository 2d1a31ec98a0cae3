// gateway/translate/my_state.cpp: the variables of a session, and what sets them.
#include "gateway/translate/my_state.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "gateway/translate/my_catalog.hpp"
#include "gateway/translate/my_variables.hpp"
#include "proto/sql/key_words.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {
namespace {

using kind = my_value::kind;

constexpr auto number = kind::number;
constexpr auto words = kind::text;
constexpr auto truth = kind::boolean;

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = sql::lower_ascii(c);
    return out;
}

my_value number_value(std::uint64_t n)
{
    return {number, std::to_string(n)};
}

my_error error(std::uint16_t errno_, std::string_view state, std::string message)
{
    return {errno_, std::string(state), std::move(message)};
}

}  // namespace

bool my_value::truth() const noexcept
{
    return text == "ON" || (what == kind::number && text != "0");
}

std::string as_literal(const my_value& value)
{
    switch (value.what) {
        case kind::null:
            return "NULL";
        case kind::number:
            return value.text;
        case kind::boolean:
            return value.text == "ON" ? "1" : "0";
        case kind::text:
            break;
    }
    std::string out;
    sql::append_sqlite_literal(out, value.text);
    return out;
}

my_state::my_state(facts who) : who_(std::move(who))
{
    database = who_.database;
}

// Variables that are not stored.
std::optional<my_value> my_state::computed(std::string_view name) const
{
    if (name == "version" || name == "innodb_version")
        return my_value{words, who_.version};
    if (name == "last_insert_id" || name == "identity" || name == "insert_id")
        return number_value(last_insert_id);
    if (name == "pseudo_thread_id")
        return number_value(who_.connection);
    if (name == "max_allowed_packet")
        return number_value(who_.max_packet);
    if (name == "timestamp")
        return number_value(static_cast<std::uint64_t>(std::time(nullptr)));
    if (name == "have_ssl" || name == "have_openssl")
        return my_value{words, who_.tls ? "YES" : "DISABLED"};
    if (name == "warning_count")
        return number_value(warnings.size());
    if (name == "error_count")
        return number_value(static_cast<std::uint64_t>(
            std::count_if(warnings.begin(), warnings.end(), [](const my_warning& w) {
                return w.level == "Error";
            })));
    return std::nullopt;
}

std::optional<my_value> my_state::system_variable(std::string_view wanted) const
{
    const auto name = canonical_my_variable(wanted);
    if (const auto at = system_.find(name); at != system_.end())
        return at->second;
    if (auto value = computed(name))
        return value;
    const auto* found = find_my_variable(name);
    if (!found)
        return std::nullopt;
    return my_value{found->what, std::string(found->value)};
}

// "@@session.sql_mode", "@@`sql_mode`", "@a", "@'a'"
std::optional<std::string> my_state::variable(std::string_view text) const
{
    if (!text.starts_with("@@")) {
        const auto name = lower(sql::mysql_name_value(mysql_lexer(text.substr(1), *this).next()));
        const auto at = user_.find(name);
        return at == user_.end() ? "NULL" : as_literal(at->second);
    }
    auto name = lower(text.substr(2));
    for (const std::string_view scope : {"session.", "global.", "local."})
        if (name.starts_with(scope))
            name.erase(0, scope.size());
    std::erase(name, '`');
    const auto value = system_variable(name);
    if (!value)
        return std::nullopt;
    return as_literal(*value);
}

std::optional<std::string> my_state::function(std::string_view name) const
{
    const auto text = [](std::string_view value) {
        std::string out;
        sql::append_sqlite_literal(out, value);
        return out;
    };
    if (name == "database" || name == "schema")
        return text(database);
    if (name == "user" || name == "session_user" || name == "system_user")
        return text(who_.user + "@" + who_.host);
    if (name == "current_user")
        return text(who_.user + "@%");
    if (name == "current_role")
        return "NULL";
    if (name == "connection_id")
        return std::to_string(who_.connection);
    if (name == "version")
        return text(who_.version);
    if (name == "last_insert_id")
        return std::to_string(last_insert_id);
    if (name == "row_count")
        return std::to_string(row_count);
    if (name == "found_rows")
        return std::to_string(found_rows);
    return std::nullopt;
}

std::optional<std::string> my_state::relation(std::string_view name) const
{
    return information_schema(name, *this);
}

// Values that would change what the gateway sends take only what is; known kinds are kept.
std::optional<my_error> my_state::check(std::string_view name, my_value& value)
{
    const auto wrong = [&] {
        return error(1231,
                     "42000",
                     "Variable '" + std::string(name) + "' can't be set to the value of '" +
                         value.text + "'");
    };
    const auto* rule = find_my_variable(name);
    const auto word = lower(value.text);
    if (rule && rule->what == truth) {
        if (word == "on" || word == "true" || word == "1")
            value = {truth, "ON"};
        else if (word == "off" || word == "false" || word == "0")
            value = {truth, "OFF"};
        else
            return wrong();
    } else if (rule && rule->what == number) {
        if (value.what == kind::null ||
            value.text.find_first_not_of("0123456789.") != std::string::npos)
            return error(
                1232, "42000", "Incorrect argument type to variable '" + std::string(name) + "'");
        value.what = number;
    } else if (rule) {
        if (value.what != kind::null)
            value.what = words;
    }
    if (name.starts_with("character_set_") && name != "character_set_results" &&
        value.what == kind::null)
        return wrong();
    if (name == "transaction_isolation") {
        std::replace(value.text.begin(), value.text.end(), '-', ' ');
        const auto level = sql::isolation_from_text(value.text);
        if (!level)
            return wrong();
        value.text = std::string(sql::to_text(*level));
        std::replace(value.text.begin(), value.text.end(), ' ', '-');
        for (char& c : value.text)
            c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    if (name == "sql_mode") {
        ansi_quotes = word.find("ansi") != std::string::npos;
        pipes_as_concat = word.find("pipes_as_concat") != std::string::npos ||
                          word.find("ansi,") == 0 || word == "ansi";
        no_backslash_escapes = word.find("no_backslash_escapes") != std::string::npos;
    }
    return std::nullopt;
}

std::optional<my_error> my_state::set_system(std::string_view wanted, std::optional<my_value> value)
{
    const auto name = std::string(canonical_my_variable(wanted));
    const auto* rule = find_my_variable(name);
    if (!rule && !computed(name))
        return error(1193, "HY000", "Unknown system variable '" + std::string(wanted) + "'");
    if (name == "last_insert_id" || name == "identity") {
        last_insert_id = value ? std::strtoull(value->text.c_str(), nullptr, 10) : 0;
        return std::nullopt;
    }
    if (name == "timestamp" || name == "insert_id" || name == "max_allowed_packet" ||
        name == "pseudo_thread_id")
        return std::nullopt;  // dumps and replays set them; nothing depends on it here
    if (!rule || rule->fixed)
        return error(
            1238, "HY000", "Variable '" + std::string(wanted) + "' is a read only variable");
    my_value next = value ? std::move(*value) : my_value{rule->what, std::string(rule->value)};
    if (auto failed = check(name, next))
        return failed;
    if (name == "time_zone" && next.text != "SYSTEM" && next.text != "+00:00" &&
        lower(next.text) != "utc")
        warnings.push_back(
            {"Warning", 1298, "Times stay in UTC: SQLite databases have no other time zone"});
    if (name == "foreign_key_checks" && !next.truth())
        warnings.push_back(
            {"Warning",
             1235,
             "Foreign keys are still checked: the gateway never turns SQLite's off"});
    system_[name] = std::move(next);
    return std::nullopt;
}

std::optional<my_value> my_state::user_variable(std::string_view name) const
{
    const auto at = user_.find(lower(name));
    return at == user_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<my_error> my_state::set_user(const std::string& name, my_value value)
{
    if (user_.size() >= variables_max && !user_.contains(name))
        return error(1105, "HY000", "A session keeps at most 1000 user variables");
    user_[lower(name)] = std::move(value);
    return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> my_state::system_variables() const
{
    std::map<std::string, std::string> all;
    for (const auto& each : my_variables())
        all.emplace(each.name, system_variable(each.name)->text);
    for (const std::string_view name : {"version",
                                        "max_allowed_packet",
                                        "have_ssl",
                                        "have_openssl",
                                        "last_insert_id",
                                        "warning_count",
                                        "error_count"})
        all.emplace(name, computed(name)->text);
    all.emplace("tx_isolation", system_variable("tx_isolation")->text);
    all.emplace("tx_read_only", system_variable("tx_read_only")->text);
    return {all.begin(), all.end()};
}

void my_state::reset()
{
    system_.clear();
    user_.clear();
    warnings.clear();
    last_insert_id = 0;
    row_count = -1;
    found_rows = 0;
    ansi_quotes = pipes_as_concat = no_backslash_escapes = false;
}

bool my_state::autocommit() const
{
    const auto at = system_.find("autocommit");
    return at == system_.end() || at->second.truth();
}

sql::isolation_level my_state::isolation() const
{
    auto text = system_variable("transaction_isolation")->text;
    std::replace(text.begin(), text.end(), '-', ' ');
    return sql::isolation_from_text(text).value_or(sql::isolation_level::read_committed);
}

bool my_state::read_only() const
{
    return system_variable("transaction_read_only")->truth();
}

// MySQL counts max_execution_time in milliseconds, MariaDB max_statement_time in seconds. Zero is
// "no opinion": a client cannot lift the limit of the configuration.
std::optional<std::chrono::milliseconds> my_state::statement_timeout() const
{
    double milliseconds = 0;
    if (const auto at = system_.find("max_execution_time"); at != system_.end())
        milliseconds = std::strtod(at->second.text.c_str(), nullptr);
    if (const auto at = system_.find("max_statement_time"); at != system_.end())
        if (const auto seconds = std::strtod(at->second.text.c_str(), nullptr); seconds > 0)
            milliseconds = seconds * 1000;
    if (milliseconds <= 0 || milliseconds > 1e12)
        return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::max(milliseconds, 1.0)));
}

}  // namespace sluice::gateway
