// gateway/relay/relay_database.hpp: one pool of connections to a server and what its clients share,
// whatever the protocol.
//
// Layer: gateway/relay. Thread-safe. Held by its clients and by the table of databases.
#pragma once

#include <memory>

#include "gateway/config/config.hpp"
#include "gateway/log/outage.hpp"
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

    // Requests that found no backend.
    log::rare_line& without_backend() noexcept { return without_backend_; }

private:
    const pool_config settings_;
    const pool_mode mode_;
    std::shared_ptr<pool::shared_pool> pool_;
    log::rare_line without_backend_;
};

}  // namespace sluice::gateway
