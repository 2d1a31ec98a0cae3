// gateway/relay/pg_opener.hpp: opens links for a pool.
//
// Layer: gateway/relay. Thread: open() on the shard's worker.
#pragma once

#include <memory>
#include <mutex>

#include "drivers/pg/connect.hpp"
#include "gateway/log/outage.hpp"
#include "gateway/relay/pg_link.hpp"
#include "gateway/statistics/registry.hpp"
#include "pool/pool.hpp"

namespace sluice::gateway {

class pg_opener final : public pool::opener {
public:
    // How connections are opened, and what they are told.
    struct plan {
        pg::connect_options connect;
        std::chrono::milliseconds timeout{};
        link_options options;
    };
    pg_opener(context& shared, plan how);

    // Before it is used.
    void count_in(statistics::pool_entry& where) noexcept { counted_in_ = &where; }
    void open(pool::shard& target) override;
    // From the next connection on; one that is being opened is opened again. Any thread.
    void change(plan how);

private:
    asio::awaitable<void> run(std::shared_ptr<pool::shared_pool> keep, pool::shard& target);

    std::shared_ptr<const plan> current() const;

    context& shared_;
    mutable std::mutex mutex_;
    std::shared_ptr<const plan> plan_;
    log::outage outage_;
    statistics::pool_entry* counted_in_ = nullptr;
};

}  // namespace sluice::gateway
