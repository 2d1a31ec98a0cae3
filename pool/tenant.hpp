// pool/tenant.hpp: one tenant: its limits, what it uses at the moment, and what was refused.
//
// A tenant is whom limits are counted for. The counts are exact over all workers and pools: a
// request is started only by try_start(), which takes a permit below max_concurrent and a token of
// max_rate, and ends with finish().
//
// Layer: pool. Thread-safe and lock-free. Limits may be replaced at any time: nobody is
// disconnected or stopped by that, what begins next obeys the new ones.
// Lifetime: held by shared_ptr: by the table of tenants, by its clients and its accounts.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pool/rate.hpp"

namespace sluice::pool {

class account;

enum class priority : std::uint8_t { high, normal, low };

// Zero: no limit.
struct tenant_limits {
    std::size_t max_clients = 0;
    std::size_t max_concurrent = 0;  // requests or transactions that hold a backend
    std::size_t min_reserved = 0;    // of those, served before everybody else's
    std::size_t max_queued = 0;
    std::chrono::milliseconds queue_timeout{0};
    double max_rate = 0;      // requests a second
    std::uint32_t burst = 0;  // at once, above the rate; 0: a tenth of a second's worth
    std::chrono::milliseconds target_delay{0};
    std::chrono::milliseconds statement_timeout{0};
    std::chrono::milliseconds transaction_timeout{0};
    std::chrono::milliseconds idle_transaction_timeout{0};
    std::size_t max_buffer = 0;
    std::uint32_t weight = 1;
    pool::priority priority = pool::priority::normal;
    bool dry_run = false;  // limits on clients and requests are counted, not enforced

    friend bool operator==(const tenant_limits&, const tenant_limits&) = default;
};

// What a request, or a client, was refused for.
enum class limit : std::uint8_t { clients, concurrent, queued, queue_timeout, rate, overload };
inline constexpr std::size_t limit_count = 6;

class tenant {
public:
    tenant(std::string name, std::shared_ptr<const tenant_limits> limits);
    tenant(const tenant&) = delete;
    tenant& operator=(const tenant&) = delete;

    const std::string& name() const noexcept { return name_; }
    // Valid as long as the tenant, even when replaced meanwhile.
    const tenant_limits& limits() const noexcept
    {
        return *limits_.load(std::memory_order_acquire);
    }
    // Not by two threads at once. Limits that were are kept: somebody may be reading them.
    void replace_limits(std::shared_ptr<const tenant_limits> fresh);

    // --- clients: at login and logout
    bool enter_client() noexcept;
    void leave_client() noexcept { clients_.fetch_sub(1); }

    // --- requests
    enum class start { started, at_limit, too_fast };
    start try_start(steady_clock::time_point now) noexcept;
    // It did not begin after all: as if try_start() had not been called.
    void take_back_start() noexcept;
    // True: some of its requests wait for just that.
    bool finish() noexcept
    {
        running_.fetch_sub(1);
        return blocked_.load() > 0;
    }
    bool has_room() const noexcept;
    // When the next token of max_rate comes, at the latest.
    steady_clock::time_point next_token() const noexcept;

    bool enter_queue() noexcept;
    void leave_queue() noexcept { queued_.fetch_sub(1); }

    // --- bytes on their way to and from its clients (max_buffer)
    void add_buffered(std::int64_t change) noexcept
    {
        buffered_.fetch_add(change, std::memory_order_relaxed);
    }
    std::int64_t buffered() const noexcept { return buffered_.load(std::memory_order_relaxed); }
    // Whoever holds more than a little waits until there is less.
    bool over_buffer() const noexcept
    {
        const std::size_t most = limits().max_buffer;
        return most > 0 && buffered() >= static_cast<std::int64_t>(most);
    }

    // --- counts
    std::size_t clients() const noexcept { return clients_.load(); }
    std::size_t running() const noexcept { return running_.load(); }
    std::size_t queued() const noexcept { return queued_.load(); }
    std::uint64_t started() const noexcept { return started_.load(); }
    // Backend time used, as far as it was charged: while others waited.
    std::uint64_t refused(limit by) const noexcept { return refused_[index(by)].load(); }
    std::uint64_t would_refuse(limit by) const noexcept { return would_refuse_[index(by)].load(); }
    void count_refusal(limit by) noexcept { refused_[index(by)].fetch_add(1); }
    // Under dry_run.
    void count_would_refuse(limit by) noexcept { would_refuse_[index(by)].fetch_add(1); }

private:
    friend class dispatcher;
    using counter = std::atomic<std::uint64_t>;
    static std::size_t index(limit by) noexcept { return static_cast<std::size_t>(by); }

    const std::string name_;
    std::vector<std::shared_ptr<const tenant_limits>> kept_;
    std::atomic<const tenant_limits*> limits_;
    std::atomic<std::size_t> clients_{0};
    std::atomic<std::size_t> running_{0};
    std::atomic<std::size_t> queued_{0};
    std::atomic<std::int64_t> buffered_{0};
    counter started_{0};
    rate_bucket bucket_;
    std::array<counter, limit_count> refused_{};
    std::array<counter, limit_count> would_refuse_{};

    // Of requests that wait because of the tenant's own limits, whatever the pool; the list under
    // the scheduler's lock.
    std::atomic<std::size_t> blocked_{0};
    std::vector<account*> blocked_accounts_;
};

}  // namespace sluice::pool
