// gateway/config/databases.cpp: [databases.NAME]: what the gateway connects to.
#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>
#include <utility>

#include "gateway/config/keys.hpp"
#include "gateway/config/near.hpp"
#include "gateway/config/sections.hpp"

namespace sluice::gateway {
namespace {

constexpr std::string_view postgres_only[] = {
    "url", "host", "port", "user", "dbname", "password", "password_file"};
constexpr std::string_view mysql_only[] = {"url",
                                           "host",
                                           "port",
                                           "user",
                                           "dbname",
                                           "password",
                                           "password_file",
                                           "socket",
                                           "charset",
                                           "tls"};
constexpr std::string_view sqlite_only[] = {"file",
                                            "readers",
                                            "readonly",
                                            "create",
                                            "max_size",
                                            "max_value",
                                            "max_sql",
                                            "durability",
                                            "group_commit",
                                            "exclusive"};
// What a url may say about files, relative to the configuration like every other path.
constexpr std::string_view file_options[] = {
    "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir", "passfile"};
// Of a SQLite database's pool.
constexpr std::string_view sqlite_pool_keys[] = {"max_queued", "queue_timeout"};
// Of a SQLite database that does not say: its only writer is not held by who does nothing.
constexpr duration sqlite_idle_transaction_timeout = std::chrono::seconds(5);

bool is_in(std::string_view word, std::span<const std::string_view> words)
{
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool all_ports(const std::string& list)
{
    std::size_t start = 0;
    for (;;) {
        const auto comma = std::min(list.find(',', start), list.size());
        unsigned port = 0;
        const char* last = list.data() + comma;
        const auto [end, ec] = std::from_chars(list.data() + start, last, port);
        if (comma != start && (ec != std::errc{} || end != last || port < 1 || port > 65535))
            return false;
        if (comma == list.size())
            return true;
        start = comma + 1;
    }
}

// libpq quotes what it could not read, which may be the password: all but a plain option name goes.
std::string without_quotes(std::string message)
{
    while (message.ends_with('\n'))
        message.pop_back();
    const auto first = message.find('"');
    if (first == std::string::npos)
        return message;
    const auto last = message.rfind('"');
    const std::string inside = message.substr(first + 1, last > first ? last - first - 1 : 0);
    const bool is_option = message.starts_with("invalid URI query parameter: ") ||
                           message.starts_with("invalid connection option ");
    if (is_option && inside.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos)
        return message;
    return message.substr(0, first) + "...";
}

void add_parameter(database& into, std::string_view keyword, std::string value)
{
    into.postgres.parameters.emplace_back(std::string(keyword), std::move(value));
}

void read_url(const member& entry, database& into, problems& found)
{
    const std::string url = text_of(entry, found);
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(url.c_str(), &message), &PQconninfoFree);
    const std::unique_ptr<char, decltype(&PQfreemem)> freed(message, &PQfreemem);
    if (!options) {
        found.error(
            entry.value.at,
            "url is not what libpq takes: " + without_quotes(message ? message : "out of memory") +
                "; valid: \"postgresql://user@host:port/dbname?option=value\" or "
                "\"host=... port=...\"");
        return;
    }
    for (const auto* option = options.get(); option->keyword; ++option) {
        if (!option->val || *option->val == '\0')
            continue;
        const std::string_view keyword = option->keyword;
        std::string value = option->val;
        if (keyword == "password") {
            into.postgres.password = secret(value);
            continue;
        }
        if (keyword == "port" && !all_ports(value))
            found.error(entry.value.at, "url: a port is an integer from 1 to 65535");
        if (is_in(keyword, file_options) && value != "system")
            value = resolve_path(entry.value.at, value);
        add_parameter(into, keyword, std::move(value));
    }
}

void read_parts(const node& table, database& into, problems& found)
{
    for (const auto* name : {"host", "user", "dbname"}) {
        if (const auto* entry = table.find(name))
            add_parameter(into, name, text_of(*entry, found));
    }
    static constexpr key port{"port", key_type::integer, 1, 65535, {}, "5432", "", nullptr};
    if (const auto* entry = table.find("port")) {
        if (const auto made = read_scalar(port, entry->value, found))
            add_parameter(into, "port", std::to_string(std::get<std::int64_t>(*made)));
    }
}

void read_pool(const std::string& where, const node& table, database& into, problems& found)
{
    node plain = table;
    if (const auto* size = table.find("size");
        size && size->value.kind == node_kind::text && size->value.text == "auto") {
        into.pool.find_size = true;
        std::erase_if(plain.members, [](const member& m) { return m.key == "size"; });
    }
    read_keys(where + ".pool", keys_of("databases.NAME.pool"), plain, &into.pool, found);
    for (const auto& entry : table.members) {
        if (into.engine == engine::sqlite && !is_in(entry.key, sqlite_pool_keys))
            found.warning(entry.key_at, "pool." + entry.key + " has no effect on SQLite");
    }
    if (into.pool.find_size)
        into.pool.size = into.pool.max;
    else if (const auto* max = table.find("max"))
        found.error(max->key_at, pool_max_alone);
    const auto* min = table.find("min");
    if (min && into.pool.min > into.pool.size)
        found.error(min->value.at, pool_min_too_large(into.pool));
}

// False: the engine is missing or wrong.
bool read_engine(const member& entry, database& into, problems& found)
{
    static constexpr std::string_view engines[] = {"postgres", "mysql", "sqlite"};
    static constexpr engine meanings[] = {engine::postgres, engine::mysql, engine::sqlite};
    static constexpr key engine_key{"engine", key_type::choice, 0, 0, engines, "", "", nullptr};
    const auto* named = entry.value.find("engine");
    if (!named) {
        found.error(entry.key_at,
                    "[databases." + entry.key +
                        "] has no engine; valid: engine = \"postgres\", \"mysql\" or \"sqlite\"");
        return false;
    }
    const auto made = read_scalar(engine_key, named->value, found);
    if (made)
        into.engine = meanings[std::get<std::int64_t>(*made)];
    return made.has_value();
}

// What only other engines know.
void refuse_foreign_keys(const node& table, engine of, problems& found)
{
    const auto knows = [](engine which, std::string_view name) {
        switch (which) {
            case engine::postgres:
                return is_in(name, postgres_only);
            case engine::mysql:
                return is_in(name, mysql_only);
            case engine::sqlite:
                return is_in(name, sqlite_only);
        }
        return false;
    };
    static constexpr std::pair<engine, std::string_view> all[] = {
        {engine::postgres, "postgres"}, {engine::mysql, "mysql"}, {engine::sqlite, "sqlite"}};
    for (const auto& entry : table.members) {
        std::string_view own;
        bool elsewhere = false;
        for (const auto& [which, name] : all) {
            own = which == of ? name : own;
            elsewhere = elsewhere || (which != of && knows(which, entry.key));
        }
        if (elsewhere && !knows(of, entry.key))
            found.error(entry.key_at,
                        entry.key + " is not for engine = \"" + std::string(own) + "\"");
    }
}

bool lies_below(const std::string& file, const std::string& folder)
{
    namespace fs = std::filesystem;
    std::error_code ec;
    const auto top = fs::weakly_canonical(folder, ec);
    const auto inside = fs::weakly_canonical(file, ec).lexically_relative(top);
    return !inside.empty() && *inside.begin() != ".." && *inside.begin() != ".";
}

void check_same_files(const node& table, const config& settings, problems& found)
{
    std::map<std::string, std::string> owners;
    for (const auto& entry : table.members) {
        const auto made = settings.databases.find(entry.key);
        if (made == settings.databases.end() || made->second.sqlite.file.empty())
            continue;
        const auto& below = settings.gateway.sqlite_folder;
        if (!below.empty() && !lies_below(made->second.sqlite.file, below))
            found.error(entry.key_at,
                        "[databases." + entry.key + "] has its file outside of " +
                            "gateway.sqlite_folder = \"" + below + '"');
        const auto [owner, fresh] = owners.emplace(made->second.sqlite.file, entry.key);
        if (!fresh)
            found.error(entry.key_at,
                        "[databases." + entry.key + "] has the same file as [databases." +
                            owner->second + "]; a file belongs to one database");
    }
}

}  // namespace

std::string pool_min_too_large(const pool_config& in)
{
    return "pool.min = " + std::to_string(in.min) + " is more than pool." +
           (in.find_size ? "max" : "size") + " = " + std::to_string(in.size);
}

void read_postgres(const node& table, database& into, problems& found)
{
    const auto* url = table.find("url");
    for (const auto* part : {"host", "port", "user", "dbname"}) {
        if (const auto* entry = table.find(part); entry && url)
            found.error(entry->key_at, entry->key + " and url are both set; say it in the url");
    }
    if (url)
        read_url(*url, into, found);
    else if (table.find("host"))
        read_parts(table, into, found);
    else
        found.error(table.at, "[databases." + into.name + "] needs url, or host");
    secret separate = read_secret(table, "password", found);
    if (!separate.empty() && !into.postgres.password.empty())
        found.error(url->key_at, "the url holds a password and password is set too; keep one");
    if (!separate.empty())
        into.postgres.password = std::move(separate);

    const bool named = !into.postgres.parameter("dbname").empty();
    if (into.name == "*" && named)
        found.error(table.at,
                    "[databases.\"*\"] serves every name under that name; leave dbname out");
    else if (into.name != "*" && !named && into.postgres.parameter("service").empty())
        add_parameter(into, "dbname", into.name);
}

void read_sqlite(const node& table, database& into, problems& found)
{
    if (into.name == "*")
        found.error(table.at, "[databases.\"*\"] is for engine = \"postgres\" or \"mysql\" only");
    node own = table;
    std::erase_if(own.members,
                  [](const member& m) { return m.key == "file" || !is_in(m.key, sqlite_only); });
    read_keys(
        "databases." + into.name, keys_of("databases.NAME (sqlite)"), own, &into.sqlite, found);
    if (!table.find("idle_transaction_timeout"))
        into.idle_transaction_timeout = sqlite_idle_transaction_timeout;
    const auto* entry = table.find("file");
    if (!entry) {
        found.error(table.at, "[databases." + into.name + "] needs file");
        return;
    }
    const std::string name = text_of(*entry, found);
    if (name.empty() || name.starts_with(":") || name.starts_with("file:")) {
        found.error(entry->value.at,
                    "file is the name of a file; \"" + entry->value.written +
                        "\" is not (no URI, no database in memory)");
        return;
    }
    namespace fs = std::filesystem;
    std::error_code ec;
    // Links in the folder's path are resolved; the file itself must be none, the driver says so.
    const auto written = fs::absolute(resolve_path(entry->value.at, name), ec).lexically_normal();
    const fs::path path = fs::weakly_canonical(written.parent_path(), ec) / written.filename();
    into.sqlite.file = path.string();
    if (fs::is_directory(path, ec))
        found.error(entry->value.at, "file: " + path.string() + " is a folder");
    else if (!fs::is_directory(path.parent_path(), ec))
        found.error(entry->value.at, "file: there is no folder " + path.parent_path().string());
    else if (!fs::exists(path, ec) && (!into.sqlite.create || into.sqlite.readonly))
        found.error(entry->value.at,
                    "file: there is no " + path.string() +
                        ", and readonly or create = false says not to make it");
    else if (fs::exists(path, ec) && !readable(path.string()))
        found.error(entry->value.at, "file: cannot read " + path.string());
}

void read_databases(const node& table, config& into, problems& found)
{
    for (const auto& entry : table.members) {
        const std::string where = "databases." + entry.key;
        if (!is_table(where, entry.value, found))
            continue;
        database made;
        made.name = entry.key;
        read_keys(where, keys_of("databases.NAME"), entry.value, &made, found);
        if (read_engine(entry, made, found)) {
            refuse_foreign_keys(entry.value, made.engine, found);
            switch (made.engine) {
                case engine::postgres:
                    read_postgres(entry.value, made, found);
                    break;
                case engine::mysql:
                    read_mysql(entry.value, made, found);
                    break;
                case engine::sqlite:
                    read_sqlite(entry.value, made, found);
                    break;
            }
        }
        // Whatever the engine: all mistakes are said at once.
        const auto* pool = entry.value.find("pool");
        if (pool && is_table(where + ".pool", pool->value, found))
            read_pool(where, pool->value, made, found);
        into.databases.emplace(entry.key, std::move(made));
    }
    check_same_files(table, into, found);
}

}  // namespace sluice::gateway
