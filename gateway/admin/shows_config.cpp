// gateway/admin/shows_config.cpp: what the configuration says: databases, users, settings.
#include <algorithm>

#include "gateway/admin/shows.hpp"
#include "gateway/config/change.hpp"
#include "gateway/config/keys.hpp"
#include "gateway/context.hpp"
#include "gateway/log/log.hpp"

namespace sluice::gateway::admin {
namespace {

constexpr std::string_view mode_names[] = {"session", "transaction", "statement"};
constexpr std::string_view engine_names[] = {"postgres", "mysql", "sqlite"};
// By takes_effect: SET does, the file and RELOAD do, the file and a restart do.
constexpr std::string_view changeable[] = {"yes", "file", "restart"};

template <class Enum, std::size_t N>
std::string name_in(const std::string_view (&names)[N], Enum value)
{
    return std::string(names[static_cast<std::size_t>(value)]);
}

cell count(std::size_t value)
{
    return static_cast<std::int64_t>(value);
}

cell text_or_null(const std::string& value)
{
    return value.empty() ? cell() : cell(value);
}

class config_lines {
public:
    explicit config_lines(answer& into) : into_(into) {}

    void add(const std::string& name,
             std::string value,
             std::string_view fallback,
             std::string_view help,
             takes_effect how = takes_effect::by_reload)
    {
        into_.rows.push_back({cell(name),
                              cell(std::move(value)),
                              cell(std::string(fallback)),
                              cell(std::string(changeable[static_cast<std::size_t>(how)])),
                              cell(std::string(help))});
    }

    // Keys of one section that are plain values: none of them is a secret.
    void section(std::string_view keys,
                 const std::string& where,
                 const void* from,
                 engine of = engine::postgres)
    {
        for (const auto& each : keys_of(keys)) {
            if (each.load)
                add(where + "." + std::string(each.name),
                    written(each, each.load(from)),
                    each.fallback,
                    each.help,
                    effect_of(keys, each, of));
        }
    }

private:
    answer& into_;
};

std::string addresses(const std::vector<endpoint>& all)
{
    std::string made;
    for (const auto& each : all)
        made += (made.empty() ? "" : ", ") + each.text();
    return made;
}

}  // namespace

address address_of(const database& entry, const std::string& name)
{
    address made;
    switch (entry.engine) {
        case engine::postgres: {
            made.host = entry.postgres.parameter("host");
            const auto port = entry.postgres.parameter("port");
            made.port = port.empty() ? 5432 : std::atoll(port.c_str());
            made.database = entry.name == "*" ? name : entry.postgres.parameter("dbname");
            made.user = entry.postgres.parameter("user");
            break;
        }
        case engine::mysql:
            made.host = entry.mysql.socket.empty() ? entry.mysql.host : entry.mysql.socket;
            made.port = entry.mysql.socket.empty() ? entry.mysql.port : 0;
            made.database = entry.mysql.dbname.empty() ? name : entry.mysql.dbname;
            made.user = entry.mysql.user;
            break;
        case engine::sqlite:
            made.database = entry.sqlite.file;
            break;
    }
    return made;
}

void show_databases(context& shared, answer& into)
{
    const auto settings = settings_of(shared);
    std::map<std::string, std::size_t> open;
    shared.databases.for_each(
        [&](const std::string& name, relay_database& each) { open[name] += each.pool().open(); });
    auto names = shared.databases.names();
    for (const auto& [name, entry] : settings->databases)
        names.insert(name);
    for (const auto& name : names) {
        const auto* entry = settings->find_database(name);
        if (!entry)
            continue;
        const auto at = address_of(*entry, name);
        const bool relayed = entry->engine != engine::sqlite;
        into.rows.push_back({name,
                             text_or_null(at.host),
                             at.port,
                             at.database,
                             text_or_null(at.user),
                             std::int64_t{relayed ? entry->pool.size : entry->sqlite.readers + 1},
                             std::int64_t{relayed ? entry->pool.min : 0},
                             std::int64_t{0},
                             relayed ? name_in(mode_names, entry->pool.mode) : "transaction",
                             std::int64_t{0},
                             count(open[name]),
                             std::int64_t{shared.operations.paused(name)},
                             std::int64_t{shared.operations.disabled(name)},
                             name_in(engine_names, entry->engine),
                             count(entry->max_clients),
                             count(shared.limits.clients_of_database(name))});
    }
}

void show_users(context& shared, answer& into)
{
    const auto settings = settings_of(shared);
    for (const auto& [name, entry] : settings->users) {
        std::string databases;
        for (const auto& each : entry.databases)
            databases += (databases.empty() ? "" : ", ") + each;
        into.rows.push_back({name,
                             entry.pool_mode ? cell(name_in(mode_names, *entry.pool_mode)) : cell(),
                             count(entry.max_clients),
                             count(shared.limits.clients_of_user(name)),
                             databases,
                             entry.backend_user,
                             std::int64_t{entry.admin},
                             std::int64_t{entry.stats || entry.admin}});
    }
}

void show_config(context& shared, answer& into)
{
    const auto held = settings_of(shared);
    const config& settings = *held;
    config_lines lines(into);
    lines.add("conffile", settings.file, "", "the file that was loaded");
    lines.add("max_client_conn",
              std::to_string(settings.gateway.max_clients),
              "10000",
              "gateway.max_clients, as PgBouncer's tools call it");
    lines.add("max_user_connections", "0", "0", "PgBouncer's; see users.NAME.max_clients");
    lines.section("gateway", "gateway", &settings.gateway);
    lines.section(
        "gateway.tcp_keepalive", "gateway.tcp_keepalive", &settings.gateway.tcp_keepalive);
    // The level may have been changed here.
    auto log_now = settings.gateway.log;
    log_now.level = log::level();
    lines.section("gateway.log", "gateway.log", &log_now);
    lines.add("listen.postgres", addresses(settings.listen.postgres), "", "for PostgreSQL clients");
    lines.add("listen.mysql", addresses(settings.listen.mysql), "", "for MySQL clients");
    lines.add("listen.http",
              settings.listen.http ? settings.listen.http->text() : "",
              "",
              "metrics and dashboard");
    lines.section("listen", "listen", &settings.listen);
    lines.section("listen.tls", "listen.tls", &settings.listen.tls);
    lines.section("auth", "auth", &settings.auth);
    for (const auto& [name, entry] : settings.databases) {
        const auto where = "databases." + name;
        const auto at = address_of(entry, name);
        lines.add(where + ".engine", name_in(engine_names, entry.engine), "", "");
        lines.section("databases.NAME", where, &entry);
        if (entry.engine == engine::sqlite) {
            lines.add(where + ".file", at.database, "", "the database file");
            lines.section("databases.NAME (sqlite)", where, &entry.sqlite, entry.engine);
            continue;
        }
        lines.add(where + ".host", at.host, "", "");
        lines.add(where + ".port", std::to_string(at.port), "", "");
        lines.add(where + ".user", at.user, "", "");
        lines.add(where + ".dbname", at.database, "", "");
        lines.section("databases.NAME.pool", where + ".pool", &entry.pool);
    }
    lines.section("tenants", "tenants", &settings.tenants);
    for (const auto& [name, entry] : settings.tenants.named)
        lines.section("tenants.NAME", "tenants." + name, &entry);
}

}  // namespace sluice::gateway::admin
