// gateway/statistics/gather.cpp: asking the workers, in pieces.
#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <set>
#include <unordered_map>

#include <time.h>

#include <asio/post.hpp>
#include <asio/thread_pool.hpp>

#include "gateway/context.hpp"
#include "gateway/relay/link.hpp"
#include "gateway/statistics/snapshot.hpp"
#include "gateway/tenants/waiting.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway::statistics {
namespace {

// Nobody tries again while nobody asks; who is told "not ready" for ever never asks.
constexpr std::chrono::seconds failure_time{10};
constexpr std::size_t piece = 200;
constexpr std::size_t clients_max = 50'000;
constexpr std::size_t servers_max = 20'000;
constexpr std::size_t explained_max = 500;  // the scheduler's lock is held meanwhile

std::chrono::nanoseconds thread_time() noexcept
{
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::string_view name_of(pool_mode mode) noexcept
{
    switch (mode) {
        case pool_mode::session:
            return "session";
        case pool_mode::statement:
            return "statement";
        case pool_mode::transaction:
            break;
    }
    return "transaction";
}

// One question to all workers. Each has its own part of the answer until it is done.
class gathering : public std::enable_shared_from_this<gathering> {
public:
    using ended = std::function<void(std::shared_ptr<gathering>)>;

    // `over` is called on a worker's thread; finish() is for another one: it sorts what many said.
    gathering(context& shared, parts wanted, ended over)
        : shared_(shared),
          wanted_(wanted),
          over_(std::move(over)),
          parts_(shared.workers.size()),
          left_(shared.workers.size())
    {
    }

    void start()
    {
        if (has(wanted_, parts::servers))
            pools_ = shared_.databases.all();
        for (std::size_t i = 0; i < parts_.size(); ++i)
            asio::post(shared_.workers[i]->io(), [self = shared_from_this(), i] {
                if (has(self->wanted_, parts::clients))
                    self->parts_[i].ids = self->shared_.workers[i]->ids();
                self->go_on(i);
            });
    }

    std::shared_ptr<const snapshot> finish()
    {
        auto all = std::make_shared<snapshot>();
        all->taken = std::chrono::steady_clock::now();
        for (auto& each : parts_) {
            std::move(each.clients.begin(), each.clients.end(), std::back_inserter(all->clients));
            std::move(each.servers.begin(), each.servers.end(), std::back_inserter(all->servers));
            all->truncated = all->truncated || each.truncated;
            all->longest_piece = std::max(all->longest_piece, each.longest);
        }
        explain_waits(*all);
        if (has(wanted_, parts::pools))
            all->pools = pools_now(shared_);
        return all;
    }

private:
    struct part {
        std::vector<std::uint64_t> ids;
        std::size_t next_id = 0;
        std::size_t next_pool = 0;
        std::size_t next_server = 0;  // of that pool
        std::vector<client_info> clients;
        std::vector<server_info> servers;
        bool truncated = false;
        std::chrono::nanoseconds longest{0};
    };

    // On the worker; a piece, then the loop's other work comes first.
    void go_on(std::size_t worker)
    {
        part& mine = parts_[worker];
        std::size_t left = piece;
        const auto began = thread_time();
        describe_clients(worker, mine, left);
        describe_servers(worker, mine, left);
        mine.longest = std::max(mine.longest, thread_time() - began);
        if (left == 0) {
            asio::post(shared_.workers[worker]->io(),
                       [self = shared_from_this(), worker] { self->go_on(worker); });
            return;
        }
        if (left_.fetch_sub(1) == 1)
            over_(shared_from_this());
    }

    void describe_clients(std::size_t worker, part& mine, std::size_t& left)
    {
        for (; left > 0 && mine.next_id < mine.ids.size(); ++mine.next_id) {
            if (mine.clients.size() >= clients_max / parts_.size()) {
                mine.truncated = true;
                mine.next_id = mine.ids.size();
                return;
            }
            --left;
            const session* client = shared_.workers[worker]->find(mine.ids[mine.next_id]);
            if (!client)
                continue;
            auto& info = mine.clients.emplace_back();
            info.worker = static_cast<std::uint32_t>(worker);
            client->describe(info);
            if (has(wanted_, parts::ends))
                client->describe_ends(info);
        }
    }

    void describe_servers(std::size_t worker, part& mine, std::size_t& left)
    {
        for (; left > 0 && mine.next_pool < pools_.size(); --left) {
            const auto& shard = pools_[mine.next_pool]->pool().at(worker);
            if (mine.next_server >= shard.backends()) {
                ++mine.next_pool;
                mine.next_server = 0;
                continue;
            }
            if (mine.servers.size() >= servers_max / parts_.size()) {
                mine.truncated = true;
                mine.next_pool = pools_.size();
                return;
            }
            auto& info = mine.servers.emplace_back();
            const auto& counted = pools_[mine.next_pool]->counted_in();
            info.pool = pools_[mine.next_pool]->pool().name();
            info.database = counted.database->name;
            info.mysql = counted.database->engine == "mysql";
            info.user = counted.user;
            info.worker = static_cast<std::uint32_t>(worker);
            static_cast<const link&>(shard.backend_at(mine.next_server++)).describe(info);
        }
    }

    // Lanes know that they wait for their turn; the lines know why it is not theirs yet.
    void explain_waits(snapshot& all) const
    {
        const auto waits = [](const client_info& each) {
            return each.waits_for == pool_full || each.waits_for == connecting;
        };
        if (std::none_of(all.clients.begin(), all.clients.end(), waits))
            return;
        std::unordered_map<std::uint64_t, waiting_request> lines;
        for (auto& each : list_waiting(shared_, explained_max))
            lines.emplace(each.client, std::move(each));
        for (auto& client : all.clients) {
            const auto found = waits(client) ? lines.find(client.id) : lines.end();
            if (found == lines.end())
                continue;
            client.waits_for = pool::name_of(found->second.reason);
            std::replace(client.waits_for.begin(), client.waits_for.end(), '_', ' ');
            client.waits_why = describe(found->second);
        }
    }

    context& shared_;
    const parts wanted_;
    const ended over_;
    std::vector<std::shared_ptr<relay_database>> pools_;
    std::vector<part> parts_;
    std::atomic<std::size_t> left_;
};

}  // namespace

std::string_view name_of(client_state state) noexcept
{
    switch (state) {
        case client_state::login:
            return "login";
        case client_state::idle:
            return "idle";
        case client_state::active:
            return "active";
        case client_state::waiting:
            return "waiting";
        case client_state::in_transaction:
            return "in transaction";
        case client_state::pinned:
            return "pinned";
        case client_state::closing:
            break;
    }
    return "closing";
}

std::string_view name_of(server_state state) noexcept
{
    switch (state) {
        case server_state::active:
            return "active";
        case server_state::shared:
            return "shared";
        case server_state::cleaning:
            return "cleaning";
        case server_state::testing:
            return "testing";
        case server_state::idle:
            break;
    }
    return "idle";
}

std::vector<pool_info> pools_now(context& shared)
{
    std::vector<pool_info> all;
    const auto now = std::chrono::steady_clock::now();
    std::map<const pool_entry*, traffic_totals> clients;
    for (const auto* each : shared.counts.traffics()) {
        auto& sum = clients[each->pool];
        for (const auto& worker : each->workers) {
            sum.clients += worker->clients.read();
            sum.active += worker->active.read();
            sum.waiting += worker->waiting.read();
        }
    }
    const auto count = [&](const pool_entry& of, pool_info& into) {
        const auto& sum = clients[&of];
        into.clients = static_cast<std::size_t>(std::max<std::int64_t>(sum.clients, 0));
        into.active = static_cast<std::size_t>(std::max<std::int64_t>(sum.active, 0));
        into.waiting = static_cast<std::size_t>(std::max<std::int64_t>(sum.waiting, 0));
    };
    for (const auto& each : shared.databases.all()) {
        auto& pool = each->pool();
        auto& info = all.emplace_back();
        info.name = pool.name();
        info.database = each->counted_in().database->name;
        info.user = each->counted_in().user;
        info.engine = each->counted_in().database->engine;
        info.mode = name_of(each->mode());
        info.size = pool.limits().size;
        info.open = pool.open();
        info.working = pool.working();
        info.in_flight = pool.in_flight();
        info.in_flight_limit = pool.in_flight_limit();
        for (std::size_t i = 0; i < pool.workers(); ++i)
            info.idle += pool.at(i).idle_count();
        info.oldest_wait = pool.line().longest_wait(now);
        if (pool.connects_fail()) {
            info.last_failure = pool.last_failure();
            info.failed_of_late = now < pool.retry_at() + failure_time;
        }
        count(each->counted_in(), info);
    }
    for (const auto* each : shared.counts.pools()) {
        if (each->database->engine != "sqlite")
            continue;
        auto& info = all.emplace_back();
        info.name = info.database = each->name;
        info.engine = "sqlite";
        info.mode = "transaction";
        if (const auto file = shared.files.find(each->name)) {
            info.size = info.open = info.working = static_cast<std::size_t>(file->stats().handles);
        }
        count(*each, info);
    }
    return all;
}

std::string_view name_of(pool::limit by) noexcept
{
    switch (by) {
        case pool::limit::clients:
            return "max_clients";
        case pool::limit::concurrent:
            return "max_concurrent";
        case pool::limit::queued:
            return "max_queued";
        case pool::limit::queue_timeout:
            return "queue_timeout";
        case pool::limit::rate:
            return "max_rate";
        case pool::limit::overload:
            break;
    }
    return "overload";
}

std::vector<tenant_info> tenants_now(context& shared)
{
    std::set<std::string, std::less<>> counted;
    for (const auto* each : shared.counts.traffics())
        counted.insert(each->tenant);
    std::vector<tenant_info> all;
    tenant_info rest;
    rest.name = other;
    shared.tenants.for_each([&](const std::shared_ptr<pool::tenant>& each) {
        const bool own = counted.contains(each->name());
        tenant_info& info = own ? all.emplace_back() : rest;
        if (own) {
            info.name = each->name();
            info.limits = each->limits();
        }
        info.clients += each->clients();
        info.running += each->running();
        info.queued += each->queued();
        info.buffered += each->buffered();
        for (std::size_t i = 0; i < info.refused.size(); ++i)
            info.refused[i] += each->refused(static_cast<pool::limit>(i));
        for (std::size_t i = 0; i < info.would_refuse.size(); ++i)
            info.would_refuse[i] += each->would_refuse(static_cast<pool::limit>(i));
    });
    if (counted.contains(other))
        all.push_back(std::move(rest));
    return all;
}

void gather(context& shared,
            parts wanted,
            std::function<void(std::shared_ptr<const snapshot>)> done)
{
    auto over = [&shared, done = std::move(done)](std::shared_ptr<gathering> all) {
        asio::post(shared.blocking, [all = std::move(all), done] { done(all->finish()); });
    };
    std::make_shared<gathering>(shared, wanted, std::move(over))->start();
}

std::shared_ptr<const snapshot> gather_now(context& shared,
                                           parts wanted,
                                           std::chrono::milliseconds timeout)
{
    auto answer = std::make_shared<std::promise<std::shared_ptr<gathering>>>();
    auto coming = answer->get_future();
    auto over = [answer](std::shared_ptr<gathering> all) { answer->set_value(std::move(all)); };
    std::make_shared<gathering>(shared, wanted, std::move(over))->start();
    if (coming.wait_for(timeout) != std::future_status::ready)
        return nullptr;
    return coming.get()->finish();
}

}  // namespace sluice::gateway::statistics
