// gateway/admin/shows.cpp: which SHOW needs what, and the small ones.
#include "gateway/admin/shows.hpp"

#include <fstream>

#include <malloc.h>
#include <unistd.h>

#include "gateway/context.hpp"
#include "gateway/worker.hpp"
#include "generated/version.hpp"

namespace sluice::gateway::admin {
namespace {

using statistics::parts;

cell text(std::string_view value)
{
    return std::string(value);
}

void show_help(answer& into)
{
    const auto line = [&](std::string_view command, std::string_view help) {
        into.rows.push_back({text(command), text(help)});
    };
    for (const auto& each : all_topics())
        line("SHOW " + std::string(each.name), each.help);
    line("PAUSE [db]", "let running requests end, close connections, keep clients waiting");
    line("RESUME [db]", "end PAUSE and KILL");
    line("DISABLE db", "refuse new clients");
    line("ENABLE db", "end DISABLE");
    line("RECONNECT [db]", "replace connections when they are free");
    line("WAIT_CLOSE [db]", "wait for the end of what RECONNECT replaces");
    line("KILL db", "drop clients and connections at once; new clients wait for RESUME");
    line("KILL_CLIENT id", "drop one client: id or ptr of SHOW CLIENTS");
    line("RELOAD", "read the configuration again");
    line("SET key = value", "until the next start or RELOAD; SHOW CONFIG says what can be set");
    line("SHUTDOWN", "end at once");
    line("SHUTDOWN WAIT_FOR_CLIENTS", "end when clients are between transactions");
}

void show_lists(context& shared, const statistics::snapshot& now, answer& into)
{
    const auto settings = settings_of(shared);
    std::int64_t login = 0;
    std::int64_t waiting = 0;
    for (const auto& each : now.clients) {
        login += each.state == statistics::client_state::login;
        waiting += each.state == statistics::client_state::waiting;
    }
    std::int64_t idle = 0;
    std::int64_t open = 0;
    for (const auto& each : now.pools) {
        idle += static_cast<std::int64_t>(each.idle);
        open += static_cast<std::int64_t>(each.open);
    }
    const auto clients = static_cast<std::int64_t>(shared.clients.load());
    const auto line = [&](std::string_view name, auto items) {
        into.rows.push_back({text(name), static_cast<std::int64_t>(items)});
    };
    line("databases", settings->databases.size());
    line("users", settings->users.size());
    line("pools", now.pools.size());
    line("free_clients", 0);
    line("used_clients", clients - login);
    line("login_clients", login);
    line("free_servers", idle);
    line("used_servers", open - idle);
    line("dns_names", 0);
    line("dns_zones", 0);
    line("dns_queries", 0);
    line("dns_pending", 0);
    line("tenants", shared.tenants.size());
    line("waiting_clients", waiting);
    line("workers", shared.workers.size());
}

void show_state(context& shared, answer& into)
{
    const bool paused = shared.operations.paused({});
    const bool draining = shared.control.draining();
    const auto line = [&](std::string_view name, bool yes) {
        into.rows.push_back({text(name), text(yes ? "yes" : "no")});
    };
    line("active", !paused && !draining);
    line("paused", paused);
    line("suspended", false);
    line("draining", draining);
}

void show_mem(answer& into)
{
    const auto heap = ::mallinfo2();
    const auto line = [&](std::string_view name, std::size_t used, std::size_t free) {
        into.rows.push_back({text(name),
                             std::int64_t{0},
                             static_cast<std::int64_t>(used),
                             static_cast<std::int64_t>(free),
                             static_cast<std::int64_t>(used + free)});
    };
    line("heap", heap.uordblks, heap.fordblks);
    line("large_blocks", heap.hblkhd, 0);
    std::ifstream statm("/proc/self/statm");
    std::size_t all = 0;
    std::size_t resident = 0;
    if (statm >> all >> resident)
        line("resident", resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), 0);
}

}  // namespace

std::shared_ptr<const config> settings_of(context& shared)
{
    return shared.settings();
}

std::optional<parts> parts_for(topic what) noexcept
{
    switch (what) {
        case topic::waiting:
        case topic::pins:
            return parts::clients;
        case topic::clients:
            return parts::clients | parts::ends;
        case topic::servers:  // who has which
            return parts::clients | parts::servers;
        case topic::pools:
            return parts::servers | parts::pools;
        case topic::lists:
            return parts::clients | parts::pools;
        default:
            return std::nullopt;
    }
}

answer show(context& shared, topic what, const statistics::snapshot* now)
{
    answer made;
    made.columns = columns_of(what);
    if (parts_for(what) && !now) {
        made.failure = {"XX000", 1815, "HY000", "the workers did not answer", {}};
        return made;
    }
    switch (what) {
        case topic::help:
            show_help(made);
            break;
        case topic::pools:
            show_pools(shared, *now, made);
            break;
        case topic::clients:
            show_clients(*now, made);
            break;
        case topic::servers:
            show_servers(shared, *now, made);
            break;
        case topic::stats:
        case topic::stats_totals:
        case topic::stats_averages:
        case topic::totals:
            show_stats(shared, what, made);
            break;
        case topic::lists:
            show_lists(shared, *now, made);
            break;
        case topic::databases:
            show_databases(shared, made);
            break;
        case topic::users:
            show_users(shared, made);
            break;
        case topic::config:
            show_config(shared, made);
            break;
        case topic::version:
            made.rows.push_back({text(std::string("Sluice ") + version)});
            break;
        case topic::state:
            show_state(shared, made);
            break;
        case topic::mem:
            show_mem(made);
            break;
        case topic::tenants:
            show_tenants(shared, made);
            break;
        case topic::waiting:
            show_waiting(shared, *now, made);
            break;
        case topic::pins:
            show_pins(*now, made);
            break;
        case topic::statements:
            show_statements(shared, made);
            break;
        case topic::errors:
            show_errors(shared, made);
            break;
    }
    if (now && now->truncated)
        made.notices.push_back("there are more than these");
    return made;
}

}  // namespace sluice::gateway::admin
