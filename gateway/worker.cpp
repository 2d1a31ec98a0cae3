// gateway/worker.cpp: a worker's clients and its sweep.
#include "gateway/worker.hpp"

#include <limits>

#include <asio/post.hpp>
#include <unistd.h>

#include "gateway/context.hpp"
#include "gateway/log/log.hpp"

namespace sluice::gateway {
namespace {

constexpr std::chrono::milliseconds sweep_interval{100};
constexpr std::chrono::milliseconds sweep_slack{5};
constexpr unsigned sessions_every = 5;  // sweeps

}  // namespace

worker::worker(context& shared, std::size_t index)
    : shared_(shared),
      index_(index),
      work_(asio::make_work_guard(io_)),
      sockets_(io_),
      statements_(shared.statements, sockets_),
      sweeper_(io_)
{
}

worker::~worker() = default;

void worker::start()
{
    arm_sweep();
    thread_ = std::thread([this] { io_.run(); });
}

void worker::join()
{
    if (thread_.joinable())
        thread_.join();
}

void worker::post_adopt(int fd, std::string peer, client_protocol protocol)
{
    clients_.fetch_add(1);
    asio::post(io_, [this, fd, peer = std::move(peer), protocol]() mutable {
        adopt(fd, std::move(peer), protocol);
    });
}

void worker::adopt(int fd, std::string peer, client_protocol protocol)
{
    const std::uint64_t id = fresh_id();
    try {
        auto fresh = std::make_unique<session>(shared_, *this, id, fd, std::move(peer), protocol);
        session& begun = *fresh;
        sessions_.emplace(id, std::move(fresh));
        begun.start();
    } catch (const std::exception& error) {
        log::error("client not accepted", {{"why", error.what()}});
        clients_.fetch_sub(1);
        ::close(fd);
    }
}

// Unique over all workers: the remainder names the worker. MySQL's connection ids have 32 bits:
// numbers begin anew before that, without those in use.
std::uint64_t worker::fresh_id()
{
    constexpr std::uint64_t ids_end = std::numeric_limits<std::uint32_t>::max();
    for (;;) {
        const std::uint64_t id = next_++ * shared_.workers.size() + index_;
        if (id >= ids_end)
            next_ = 1;
        else if (!sessions_.contains(id))
            return id;
    }
}

session* worker::find(std::uint64_t id) noexcept
{
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : found->second.get();
}

std::vector<std::uint64_t> worker::ids() const
{
    std::vector<std::uint64_t> all;
    all.reserve(sessions_.size());
    for (const auto& [id, client] : sessions_)
        all.push_back(id);
    return all;
}

void worker::remove(std::uint64_t id)
{
    asio::post(io_, [this, id] {
        if (sessions_.erase(id) > 0)
            clients_.fetch_sub(1);
    });
}

void worker::post_cancel(std::uint64_t id, std::function<void()> done)
{
    asio::post(io_, [this, id, done = std::move(done)]() mutable {
        if (session* client = find(id))
            client->cancel(std::move(done));
        else if (done)
            done();
    });
}

void worker::post_kill(std::uint64_t id,
                       kill_scope scope,
                       std::string user,
                       std::function<void(kill_outcome)> done)
{
    asio::post(io_, [this, id, scope, user = std::move(user), done = std::move(done)] {
        if (session* target = find(id))
            target->killed_by(user, scope, done);
        else
            done(kill_outcome::unknown_id);
    });
}

void worker::use_ids_after(std::uint64_t id) noexcept
{
    next_ = id / shared_.workers.size() + 1;
}

std::uint64_t worker::ids_used() const noexcept
{
    return next_.load() * shared_.workers.size();
}

void worker::post_drain(bool firm)
{
    asio::post(io_, [this, firm] {
        drain_ = firm ? drain_stage::firm : drain_stage::gentle;
        if (!firm)
            sweep_sessions(std::chrono::steady_clock::now());
        else
            for (auto& [id, client] : sessions_)
                client->drain();
    });
}

void worker::post_drain_databases(std::map<std::string, std::uint64_t> names)
{
    if (names.empty())
        return;
    asio::post(io_, [this, names = std::move(names)] {
        for (auto& [id, client] : sessions_) {
            const auto gone = names.find(client->identity().database);
            if (!client->leaving() && gone != names.end() && client->entered_by() < gone->second)
                client->drain();
        }
    });
}

void worker::post_close_leaving()
{
    asio::post(io_, [this] {
        for (auto& [id, client] : sessions_) {
            if (client->leaving())
                client->shut_down();
        }
    });
}

void worker::post_close_clients()
{
    asio::post(io_, [this] {
        drain_ = drain_stage::firm;
        for (auto& [id, client] : sessions_)
            client->shut_down();
    });
}

void worker::post_kill_clients(const std::string& database)
{
    asio::post(io_, [this, database] {
        for (auto& [id, client] : sessions_) {
            if (client->identity().database == database)
                client->kill_by_administrator();
        }
    });
}

void worker::post_kill_client(std::uint64_t id, std::function<void(bool)> done)
{
    asio::post(io_, [this, id, done = std::move(done)] {
        session* client = find(id);
        if (client)
            client->kill_by_administrator();
        done(client != nullptr);
    });
}

void worker::post_stop()
{
    asio::post(io_, [this] {
        sessions_.clear();
        sweeper_.cancel();
        sockets_.stop();
        work_.reset();
        io_.stop();
    });
}

void worker::arm_sweep()
{
    sweeper_.expires_after(deadlines_.step());
    sweeper_.async_wait([this](const asio::error_code& ec) {
        if (ec)
            return;
        shared_.counts.worker(index_).loop_delay.record(std::chrono::steady_clock::now() -
                                                        sweeper_.expiry());
        sweep();
        arm_sweep();
    });
}

void worker::sweep()
{
    const auto now = std::chrono::steady_clock::now();
    deadlines_.sweep(now);
    if (now - swept_ < sweep_interval - sweep_slack)
        return;
    swept_ = now;
    shared_.databases.sweep(index_, now);
    shared_.files.sweep(index_, now);
    if (++sweeps_ % sessions_every != 0)
        return;
    if (index_ == 0)
        shared_.tenants.sweep(now);
    sweep_sessions(now);
}

void worker::sweep_sessions(std::chrono::steady_clock::time_point now)
{
    const auto idle_max = shared_.settings()->gateway.client_idle_timeout;
    const bool leave = drain_ == drain_stage::gentle;
    for (auto& [id, client] : sessions_)
        client->sweep(now, idle_max, leave);
}

}  // namespace sluice::gateway
