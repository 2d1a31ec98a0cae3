// pool/pool.hpp: one pool's state that all workers share: permits, waiting counts, connect
// failures.
//
// Layer: pool. Thread-safe. A pool has one shard per worker (pool/shard.hpp); what is exact across
// workers is counted here, everything else stays with the shards.
// Lifetime: held by shared_ptr: by the table of pools, by each client, and by posts and connects
// under way. Whoever drops the last one sees to it that no backend is open (close() first).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <asio/io_context.hpp>

#include "pool/dispatcher.hpp"
#include "pool/gradient.hpp"
#include "pool/policy.hpp"

namespace sluice::pool {

class shard;

// Opens one backend for a shard, on the shard's worker, without blocking it, and answers with
// exactly one of shard::opened and shard::open_failed. Keeps target.pool() until then.
class opener {
public:
    virtual ~opener() = default;
    virtual void open(shard& target) = 0;
};

class shared_pool : public std::enable_shared_from_this<shared_pool> {
public:
    // One shard per io_context; worker numbers are indices of `loops`.
    // `lock`: that of all pools whose tenants are the same; null: of this one alone.
    static std::shared_ptr<shared_pool> create(std::string name,
                                               pool::limits limits,
                                               std::unique_ptr<opener> source,
                                               const std::vector<asio::io_context*>& loops,
                                               std::shared_ptr<scheduler> lock = {});
    ~shared_pool();

    shard& at(std::size_t worker) noexcept { return *shards_[worker]; }
    std::size_t workers() const noexcept { return shards_.size(); }
    const std::string& name() const noexcept { return name_; }
    pool::limits limits() const;
    // Takes effect at once where it can: a smaller pool shrinks as backends are given back, a
    // larger one grows for those who wait; times count for what is open, too. Any thread.
    void set_limits(const pool::limits& fresh);
    // More backends are open than limits().size, beside those that are being closed.
    bool too_large() const noexcept { return open_.load() > size_.load() + ending_.load(); }
    opener& source() noexcept { return *source_; }

    // Backends open or being opened, never more than limits().size.
    bool take_permit() noexcept;
    void return_permit();
    std::size_t open() const noexcept { return open_.load(); }
    // Backends that are connected, leased or not.
    std::size_t working() const noexcept { return working_.load(); }

    bool take_connect_slot() noexcept;
    void return_connect_slot() noexcept { connecting_.fetch_sub(1); }

    // Who waits, on all workers.
    dispatcher& line() noexcept { return line_; }
    std::size_t waiting() const noexcept { return line_.waiting(); }
    // For people: who waits for this pool and why.
    std::vector<dispatcher::wait> list_waiting(std::size_t most) const
    {
        return line_.list_waiting(most, working() == 0);
    }

    // Leases at the same time, never more than in_flight_limit(), which is `size`, or what `auto`
    // found.
    bool take_flight() noexcept;
    void end_flight() noexcept { in_flight_.fetch_sub(1); }
    std::size_t in_flight() const noexcept { return in_flight_.load(); }
    std::size_t in_flight_limit() const noexcept { return in_flight_limit_.load(); }
    bool has_flight_room() const noexcept { return in_flight() < in_flight_limit(); }
    // What a statement took on the server, of a pool that finds its own size; any worker.
    bool finds_its_size() const noexcept { return finds_its_size_.load(); }
    void sample(steady_clock::duration took, steady_clock::time_point now);

    // A shard other than `self` that has an idle backend; null: none.
    shard* idle_except(const shard& self) noexcept;

    void connect_succeeded();
    void connect_failed(std::string cause, steady_clock::time_point now);
    bool connects_fail() const noexcept { return failures_.load() > 0; }
    // After the last failure, when the next connect may be tried.
    steady_clock::time_point retry_at() const noexcept { return retry_at_.load(); }
    bool may_connect(steady_clock::time_point now) const noexcept;
    std::string last_failure() const;

    // When the pool was last in use, for pools that are forgotten when idle.
    void touch(steady_clock::time_point now) noexcept { used_.store(now); }
    steady_clock::time_point last_used() const noexcept { return used_.load(); }

    // Nobody gets a backend until resume(), and every backend is closed as soon as nobody uses it:
    // when open() is zero, the pool is at rest. Who waits goes on waiting. Any thread, both.
    void pause();
    void resume();
    bool paused() const noexcept { return paused_.load(); }
    // Every backend that is connected now is closed when nobody uses it, and others are opened as
    // they are needed. outdated(): of those, how many are open still. Any thread, both.
    void reconnect();
    std::size_t outdated() const;

    // Closes idle backends and fails waiters on every worker; safe to call from any thread.
    void close();

private:
    friend class shard;
    shared_pool(std::string name,
                pool::limits limits,
                std::unique_ptr<opener> source,
                std::size_t workers,
                std::shared_ptr<scheduler> lock);

    void find_size(const pool::limits& now);
    // A shard's backend is connected, respectively gone.
    void begin_epoch(backend& b);
    void end_epoch(std::uint32_t epoch);
    std::uint32_t epoch() const noexcept { return epoch_.load(); }

    const std::string name_;
    mutable std::mutex limits_mutex_;
    pool::limits limits_;  // each shard has a copy
    std::atomic<std::size_t> size_;
    std::atomic<std::size_t> max_connecting_;
    const std::unique_ptr<opener> source_;
    dispatcher line_;  // outlives the shards
    std::vector<std::unique_ptr<shard>> shards_;

    std::atomic<std::size_t> open_{0};
    std::atomic<std::size_t> ending_{0};  // of these: discarded, and about to be closed
    std::atomic<std::size_t> working_{0};
    std::atomic<std::size_t> connecting_{0};
    std::atomic<std::size_t> in_flight_{0};
    std::atomic<std::size_t> in_flight_limit_;
    std::atomic<bool> finds_its_size_{false};
    std::mutex gradient_mutex_;
    std::unique_ptr<gradient> gradient_;
    std::atomic<std::size_t> failures_{0};
    std::atomic<steady_clock::time_point> retry_at_{};
    std::atomic<steady_clock::time_point> used_{};
    std::atomic<bool> paused_{false};
    std::atomic<std::uint32_t> epoch_{0};  // counts reconnect(); changed under epoch_mutex_
    mutable std::mutex epoch_mutex_;
    std::size_t connected_ = 0;
    std::size_t outdated_ = 0;  // of them, of an earlier epoch
    mutable std::mutex failure_mutex_;
    std::string last_failure_;
};

}  // namespace sluice::pool
