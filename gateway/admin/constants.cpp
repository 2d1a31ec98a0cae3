// gateway/admin/constants.cpp: drivers' own statements, answered.
#include "gateway/admin/constants.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "generated/version.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway::admin {
namespace {

using sql::token_kind;

struct known_value {
    std::string_view name;
    std::string_view value;
};

// Lower case. What drivers ask PostgreSQL for by SHOW or current_setting().
constexpr known_value pg_settings[] = {
    {"client_encoding", "UTF8"},
    {"datestyle", "ISO, MDY"},
    {"default_transaction_isolation", "read committed"},
    {"default_transaction_read_only", "off"},
    {"in_hot_standby", "off"},
    {"integer_datetimes", "on"},
    {"max_identifier_length", "63"},
    {"search_path", "\"$user\", public"},
    {"server_encoding", "UTF8"},
    {"server_version", "15.0"},
    {"server_version_num", "150000"},
    {"standard_conforming_strings", "on"},
    {"timezone", "UTC"},
    {"transaction isolation level", "read committed"},
    {"transaction_isolation", "read committed"},
    {"transaction_read_only", "off"},
};

// What drivers ask MySQL for by @@name or SHOW VARIABLES.
constexpr known_value my_variables[] = {
    {"auto_increment_increment", "1"},
    {"autocommit", "1"},
    {"character_set_client", "utf8mb4"},
    {"character_set_connection", "utf8mb4"},
    {"character_set_results", "utf8mb4"},
    {"character_set_server", "utf8mb4"},
    {"collation_connection", "utf8mb4_general_ci"},
    {"collation_server", "utf8mb4_general_ci"},
    {"init_connect", ""},
    {"interactive_timeout", "28800"},
    {"license", "Sluice"},
    {"lower_case_table_names", "0"},
    {"max_allowed_packet", "16777216"},
    {"net_buffer_length", "16384"},
    {"net_write_timeout", "60"},
    {"performance_schema", "0"},
    {"query_cache_size", "0"},
    {"query_cache_type", "OFF"},
    {"sql_mode", ""},
    {"system_time_zone", "UTC"},
    {"time_zone", "SYSTEM"},
    {"transaction_isolation", "READ-COMMITTED"},
    {"transaction_read_only", "0"},
    {"tx_isolation", "READ-COMMITTED"},
    {"tx_read_only", "0"},
    {"version_comment", "Sluice admin console"},
    {"wait_timeout", "28800"},
};

// Of SET: the first word, lower case, without scope.
constexpr std::string_view pg_settable[] = {"application_name",
                                            "bytea_output",
                                            "characteristics",
                                            "client_encoding",
                                            "client_min_messages",
                                            "constraints",
                                            "datestyle",
                                            "default_transaction_isolation",
                                            "default_transaction_read_only",
                                            "extra_float_digits",
                                            "geqo",
                                            "idle_session_timeout",
                                            "idle_in_transaction_session_timeout",
                                            "intervalstyle",
                                            "jit",
                                            "lock_timeout",
                                            "names",
                                            "role",
                                            "search_path",
                                            "standard_conforming_strings",
                                            "statement_timeout",
                                            "time",
                                            "timezone",
                                            "transaction",
                                            "transaction_isolation"};

std::string_view value_of(std::span<const known_value> all, std::string_view name)
{
    for (const auto& each : all) {
        if (each.name == name)
            return each.value;
    }
    return {};
}

bool is_known(std::span<const known_value> all, std::string_view name)
{
    return std::any_of(
        all.begin(), all.end(), [&](const known_value& each) { return each.name == name; });
}

command fixed(answer reply)
{
    command made;
    made.what = verb::fixed;
    made.reply = std::move(reply);
    return made;
}

command tagged(std::string tag)
{
    answer reply;
    reply.tag = std::move(tag);
    return fixed(std::move(reply));
}

command one_row(std::string name, std::string value, std::string tag)
{
    answer reply;
    reply.columns.push_back({std::move(name), false});
    reply.rows.push_back({cell(std::move(value))});
    reply.tag = std::move(tag);
    return fixed(std::move(reply));
}

command no_rows(std::initializer_list<std::string_view> names)
{
    answer reply;
    for (const auto name : names)
        reply.columns.push_back({std::string(name), false});
    return fixed(std::move(reply));
}

std::string without_scope(std::string name)
{
    name = lower_case(name);
    for (const std::string_view scope : {"@@", "session.", "global.", "local."}) {
        if (name.starts_with(scope))
            name.erase(0, scope.size());
    }
    return name;
}

std::string version_of(const session_facts& session)
{
    return session.protocol == client_protocol::mysql
               ? session.server_version
               : std::string("PostgreSQL 15.0 (Sluice ") + version + " admin console)";
}

// name, or name()
bool is_call(std::span<const sql::token> item)
{
    if (item[0].kind != token_kind::word)
        return false;
    return item.size() == 1 || (item.size() == 3 && item[1].kind == token_kind::open_paren &&
                                item[2].kind == token_kind::close_paren);
}

// One item of a SELECT. False: nothing that a console knows.
bool read_item(std::span<const sql::token> item, const session_facts& session, answer& into)
{
    std::string label;
    // [AS] name
    if (item.size() > 2 && upper_case(item[item.size() - 2].text) == "AS") {
        label = unquoted(item.back().text);
        item = item.first(item.size() - 2);
    }
    if (item.empty())
        return false;
    // pg_catalog.version()
    if (item.size() > 2 && item[1].kind == token_kind::dot)
        item = item.subspan(2);
    const auto& head = item[0];
    std::string name = lower_case(head.text);
    cell value;
    bool number = false;
    if (head.kind == token_kind::number && item.size() == 1) {
        std::int64_t parsed = 0;
        const auto [end, ec] =
            std::from_chars(head.text.data(), head.text.data() + head.text.size(), parsed);
        if (ec != std::errc{} || end != head.text.data() + head.text.size())
            return false;
        value = parsed;
        number = true;
        name = session.protocol == client_protocol::mysql ? name : "?column?";
    } else if (head.kind == token_kind::string && item.size() == 1) {
        value = unquoted(head.text);
        name = session.protocol == client_protocol::mysql ? unquoted(head.text) : "?column?";
    } else if (head.kind == token_kind::variable && item.size() == 1 && name.starts_with("@@")) {
        const auto variable = without_scope(name);
        value = variable == "version" ? session.server_version
                                      : std::string(value_of(my_variables, variable));
        name = std::string(head.text);
    } else if (!is_call(item)) {
        return false;
    } else if (name == "version" || name == "database" || name == "current_database" ||
               name == "current_catalog" || name == "schema") {
        value = name == "version" ? version_of(session) : session.database;
    } else if (name == "current_schema") {
        value = std::string("public");
    } else if (name == "user" || name == "current_user" || name == "session_user") {
        value = session.user;
    } else if (name == "connection_id" || name == "pg_backend_pid") {
        value = std::int64_t{session.id};
        number = true;
    } else if (name == "pg_advisory_unlock_all") {
        value = std::string();  // asyncpg, when it gives a connection back
    } else {
        return false;
    }
    if (session.protocol == client_protocol::mysql && item.size() > 1 && name != head.text)
        name += "()";
    into.columns.push_back({label.empty() ? name : label, number});
    into.rows.front().push_back(std::move(value));
    return true;
}

std::optional<command> read_select(std::string_view text, const session_facts& session)
{
    const bool mysql = session.protocol == client_protocol::mysql;
    sql::lexer in(text, mysql ? sql::dialect::mysql : sql::dialect::postgres);
    answer reply;
    reply.rows.emplace_back();
    std::vector<sql::token> item;
    in.next();
    for (bool more = true; more;) {
        const auto each = in.next();
        const bool limit = upper_case(each.text) == "LIMIT" && in.next().text == "1";
        more = each.kind != token_kind::end && each.kind != token_kind::semicolon && !limit;
        if (more && each.kind != token_kind::comma) {
            item.push_back(each);
            continue;
        }
        if (!read_item(item, session, reply))
            return std::nullopt;
        item.clear();
    }
    reply.tag = "SELECT 1";
    return fixed(std::move(reply));
}

}  // namespace

