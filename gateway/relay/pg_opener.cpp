// gateway/relay/pg_opener.cpp: opening links.
#include "gateway/relay/pg_opener.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "gateway/context.hpp"
#include "gateway/log/log.hpp"

namespace sluice::gateway {

pg_opener::pg_opener(context& shared, plan how)
    : shared_(shared), plan_(std::make_shared<const plan>(std::move(how)))
{
}

void pg_opener::change(plan how)
{
    auto fresh = std::make_shared<const plan>(std::move(how));
    const std::scoped_lock lock(mutex_);
    plan_.swap(fresh);
}

std::shared_ptr<const pg_opener::plan> pg_opener::current() const
{
    const std::scoped_lock lock(mutex_);
    return plan_;
}

void pg_opener::open(pool::shard& target)
{
    asio::co_spawn(target.io(), run(target.pool(), target), asio::detached);
}

asio::awaitable<void> pg_opener::run(std::shared_ptr<pool::shared_pool> keep, pool::shard& target)
{
    auto how = current();
    pg::connect_result made;
    for (;;) {
        pg::connect_options options = how->connect;
        const auto deadline = steady_clock::now() + how->timeout;
        made = co_await pg::connect(target.io(), shared_.blocking, std::move(options), deadline);
        // A reload may have said meanwhile that it should be another one.
        auto now = current();
        if (now == how)
            break;
        how = std::move(now);
    }
    if (!made) {
        outage_.connect_failed(keep->name(), made.message);
        counted_in_->workers[target.worker()]->connect_failures.add();
        target.open_failed(std::move(made.message));
        co_return;
    }
    outage_.connected(keep->name());
    log::debug("backend opened", {{"pool", keep->name()}, {"pid", made.connection->backend_pid}});
    auto link =
        std::make_unique<pg_link>(shared_, *keep, std::move(*made.connection), how->options);
    link->arrive(target.worker());
    counted_in_->workers[target.worker()]->opened.add();
    target.opened(std::move(link));
}

}  // namespace sluice::gateway
