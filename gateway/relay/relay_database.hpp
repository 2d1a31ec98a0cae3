// gateway/relay/relay_database.hpp: one pool of connections to a server and what its clients share,
// whatever the protocol.
//
// Layer: gateway/relay. Thread-safe. Held by its clients and by the table of databases.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "gateway/config/config.hpp"
#include "pool/pool.hpp"

namespace sluice::gateway {

class relay_database {
public:
    relay_database(pool_config settings, pool_mode mode) : settings_(settings), mode_(mode) {}
    virtual ~relay_database() = default;

    void set_pool(std::shared_ptr<pool::shared_pool> pool) { pool_ = std::move(pool); }
    pool::shared_pool& pool() noexcept { return *pool_; }
    const pool_config& settings() const noexcept { return settings_; }
    pool_mode mode() const noexcept { return mode_; }

    // Whether an exhausted pool is worth another line in the log: once a second.
    bool may_report(std::chrono::steady_clock::time_point now) noexcept
    {
        auto last = reported_.load();
        return now - last >= std::chrono::seconds(1) &&
               reported_.compare_exchange_strong(last, now);
    }

private:
    const pool_config settings_;
    const pool_mode mode_;
    std::shared_ptr<pool::shared_pool> pool_;
    std::atomic<std::chrono::steady_clock::time_point> reported_{};
};

}  // namespace sluice::gateway
