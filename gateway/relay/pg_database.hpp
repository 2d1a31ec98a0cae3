// gateway/relay/pg_database.hpp: one pool of PostgreSQL connections and what clients of it share.
//
// Layer: gateway/relay. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gateway/relay/relay_database.hpp"

namespace sluice::gateway {

using server_parameters = std::vector<std::pair<std::string, std::string>>;

class pg_database final : public relay_database {
public:
    using relay_database::relay_database;

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
};

}  // namespace sluice::gateway
