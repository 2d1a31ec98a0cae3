// gateway/relay/pg_database.hpp: one pool of PostgreSQL connections and what clients of it share.
//
// Layer: gateway/relay. Thread-safe. Held by its clients and by the table of databases.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gateway/config/config.hpp"
#include "pool/pool.hpp"

namespace sluice::gateway {

using server_parameters = std::vector<std::pair<std::string, std::string>>;

class pg_database {
public:
    pg_database(pool_config settings, pool_mode mode) : settings_(settings), mode_(mode) {}

    void set_pool(std::shared_ptr<pool::shared_pool> pool) { pool_ = std::move(pool); }
    pool::shared_pool& pool() noexcept { return *pool_; }
    const pool_config& settings() const noexcept { return settings_; }
    pool_mode mode() const noexcept { return mode_; }

    // The ParameterStatus values that a new client is told before it has a backend; null: no
    // backend was opened yet. The last backend opened knows best (a server may be upgraded).
    std::shared_ptr<const server_parameters> welcome() const
    {
        const std::scoped_lock lock(mutex_);
        return welcome_;
    }
    void set_welcome(const server_parameters& parameters)
    {
        auto fresh = std::make_shared<const server_parameters>(parameters);
        const std::scoped_lock lock(mutex_);
        welcome_ = std::move(fresh);
    }

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
    mutable std::mutex mutex_;
    std::shared_ptr<const server_parameters> welcome_;
};

}  // namespace sluice::gateway
