// gateway/relay/pg_opener.hpp: opens links for a pool.
//
// Layer: gateway/relay. Thread: open() on the shard's worker.
#pragma once

#include "drivers/pg/connect.hpp"
#include "gateway/log/outage.hpp"
#include "gateway/relay/pg_link.hpp"
#include "pool/pool.hpp"

namespace sluice::gateway {

class pg_opener final : public pool::opener {
public:
    pg_opener(context& shared,
              pg::connect_options connect,
              std::chrono::milliseconds timeout,
              link_options options);

    void open(pool::shard& target) override;

private:
    asio::awaitable<void> run(std::shared_ptr<pool::shared_pool> keep, pool::shard& target);

    context& shared_;
    const pg::connect_options connect_;
    const std::chrono::milliseconds timeout_;
    const link_options options_;
    log::outage outage_;
};

}  // namespace sluice::gateway
