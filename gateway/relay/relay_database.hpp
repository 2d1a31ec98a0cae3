// gateway/relay/relay_database.hpp: one pool of connections to a server and what its clients share,
// whatever the protocol.
//
// Layer: gateway/relay. Thread-safe. Held by its clients and by the table of databases.
#pragma once

#include <memory>
#include <string>

#include "gateway/config/config.hpp"
#include "gateway/deadlines/time_limits.hpp"
#include "gateway/log/outage.hpp"
#include "gateway/statistics/registry.hpp"
#include "pool/pool.hpp"

namespace sluice::gateway {

class relay_database {
public:
    relay_database(const database& entry, pool_mode mode)
        : settings_(entry.pool),
          mode_(mode),
          entry_(entry.name == "*" ? "\"*\"" : entry.name),
          limits_(std::make_shared<live_limits>(
              entry.statement_timeout, entry.transaction_timeout, entry.idle_transaction_timeout))
    {
    }
    virtual ~relay_database() = default;

    void set_pool(std::shared_ptr<pool::shared_pool> pool) { pool_ = std::move(pool); }
    pool::shared_pool& pool() noexcept { return *pool_; }
    // Where its clients and backends are counted; set with the pool.
    void set_counted_in(statistics::pool_entry& where) noexcept { counted_in_ = &where; }
    statistics::pool_entry& counted_in() noexcept { return *counted_in_; }
    const pool_config& settings() const noexcept { return settings_; }
    pool_mode mode() const noexcept { return mode_; }
    // How long its clients' statements and transactions may take; a reload may change it.
    const std::shared_ptr<live_limits>& limits() const noexcept { return limits_; }
    // NAME of its [databases.NAME].
    const std::string& entry() const noexcept { return entry_; }

    // Requests that found no backend.
    log::rare_line& without_backend() noexcept { return without_backend_; }

private:
    const pool_config settings_;
    const pool_mode mode_;
    const std::string entry_;
    const std::shared_ptr<live_limits> limits_;  // by its clients, too
    std::shared_ptr<pool::shared_pool> pool_;
    log::rare_line without_backend_;
    statistics::pool_entry* counted_in_ = nullptr;
};

}  // namespace sluice::gateway
