// gateway/relay/relay_database.hpp: one pool of connections to a server and what its clients share,
// whatever the protocol.
//
// Layer: gateway/relay. Thread-safe. Held by its clients and by the table of databases.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "gateway/config/config.hpp"
#include "gateway/deadlines/time_limits.hpp"
#include "gateway/log/outage.hpp"
#include "gateway/statistics/registry.hpp"
#include "pool/pool.hpp"

namespace sluice::gateway {

class relay_database {
public:
    relay_database(const database& entry, pool_mode mode)
        : mode_(mode),
          entry_(entry.name == "*" ? "\"*\"" : entry.name),
          limits_(std::make_shared<live_limits>())
    {
        set_settings(entry);
    }
    virtual ~relay_database() = default;

    void set_pool(std::shared_ptr<pool::shared_pool> pool) { pool_ = std::move(pool); }
    pool::shared_pool& pool() noexcept { return *pool_; }
    // Where its clients and backends are counted; set with the pool.
    void set_counted_in(statistics::pool_entry& where) noexcept { counted_in_ = &where; }
    statistics::pool_entry& counted_in() noexcept { return *counted_in_; }
    // Valid as long as this is; each call may return another one's.
    const pool_config& settings() const noexcept
    {
        return *settings_.load(std::memory_order_acquire);
    }
    // After a reload that changed them; by one thread at a time.
    void set_settings(const database& fresh)
    {
        limits_->set(
            fresh.statement_timeout, fresh.transaction_timeout, fresh.idle_transaction_timeout);
        if (!all_settings_.empty() && *all_settings_.back() == fresh.pool)
            return;
        all_settings_.push_back(std::make_unique<const pool_config>(fresh.pool));
        settings_.store(all_settings_.back().get(), std::memory_order_release);
    }
    pool_mode mode() const noexcept { return mode_; }
    // How long its clients' statements and transactions may take; a reload may change it.
    const std::shared_ptr<live_limits>& limits() const noexcept { return limits_; }
    // NAME of its [databases.NAME].
    const std::string& entry() const noexcept { return entry_; }

    // Requests that found no backend.
    log::rare_line& without_backend() noexcept { return without_backend_; }

private:
    // A lane may be looking at the last one: they are kept, a few hundred bytes for each change.
    std::vector<std::unique_ptr<const pool_config>> all_settings_;
    std::atomic<const pool_config*> settings_{nullptr};
    const pool_mode mode_;
    const std::string entry_;
    const std::shared_ptr<live_limits> limits_;  // by its clients, too
    std::shared_ptr<pool::shared_pool> pool_;
    log::rare_line without_backend_;
    statistics::pool_entry* counted_in_ = nullptr;
};

}  // namespace sluice::gateway
