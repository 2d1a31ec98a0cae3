// gateway/tenants/waiting.cpp: the lines of all pools, and the numbers behind each wait.
#include "gateway/tenants/waiting.hpp"

#include "gateway/context.hpp"
#include "gateway/relay/relay_database.hpp"

namespace sluice::gateway {
namespace {

struct room {
    std::string database;
    std::string pool;
    std::size_t used = 0;
    std::size_t size = 0;
};

void append(std::vector<waiting_request>& to,
            const room& of,
            std::vector<pool::dispatcher::wait>&& waits)
{
    for (auto& each : waits) {
        waiting_request made{each.tenant,
                             of.database,
                             of.pool,
                             each.client,
                             each.reason,
                             each.waited,
                             each.worker,
                             each.position,
                             of.used,
                             static_cast<double>(of.size)};
        const auto& limits = each.tenant->limits();
        if (each.reason == pool::wait_reason::tenant_limit) {
            made.used = each.tenant->running();
            made.most = static_cast<double>(limits.max_concurrent);
        } else if (each.reason == pool::wait_reason::rate) {
            made.used = 0;
            made.most = limits.max_rate;
        }
        to.push_back(std::move(made));
    }
}

// 2.5, 1000
std::string plain(double number)
{
    std::string text = std::to_string(number);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.'))
        text.pop_back();
    return text;
}

}  // namespace

std::string describe(const waiting_request& what)
{
    const std::string used = std::to_string(what.used);
    switch (what.reason) {
        case pool::wait_reason::tenant_limit:
            return used + " of max_concurrent = " + plain(what.most) + " requests run";
        case pool::wait_reason::rate:
            return "max_rate = " + plain(what.most) + " per second is used up";
        case pool::wait_reason::pool_full:
            return used + " of " + plain(what.most) + " connections are in use";
        case pool::wait_reason::priority:
            return used + " of " + plain(what.most) +
                   " connections are in use, and requests of higher priority wait";
        case pool::wait_reason::connecting:
            return "no connection to the database is open yet";
    }
    return {};
}

std::string describe_buffer(const pool::tenant& of)
{
    return std::to_string(of.buffered()) +
           " of max_buffer = " + std::to_string(of.limits().max_buffer) + " bytes are in flight";
}

std::vector<waiting_request> list_waiting(context& shared, std::size_t most)
{
    std::vector<waiting_request> all;
    shared.databases.for_each([&](const std::string& name, relay_database& each) {
        auto& pool = each.pool();
        if (all.size() < most && pool.waiting() > 0)
            append(all,
                   {name, pool.name(), pool.in_flight(), pool.in_flight_limit()},
                   pool.list_waiting(most - all.size()));
    });
    shared.files.for_each_places([&](const std::string& name, pool::admission& places) {
        if (all.size() < most && places.line().waiting() > 0)
            append(all,
                   {name, name, places.inside(), places.size()},
                   places.line().list_waiting(most - all.size(), false));
    });
    return all;
}

std::vector<tenant_standing> list_standings(context& shared)
{
    std::vector<tenant_standing> all;
    const auto add =
        [&](const std::string& database, const std::string& pool, const pool::dispatcher& line) {
            for (auto& each : line.list_accounts())
                all.push_back({database, pool, std::move(each)});
        };
    shared.databases.for_each([&](const std::string& name, relay_database& each) {
        add(name, each.pool().name(), each.pool().line());
    });
    shared.files.for_each_places(
        [&](const std::string& name, pool::admission& places) { add(name, name, places.line()); });
    return all;
}

}  // namespace sluice::gateway
