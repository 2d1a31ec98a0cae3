// gateway/relay/my_opener.hpp: opens MySQL links for a pool.
//
// Layer: gateway/relay. Thread: open() on the shard's worker.
#pragma once

#include <memory>
#include <mutex>

#include "drivers/mysql/connect.hpp"
#include "gateway/log/outage.hpp"
#include "gateway/relay/my_link.hpp"
#include "gateway/statistics/registry.hpp"
#include "pool/pool.hpp"

namespace sluice::gateway {

class my_opener final : public pool::opener {
public:
    // How connections are opened, and what they are told.
    struct plan {
        mysql::connect_options connect;
        std::chrono::milliseconds timeout{};
        my_link_options options;
    };
    my_opener(context& shared, plan how);

    // Before it is used.
    void count_in(statistics::pool_entry& where) noexcept { counted_in_ = &where; }
    void open(pool::shard& target) override;
    // From the next connection on; one that is being opened is opened again. Any thread.
    void change(plan how);

private:
    asio::awaitable<void> run(std::shared_ptr<pool::shared_pool> keep, pool::shard& target);
    void finish(pool::shared_pool& pool,
                pool::shard& target,
                const std::shared_ptr<const plan>& how,
                mysql::connect_result made);

    std::shared_ptr<const plan> current() const;

    context& shared_;
    mutable std::mutex mutex_;
    std::shared_ptr<const plan> plan_;
    log::outage outage_;
    statistics::pool_entry* counted_in_ = nullptr;
};

}  // namespace sluice::gateway
