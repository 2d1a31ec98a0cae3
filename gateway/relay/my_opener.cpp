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

my_opener::my_opener(context& shared, plan how)
    : shared_(shared), plan_(std::make_shared<const plan>(std::move(how)))
{
}

void my_opener::change(plan how)
{
    auto fresh = std::make_shared<const plan>(std::move(how));
    const std::scoped_lock lock(mutex_);
    plan_.swap(fresh);
}

std::shared_ptr<const my_opener::plan> my_opener::current() const
{
    const std::scoped_lock lock(mutex_);
    return plan_;
}

void my_opener::open(pool::shard& target)
{
    asio::co_spawn(target.io(), run(target.pool(), target), asio::detached);
}

asio::awaitable<void> my_opener::run(std::shared_ptr<pool::shared_pool> keep, pool::shard& target)
{
    auto& loop = target.io();
    auto& blocking = shared_.blocking;
    auto how = current();
    mysql::connect_result made;
    for (;;) {
        mysql::connect_options options = how->connect;
        const auto deadline = steady_clock::now() + how->timeout;
        made = co_await mysql::connect(loop, blocking, std::move(options), deadline);
        // A reload may have said meanwhile that it should be another one.
        auto now = current();
        if (now == how)
            break;
        if (made)
            mysql::close(std::move(*made.connection));
        how = std::move(now);
    }
    finish(*keep, target, how, std::move(made));
}

void my_opener::finish(pool::shared_pool& pool,
                       pool::shard& target,
                       const std::shared_ptr<const plan>& how,
                       mysql::connect_result made)
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
    auto begins_with = my_session_start(how->connect.collation, how->connect.database, true);
    // The link keeps the options alive: a KILL goes to the same server.
    std::shared_ptr<const mysql::connect_options> connect(how, &how->connect);
    auto link = std::make_unique<my_link>(
        shared_, pool, std::move(opened), std::move(connect), std::move(begins_with), how->options);
    link->arrive(target.worker());
    counted_in_->workers[target.worker()]->opened.add();
    target.opened(std::move(link));
}

}  // namespace sluice::gateway
