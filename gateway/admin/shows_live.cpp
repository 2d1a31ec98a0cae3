// gateway/admin/shows_live.cpp: what the workers say now: pools, clients, servers, who waits.
#include <cstdio>
#include <ctime>
#include <map>

#include "gateway/admin/shows.hpp"
#include "gateway/context.hpp"
#include "gateway/tenants/waiting.hpp"

namespace sluice::gateway::admin {
namespace {

using statistics::client_info;
using statistics::client_state;
using statistics::server_state;
using statistics::snapshot;
using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr std::size_t lines_max = 10'000;

std::int64_t number(std::uint64_t value)
{
    return static_cast<std::int64_t>(value);
}

// As PgBouncer writes times; empty: never.
std::string clock_time(const snapshot& now, statistics::time_point when)
{
    if (when == statistics::time_point{})
        return {};
    const auto at = std::chrono::system_clock::to_time_t(
        std::chrono::system_clock::now() -
        duration_cast<std::chrono::system_clock::duration>(now.taken - when));
    std::tm parts{};
    ::gmtime_r(&at, &parts);
    char text[40];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
    return text;
}

std::string pointer(std::uint64_t id)
{
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(id));
    return text;
}

struct host_port {
    std::string host;
    std::int64_t port = 0;
};

host_port split(const std::string& address)
{
    const auto colon = address.rfind(':');
    if (colon == std::string::npos || address.starts_with('/'))
        return {address, 0};
    return {address.substr(0, colon), std::atoll(address.c_str() + colon + 1)};
}

std::int64_t waited(const snapshot& now, const client_info& who)
{
    if (who.state != client_state::waiting)
        return 0;
    const auto us = duration_cast<microseconds>(now.taken - who.since).count();
    return us > 0 ? us : 0;
}

// PgBouncer's words; ours are the column activity.
std::string_view state_of(const client_info& who)
{
    return who.state == client_state::waiting ? "waiting"
           : who.state == client_state::login ? "login"
                                              : "active";
}

std::string_view state_of(const statistics::server_info& server)
{
    switch (server.state) {
        case server_state::active:
        case server_state::shared:
            return "active";
        case server_state::cleaning:
        case server_state::testing:
            return "tested";
        case server_state::idle:
            break;
    }
    return "idle";
}

address address_of(const config& settings, const std::string& database)
{
    const auto* entry = settings.find_database(database);
    return entry ? admin::address_of(*entry, database) : address();
}

// `own`: of the pool or connection; empty: the database's.
std::string user_of(const config& settings, const std::string& own, const std::string& database)
{
    return own.empty() ? address_of(settings, database).user : own;
}

// What names a connection among all: numbers of two servers may be the same.
using connection_key = std::pair<std::string_view, std::int64_t>;

}  // namespace

void show_pools(context& shared, const snapshot& now, answer& into)
{
    struct by_state {
        std::int64_t active = 0;
        std::int64_t idle = 0;
        std::int64_t tested = 0;
    };
    std::map<std::string, by_state> servers;
    for (const auto& each : now.servers) {
        auto& counted = servers[each.pool];
        if (each.state == server_state::idle)
            ++counted.idle;
        else if (each.state == server_state::active || each.state == server_state::shared)
            ++counted.active;
        else
            ++counted.tested;
    }
    const auto settings = settings_of(shared);
    for (const auto& pool : now.pools) {
        const auto& of = servers[pool.name];
        const auto wait = duration_cast<microseconds>(pool.oldest_wait).count();
        const auto waiting = number(pool.waiting);
        into.rows.push_back({pool.database,
                             user_of(*settings, pool.user, pool.database),
                             number(pool.clients) > waiting ? number(pool.clients) - waiting : 0,
                             waiting,
                             std::int64_t{0},
                             std::int64_t{0},
                             of.active,
                             std::int64_t{0},
                             std::int64_t{0},
                             of.idle,
                             std::int64_t{0},
                             of.tested,
                             number(pool.open > pool.working ? pool.open - pool.working : 0),
                             std::int64_t{wait / 1'000'000},
                             std::int64_t{wait % 1'000'000},
                             pool.mode,
                             pool.engine,
                             number(pool.size),
                             number(pool.open),
                             number(pool.clients),
                             std::int64_t{shared.operations.paused(pool.database)},
                             pool.last_failure,
                             pool.name});
    }
}