std::string upper_case(std::string_view text)
{
    std::string made(text);
    for (char& c : made)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return made;
}

std::string lower_case(std::string_view text)
{
    std::string made(text);
    for (char& c : made)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return made;
}

std::string unquoted(std::string_view text)
{
    const char quote = text.empty() ? '\0' : text.front();
    if (text.size() < 2 || (quote != '"' && quote != '\'' && quote != '`') || text.back() != quote)
        return std::string(text);
    std::string plain;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        plain += text[i];
        if (text[i] == quote && text[i + 1] == quote)
            ++i;
    }
    return plain;
}

std::optional<command> session_setting(std::string_view rest, client_protocol protocol)
{
    sql::lexer in(
        rest, protocol == client_protocol::mysql ? sql::dialect::mysql : sql::dialect::postgres);
    auto first = in.next();
    auto name = lower_case(first.text);
    if (name == "session" || name == "local" || name == "global")
        name = lower_case(in.next().text);
    if (protocol == client_protocol::mysql) {
        const auto variable = without_scope(name);
        const bool taken = first.kind == token_kind::variable || is_known(my_variables, variable) ||
                           variable == "names" || variable == "character" ||
                           variable == "charset" || variable == "transaction" ||
                           variable.starts_with("sql_") || variable.starts_with("net_") ||
                           variable.starts_with("session_track") ||
                           variable == "max_statement_time";
        return taken ? std::optional(tagged("SET")) : std::nullopt;
    }
    const bool taken =
        std::find(std::begin(pg_settable), std::end(pg_settable), name) != std::end(pg_settable);
    return taken ? std::optional(tagged("SET")) : std::nullopt;
}

