// gateway/relay/pg_database.hpp: one pool of PostgreSQL connections and what clients of it share.
//
// Layer: gateway/relay. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gateway/relay/multiplexer.hpp"
#include "gateway/relay/relay_database.hpp"

namespace sluice::gateway {

using server_parameters = std::vector<std::pair<std::string, std::string>>;

class pg_database final : public relay_database {
public:
    using relay_database::relay_database;

    // Once the pool is set; `latencies` of each worker.
    void share_links(const std::vector<latency_table*>& latencies)
    {
        for (std::size_t i = 0; i < latencies.size(); ++i)
            sharing_.push_back(std::make_unique<multiplexer>(pool().at(i), *latencies[i]));
    }
    multiplexer& sharing(std::size_t worker) noexcept { return *sharing_[worker]; }

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

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const server_parameters> welcome_;
    std::vector<std::unique_ptr<multiplexer>> sharing_;  // one per worker, its thread
};

}  // namespace sluice::gateway