void show_clients(const snapshot& now, answer& into)
{
    for (const auto& who : now.clients) {
        const auto from = split(who.peer);
        const auto to = split(who.local);
        const auto wait = waited(now, who);
        into.rows.push_back(
            {std::string("C"),
             who.user,
             who.database,
             std::string(state_of(who)),
             from.host,
             from.port + who.unix_port,
             to.host,
             to.port + who.unix_port,
             clock_time(now, who.connected),
             clock_time(now, who.request),
             std::int64_t{wait / 1'000'000},
             std::int64_t{wait % 1'000'000},
             std::int64_t{who.leaving},
             pointer(who.id),
             who.backend ? pointer(static_cast<std::uint64_t>(who.backend)) : std::string(),
             std::int64_t{who.unix_pid},
             std::string(who.tls ? "TLS" : ""),
             who.application,
             number(who.id),
             std::string(name_of(who.state)),
             std::string(who.mysql ? "mysql" : "postgres"),
             who.tenant,
             who.pool,
             who.waits_for,
             who.pinned_by,
             std::int64_t{who.worker},
             number(who.prepared),
             number(who.unsent)});
    }
}

void show_servers(context& shared, const snapshot& now, answer& into)
{
    std::map<connection_key, std::uint64_t> users;  // with none, or several, nobody is named
    for (const auto& who : now.clients) {
        if (who.backend == 0)
            continue;
        const auto [found, fresh] = users.emplace(connection_key(who.pool, who.backend), who.id);
        if (!fresh)
            found->second = 0;
    }
    const auto settings = settings_of(shared);
    for (const auto& each : now.servers) {
        const auto to = address_of(*settings, each.database);
        const auto used = users.find({each.pool, each.id});
        const auto local = split(each.local);
        const bool linked = used != users.end() && used->second != 0;
        into.rows.push_back({std::string("S"),
                             each.user.empty() ? to.user : each.user,
                             each.database,
                             std::string(state_of(each)),
                             to.host,
                             to.port,
                             local.host,
                             local.port,
                             clock_time(now, each.opened),
                             clock_time(now, each.since),
                             std::int64_t{0},
                             std::int64_t{0},
                             std::int64_t{each.worn_out},
                             pointer(static_cast<std::uint64_t>(each.id)),
                             linked ? pointer(used->second) : std::string(),
                             each.id,
                             std::string(each.tls ? "TLS" : ""),
                             std::string(),
                             std::string(name_of(each.state)),
                             each.pool,
                             std::int64_t{each.worker},
                             number(each.requests),
                             number(each.prepared)});
    }
}

void show_waiting(context& shared, const snapshot& now, answer& into)
{
    std::map<std::uint64_t, waiting_request> lines;
    for (auto& each : list_waiting(shared, lines_max))
        lines.emplace(each.client, std::move(each));
    for (const auto& who : now.clients) {
        if (who.state != client_state::waiting)
            continue;
        const auto line = lines.find(who.id);
        const bool in_line = line != lines.end();
        // Those hold for everybody in line, whatever its place.
        const bool known =
            who.waits_for == "database paused" || who.waits_for == "server unreachable" || !in_line;
        const auto& said = who.waits_why.empty() ? who.waits_for : who.waits_why;
        into.rows.push_back({number(who.id),
                             who.user,
                             who.database,
                             who.tenant,
                             known ? said : describe(line->second),
                             waited(now, who),
                             clock_time(now, who.since),
                             number(in_line ? line->second.position : 0),
                             who.pool,
                             who.application,
                             who.peer});
    }
}

void show_pins(const snapshot& now, answer& into)
{
    for (const auto& who : now.clients) {
        if (who.pinned_by.empty())
            continue;
        into.rows.push_back({number(who.id),
                             who.user,
                             who.database,
                             who.tenant,
                             who.pinned_by,
                             clock_time(now, who.since),
                             who.pool,
                             who.backend,
                             who.application,
                             who.peer});
    }
}

}  // namespace sluice::gateway::admin
