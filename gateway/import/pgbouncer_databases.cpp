// gateway/import/pgbouncer_databases.cpp: [databases]: connection strings and their pools.
#include <algorithm>
#include <charconv>
#include <map>

#include "gateway/config/config.hpp"
#include "gateway/import/translation.hpp"

namespace sluice::gateway::importing {
namespace {

using words = std::map<std::string, std::string>;

// What one connection string may say beside libpq's host, port, user, dbname and password.
constexpr std::pair<std::string_view, std::string_view> without_counterpart[] = {
    {"auth_user", "passwords are not asked from the database; list users in [users.NAME]"},
    {"auth_query", "passwords are not asked from the database; list users in [users.NAME]"},
    {"auth_dbname", "passwords are not asked from the database; list users in [users.NAME]"},
    {"connect_query", "use ALTER ROLE .. SET, or options=-c.. in the url"},
    {"reserve_pool", "there is no reserve; add it to pool.size"},
    {"reserve_pool_size", "there is no reserve; add it to pool.size"},
    {"load_balance_hosts",
     "hosts are tried in order; with libpq 16 the url takes load_balance_hosts=random"},
    {"server_lifetime", ""},
    {"pool_size", ""},
    {"min_pool_size", ""},
    {"pool_mode", ""},
    {"max_db_connections", ""},
    {"max_db_client_connections", ""},
    {"client_encoding", ""},
    {"datestyle", ""},
    {"timezone", ""},
    {"host", ""},
    {"port", ""},
    {"user", ""},
    {"dbname", ""},
    {"password", ""},
};

// A value of libpq's keyword form.
std::string conninfo_value(std::string_view text)
{
    const bool plain = !text.empty() && text.find_first_of(" '\\\t") == std::string_view::npos;
    if (plain)
        return std::string(text);
    std::string made = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\')
            made += '\\';
        made += c;
    }
    return made + "'";
}

// "-c name=value" for the server, where a blank needs a backslash.
std::string server_option(std::string_view name, std::string_view value)
{
    std::string made = "-c " + std::string(name) + "=";
    for (const char c : value) {
        if (c == ' ' || c == '\\')
            made += '\\';
        made += c;
    }
    return made;
}

class database_writer {
public:
    database_writer(translation& in, const ini_entry& entry, words given)
        : in_(in),
          entry_(entry),
          given_(std::move(given)),
          table_("databases." + toml_key(entry.key))
    {
    }

    void write()
    {
        in_.out.put(table_, "engine", toml_string("postgres"));
        if (entry_.key == "*" && given_.contains("dbname")) {
            in_.note(entry_,
                     "dbname = " + given_.at("dbname") +
                         " is left out: \"*\" serves every name under that name");
            given_.erase("dbname");
        }
        write_server();
        if (given_.contains("password"))
            in_.out.put(table_, "password", toml_string(given_.at("password")));
        if (const auto most = number("max_db_client_connections"))
            in_.put(table_, "databases.NAME", "max_clients", scalar(most), &entry_);
        write_pool();
        for (const auto& [name, value] : given_) {
            const auto* known = std::find_if(std::begin(without_counterpart),
                                             std::end(without_counterpart),
                                             [&](const auto& each) { return each.first == name; });
            if (known == std::end(without_counterpart))
                in_.note(entry_, name + " is no parameter that this version knows; it is left out");
            else if (!known->second.empty())
                in_.note(entry_, name + " has no counterpart; " + std::string(known->second));
        }
    }

private:
    void write_server()
    {
        auto options = connection_options();
        if (options.empty() && given_.contains("host")) {
            for (const auto* name : {"host", "port", "user", "dbname"}) {
                const auto found = given_.find(name);
                if (found == given_.end() ||
                    (name == std::string_view("dbname") && found->second == entry_.key))
                    continue;
                in_.out.put(table_,
                            name,
                            name == std::string_view("port") && is_port(found->second)
                                ? found->second
                                : toml_string(found->second));
            }
            return;
        }
        std::string url;
        for (const auto* name : {"host", "port", "user", "dbname"}) {
            if (given_.contains(name))
                url += (url.empty() ? "" : " ") + (name + ("=" + conninfo_value(given_.at(name))));
        }
        for (const auto& [name, value] : options)
            url += (url.empty() ? "" : " ") + name + "=" + conninfo_value(value);
        // An empty url is libpq's defaults, as an empty connection string is PgBouncer's.
        in_.out.put(table_, "url", toml_string(url));
        if (!given_.contains("host"))
            in_.note(entry_,
                     "names no host: libpq's default is used, a Unix socket in its own "
                     "folder (Debian: /var/run/postgresql)");
    }

