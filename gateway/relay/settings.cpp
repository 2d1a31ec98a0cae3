// gateway/relay/settings.cpp: remembering, comparing and restoring session parameters.
#include "gateway/relay/settings.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace sluice::gateway {
namespace {

// Settings whose value, once accepted, is accepted again on any backend of the same server.
constexpr std::array<std::string_view, 14> safe_names = {"application_name",
                                                         "bytea_output",
                                                         "client_encoding",
                                                         "client_min_messages",
                                                         "datestyle",
                                                         "extra_float_digits",
                                                         "idle_in_transaction_session_timeout",
                                                         "intervalstyle",
                                                         "lock_timeout",
                                                         "search_path",
                                                         "standard_conforming_strings",
                                                         "statement_timeout",
                                                         "timezone",
                                                         "default_transaction_isolation"};

bool is_safe(std::string_view name)
{
    return std::find(safe_names.begin(), safe_names.end(), name) != safe_names.end();
}

void append_literal(std::string& sql, std::string_view text)
{
    const bool escape = text.find('\\') != std::string_view::npos;
    if (escape)
        sql += " E";
    sql += '\'';
    for (const char c : text) {
        if (c == '\'' || (escape && c == '\\'))
            sql += c;
        sql += c;
    }
    sql += '\'';
}

void append_identifier(std::string& sql, std::string_view name)
{
    // A custom setting's name has dots between its identifiers.
    sql += '"';
    for (const char c : name) {
        if (c == '"')
            sql += '"';
        if (c == '.')
            sql += "\".\"";
        else
            sql += c;
    }
    sql += '"';
}

}  // namespace

std::string lower_case(std::string_view name)
{
    std::string lower(name);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

const std::string* session_settings::find(std::string_view name) const noexcept
{
    for (const auto& [key, value] : entries_) {
        if (key == name)
            return &value;
    }
    return nullptr;
}

void session_settings::set(std::string_view name, std::string_view value)
{
    std::string key = lower_case(name);
    const auto at = std::lower_bound(
        entries_.begin(), entries_.end(), key, [](const entry& e, const std::string& k) {
            return e.first < k;
        });
    if (at != entries_.end() && at->first == key) {
        if (at->second == value)
            return;
        at->second = value;
    } else {
        entries_.emplace(at, std::move(key), std::string(value));
    }
    update_fingerprint();
}

void session_settings::erase(std::string_view name)
{
    const std::string key = lower_case(name);
    std::erase_if(entries_, [&](const entry& e) { return e.first == key; });
    update_fingerprint();
}

void session_settings::clear() noexcept
{
    entries_.clear();
    fingerprint_ = 0;
}

void session_settings::update_fingerprint() noexcept
{
    std::uint64_t sum = 0;
    for (const auto& [name, value] : entries_) {
        const std::uint64_t one =
            std::hash<std::string>{}(name)*0x9e3779b97f4a7c15u ^ std::hash<std::string>{}(value);
        sum = (sum ^ one) * 0x100000001b3u + (one >> 29);
    }
    fingerprint_ = sum;
}

settings_change plan_settings(const session_settings& wanted,
                              const session_settings& applied,
                              const session_settings& reported)
{
    settings_change plan;
    std::string selects;
    for (const auto& [name, value] : wanted.entries()) {
        const std::string* now = reported.find(name);
        if (!now)
            now = applied.find(name);
        if (now && *now == value)
            continue;
        selects += selects.empty() ? "SELECT pg_catalog.set_config(" : ", pg_catalog.set_config(";
        append_literal(selects, name);
        selects += ',';
        append_literal(selects, value);
        selects += ",false)";
        plan.safe = plan.safe && is_safe(name);
    }
    for (const auto& [name, value] : applied.entries()) {
        if (wanted.find(name))
            continue;
        plan.sql += "RESET ";
        append_identifier(plan.sql, name);
        plan.sql += ';';
    }
    plan.sql += selects;
    return plan;
}

std::string read_settings_sql(const std::vector<std::string>& names)
{
    std::string sql = "SELECT ";
    for (std::size_t i = 0; i < names.size(); ++i) {
        sql += i ? ", pg_catalog.current_setting(" : "pg_catalog.current_setting(";
        append_literal(sql, names[i]);
        sql += ",true)";
    }
    return sql;
}

namespace {

// PostgreSQL's pg_split_opts: blanks separate, a backslash takes the next character as it is.
std::vector<std::string> split_options(std::string_view text)
{
    std::vector<std::string> words;
    std::size_t at = 0;
    while (at < text.size()) {
        while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n'))
            ++at;
        if (at == text.size())
            break;
        std::string word;
        for (; at < text.size() && text[at] != ' ' && text[at] != '\t' && text[at] != '\n'; ++at) {
            if (text[at] == '\\' && at + 1 < text.size())
                ++at;
            word += text[at];
        }
        words.push_back(std::move(word));
    }
    return words;
}

bool parse_options(std::string_view text, session_settings& into)
{
    const auto words = split_options(text);
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view assignment = words[i];
        if (assignment == "-c") {
            if (++i == words.size())
                return false;
            assignment = words[i];
        } else if (assignment.starts_with("-c") || assignment.starts_with("--")) {
            assignment.remove_prefix(2);
        } else {
            return false;
        }
        const auto equals = assignment.find('=');
        if (equals == std::string_view::npos || equals == 0)
            return false;
        std::string name(assignment.substr(0, equals));
        std::replace(name.begin(), name.end(), '-', '_');
        into.set(name, assignment.substr(equals + 1));
    }
    return true;
}

// asyncpg sends client_encoding with quotes and a dash; the server knows both spellings, drivers
// that read it back only the canonical one.
std::string canonical_encoding(std::string_view value)
{
    std::string plain;
    for (const char c : lower_case(value)) {
        if (c != '\'' && c != '-' && c != '_')
            plain += c;
    }
    return plain == "utf8" || plain == "unicode" ? "UTF8" : std::string(value);
}

}  // namespace

std::string value_in_options(std::string_view options, std::string_view name)
{
    session_settings given;
    parse_options(options, given);
    const auto* found = given.find(name);
    return found ? *found : std::string();
}

bool startup_settings(const std::vector<std::pair<std::string, std::string>>& parameters,
                      session_settings& into)
{
    bool understood = true;
    // `options` first: a parameter of its own wins, as in PostgreSQL.
    for (const auto& [name, value] : parameters) {
        if (name == "options")
            understood = parse_options(value, into) && understood;
    }
    for (const auto& [name, value] : parameters) {
        if (name == "user" || name == "database" || name == "options" || name == "replication" ||
            name.starts_with("_pq_.") || name.starts_with("sluice."))
            continue;
        const std::string key = lower_case(name);
        into.set(key, key == "client_encoding" ? canonical_encoding(value) : value);
    }
    // In options: for the gateway.
    into.erase("sluice.tenant");
    into.erase("sluice.traceparent");
    return understood;
}

}  // namespace sluice::gateway
