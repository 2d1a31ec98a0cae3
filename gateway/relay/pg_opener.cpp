// gateway/relay/pg_opener.cpp: opening links.
#include "gateway/relay/pg_opener.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "gateway/context.hpp"
#include "gateway/log/log.hpp"

namespace sluice::gateway {

pg_opener::pg_opener(context& shared,
                     pg::connect_options connect,
                     std::chrono::milliseconds timeout,
                     link_options options)
    : shared_(shared), connect_(std::move(connect)), timeout_(timeout), options_(options)
{
}

void pg_opener::open(pool::shard& target)
{
    asio::co_spawn(target.io(), run(target.pool(), target), asio::detached);
}

asio::awaitable<void> pg_opener::run(std::shared_ptr<pool::shared_pool> keep, pool::shard& target)
{
    pg::connect_options options = connect_;
    const auto deadline = steady_clock::now() + timeout_;
    auto made = co_await pg::connect(target.io(), shared_.blocking, std::move(options), deadline);
    if (!made) {
        outage_.connect_failed(keep->name(), made.message);
        counted_in_->workers[target.worker()]->connect_failures.add();
        target.open_failed(std::move(made.message));
        co_return;
    }
    outage_.connected(keep->name());
    log::debug("backend opened", {{"pool", keep->name()}, {"pid", made.connection->backend_pid}});
    auto link = std::make_unique<pg_link>(shared_, *keep, std::move(*made.connection), options_);
    link->arrive(target.worker());
    counted_in_->workers[target.worker()]->opened.add();
    target.opened(std::move(link));
}

}  // namespace sluice::gateway