    // libpq's, of this database and of [pgbouncer].
    std::vector<std::pair<std::string, std::string>> connection_options()
    {
        std::vector<std::pair<std::string, std::string>> made;
        for (const auto& [from, to] : {std::pair{"server_tls_sslmode", "sslmode"},
                                       {"server_tls_ca_file", "sslrootcert"},
                                       {"server_tls_cert_file", "sslcert"},
                                       {"server_tls_key_file", "sslkey"}}) {
            const auto* entry = in_.global(from);
            if (!entry || entry->value.empty())
                continue;
            const bool is_file = to != std::string_view("sslmode");
            made.emplace_back(to, is_file ? beside(entry->at.file, entry->value) : entry->value);
        }
        if (const auto* entry = in_.global("tcp_user_timeout"); entry && entry->value != "0")
            made.emplace_back("tcp_user_timeout", entry->value);
        if (given_.contains("client_encoding"))
            made.emplace_back("client_encoding", given_.at("client_encoding"));
        std::string options;
        for (const auto* name : {"datestyle", "timezone"}) {
            if (given_.contains(name))
                options += (options.empty() ? "" : " ") + server_option(name, given_.at(name));
        }
        if (!options.empty())
            made.emplace_back("options", options);
        return made;
    }

    static bool is_port(std::string_view text)
    {
        unsigned port = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
        return ec == std::errc{} && end == text.data() + text.size() && port > 0 && port <= 65'535;
    }

    // Of the connection string, else 0.
    std::int64_t number(const std::string& name)
    {
        const auto found = given_.find(name);
        if (found == given_.end())
            return in_.global(name) ? in_.global_whole(name) : 0;
        ini_entry entry = entry_;
        entry.key = name;
        entry.value = found->second;
        return in_.whole(entry).value_or(0);
    }

    void write_pool()
    {
        const auto pool = table_ + ".pool";
        const std::string section = "databases.NAME.pool";
        const auto mode =
            given_.contains("pool_mode") ? given_.at("pool_mode") : in_.global_value("pool_mode");
        if (mode != "session" && mode != "transaction" && mode != "statement")
            in_.error(entry_.at, "pool_mode = " + mode + " is none of PgBouncer's");
        // Always there: PgBouncer's default is another than Sluice's.
        in_.out.put(pool, "mode", toml_string(mode));
        auto size = given_.contains("pool_size") ? number("pool_size")
                                                 : in_.global_whole("default_pool_size");
        if (size == 0) {
            in_.note(entry_, "a pool without limit becomes pool.size = 10000");
            size = 10'000;
        }
        if (const auto most = number("max_db_connections"); most > 0 && most < size) {
            size = most;
            in_.note(entry_,
                     "max_db_connections = " + std::to_string(most) +
                         " becomes pool.size, which counts each backend user's "
                         "connections for themselves");
        } else if (most > 0 && !given_.contains("user")) {
            in_.note(entry_,
                     "max_db_connections has no counterpart over several users; pool.size "
                     "limits each backend user's connections");
        }
        in_.put(pool, section, "size", scalar(size), &entry_);
        const auto least = given_.contains("min_pool_size") ? number("min_pool_size")
                                                            : in_.global_whole("min_pool_size");
        in_.put(pool, section, "min", scalar(std::min(least, size)), &entry_);
        write_times(pool, section);
    }

    void write_times(const std::string& pool, const std::string& section)
    {
        const auto timed = [&](std::string_view key, std::string_view from) {
            in_.put(pool, section, key, scalar(in_.global_milliseconds(from)), in_.global(from));
        };
        timed("queue_timeout", "query_wait_timeout");
        timed("idle_timeout", "server_idle_timeout");
        timed("connect_timeout", "server_connect_timeout");
        if (given_.contains("server_lifetime"))
            in_.put(pool, section, "lifetime", scalar(number("server_lifetime") * 1000), &entry_);
        else
            timed("lifetime", "server_lifetime");
        const auto* query = in_.global("server_check_query");
        const auto off = query && (query->value.empty() || query->value == "''");
        if (off)
            in_.put(pool, section, "probe_after", scalar(std::int64_t{0}), query);
        else
            timed("probe_after", "server_check_delay");
        if (query && !off && lower(query->value) != "select 1" && query->value != "<empty>")
            in_.note(*query, "has no counterpart; connections are probed with an empty statement");
        const auto* prepared = in_.global("max_prepared_statements");
        if (prepared && in_.global_whole("max_prepared_statements") == 0)
            in_.note(*prepared, "prepared statements always work; pool.max_prepared bounds them");
        else if (prepared)
            in_.put(
                pool, section, "max_prepared", scalar(in_.global_whole(prepared->key)), prepared);
    }

    translation& in_;
    const ini_entry& entry_;
    words given_;
    std::string table_;
};

}  // namespace

void translate_databases(translation& in)
{
    bool any = false;
    for (const auto& entry : in.from().entries) {
        if (entry.section != "databases")
            continue;
        any = true;
        const auto parsed = parse_connection_string(entry.value);
        if (!parsed) {
            in.error(entry.at, "the connection string reads key=value key='value' ..");
            continue;
        }
        words given;
        for (const auto& [name, value] : *parsed)
            given[name] = value;
        database_writer(in, entry, std::move(given)).write();
    }
    if (!any)
        in.error(in.start(), "there is no database in [databases]");
}

}  // namespace sluice::gateway::importing
