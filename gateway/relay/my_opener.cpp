// gateway/relay/my_opener.cpp: opening MySQL links.
#include "gateway/relay/my_opener.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "gateway/context.hpp"
#include "gateway/learn_version.hpp"
#include "gateway/log/log.hpp"

// Asio's pair of operators for coroutine frames is one: GCC inlines only half of it and complains.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace sluice::gateway {

my_opener::my_opener(context& shared,
                     mysql::connect_options connect,
                     std::chrono::milliseconds timeout,
                     my_link_options options)
    : shared_(shared),
      connect_(std::make_shared<const mysql::connect_options>(std::move(connect))),
      timeout_(timeout),
      options_(options)
{
}

void my_opener::open(pool::shard& target)
{
    asio::co_spawn(target.io(), run(target.pool(), target), asio::detached);
}

asio::awaitable<void> my_opener::run(std::shared_ptr<pool::shared_pool> keep, pool::shard& target)
{
    mysql::connect_options options = *connect_;
    const auto deadline = steady_clock::now() + timeout_;
    auto& loop = target.io();
    auto& blocking = shared_.blocking;
    auto made = co_await mysql::connect(loop, blocking, std::move(options), deadline);
    finish(*keep, target, std::move(made));
}

void my_opener::finish(pool::shared_pool& pool, pool::shard& target, mysql::connect_result made)
{
    if (!made) {
        outage_.connect_failed(pool.name(), made.message);
        counted_in_->workers[target.worker()]->connect_failures.add();
        target.open_failed(std::move(made.message));
        return;
    }
    auto& opened = *made.connection;
    log::debug("backend opened", {{"pool", pool.name()}, {"pid", opened.connection_id}});
    constexpr auto needed = mysql::capability::deprecate_eof | mysql::capability::session_track;
    if ((opened.capabilities & needed) != needed) {
        std::string why = "the server (" + opened.server_version +
                          ") is too old: Sluice needs MariaDB 10.2 or MySQL 5.7";
        outage_.connect_failed(pool.name(), why);
        target.open_failed(std::move(why));
        mysql::close(std::move(opened));
        return;
    }
    outage_.connected(pool.name());
    shared_.mysql_version.learn(version_in_greeting(opened));
    auto begins_with = my_session_start(connect_->collation, connect_->database, true);
    auto link = std::make_unique<my_link>(
        shared_, pool, std::move(opened), connect_, std::move(begins_with), options_);
    link->arrive(target.worker());
    counted_in_->workers[target.worker()]->opened.add();
    target.opened(std::move(link));
}

}  // namespace sluice::gateway
