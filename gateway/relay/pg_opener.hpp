// gateway/relay/pg_opener.hpp: opens links for a pool.
//
// Layer: gateway/relay. Thread: open() on the shard's worker.
#pragma once

#include "drivers/pg/connect.hpp"
#include "gateway/log/outage.hpp"
#include "gateway/relay/pg_link.hpp"
#include "gateway/statistics/registry.hpp"
#include "pool/pool.hpp"

namespace sluice::gateway {

class pg_opener final : public pool::opener {
public:
    pg_opener(context& shared,
              pg::connect_options connect,
              std::chrono::milliseconds timeout,
              link_options options);

    // Before it is used.
    void count_in(statistics::pool_entry& where) noexcept { counted_in_ = &where; }
    void open(pool::shard& target) override;

private:
    asio::awaitable<void> run(std::shared_ptr<pool::shared_pool> keep, pool::shard& target);

    context& shared_;
    const pg::connect_options connect_;
    const std::chrono::milliseconds timeout_;
    const link_options options_;
    log::outage outage_;
    statistics::pool_entry* counted_in_ = nullptr;
};

}  // namespace sluice::gateway