std::optional<command> shown_setting(std::string_view rest, const session_facts& session)
{
    auto name = lower_case(rest);
    if (session.protocol == client_protocol::postgres) {
        if (!is_known(pg_settings, name))
            return std::nullopt;
        const auto label = name == "transaction isolation level" ? "transaction_isolation" : name;
        return one_row(label, std::string(value_of(pg_settings, name)), "SHOW");
    }
    for (const std::string_view scope : {"session ", "global ", "full "}) {
        if (name.starts_with(scope))
            name.erase(0, scope.size());
    }
    if (name.starts_with("variables")) {
        answer reply;
        reply.columns = {{"Variable_name", false}, {"Value", false}};
        for (const auto& each : my_variables) {
            const bool wanted = name == "variables" ||
                                name.find("'" + std::string(each.name) + "'") != std::string::npos;
            if (wanted)
                reply.rows.push_back({cell(std::string(each.name)), cell(std::string(each.value))});
        }
        return fixed(std::move(reply));
    }
    if (name.starts_with("warnings") || name.starts_with("count(*) warnings"))
        return no_rows({"Level", "Code", "Message"});
    if (name.starts_with("tables"))
        return no_rows({"Tables_in_" + session.database});
    if (name.starts_with("status"))
        return no_rows({"Variable_name", "Value"});
    if (name.starts_with("schemas")) {
        command made;
        made.what = verb::show;
        made.show = topic::databases;
        return made;
    }
    return std::nullopt;
}

std::optional<command> session_statement(std::string_view text,
                                         std::string_view first,
                                         const session_facts& session)
{
    const bool mysql = session.protocol == client_protocol::mysql;
    if (first == "BEGIN" || first == "START") {
        auto made = tagged(first == "BEGIN" ? "BEGIN" : "START TRANSACTION");
        made.what = verb::begin;
        return made;
    }
    if (first == "COMMIT" || first == "END" || first == "ROLLBACK" || first == "ABORT") {
        auto made = tagged(first == "COMMIT" || first == "END" ? "COMMIT" : "ROLLBACK");
        made.what = verb::end;
        return made;
    }
    if (first == "SELECT")
        return read_select(text, session);
    if (mysql && first == "USE") {
        command made;
        made.what = verb::use;
        sql::lexer in(text, sql::dialect::mysql);
        in.next();
        made.object = unquoted(in.next().text);
        return made;
    }
    if (!mysql && (first == "RESET" || first == "UNLISTEN" || first == "DEALLOCATE"))
        return tagged(std::string(first));
    if (!mysql && first == "CLOSE")
        return tagged("CLOSE CURSOR");
    if (!mysql && first == "DISCARD")
        return tagged("DISCARD ALL");
    return std::nullopt;
}

}  // namespace sluice::gateway::admin
