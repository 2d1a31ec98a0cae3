// gateway/relay/my_opener.hpp: opens MySQL links for a pool.
//
// Layer: gateway/relay. Thread: open() on the shard's worker.
#pragma once

#include <memory>

#include "drivers/mysql/connect.hpp"
#include "gateway/log/outage.hpp"
#include "gateway/relay/my_link.hpp"
#include "gateway/statistics/registry.hpp"
#include "pool/pool.hpp"

namespace sluice::gateway {

class my_opener final : public pool::opener {
public:
    my_opener(context& shared,
              mysql::connect_options connect,
              std::chrono::milliseconds timeout,
              my_link_options options);

    // Before it is used.
    void count_in(statistics::pool_entry& where) noexcept { counted_in_ = &where; }
    void open(pool::shard& target) override;

private:
    asio::awaitable<void> run(std::shared_ptr<pool::shared_pool> keep, pool::shard& target);
    void finish(pool::shared_pool& pool, pool::shard& target, mysql::connect_result made);

    context& shared_;
    const std::shared_ptr<const mysql::connect_options> connect_;  // by its links, too
    const std::chrono::milliseconds timeout_;
    const my_link_options options_;
    log::outage outage_;
    statistics::pool_entry* counted_in_ = nullptr;
};

}  // namespace sluice::gateway
