// drivers/mysql/kill.cpp: KILL QUERY on a connection of its own.
#include "drivers/mysql/kill.hpp"

#include "drivers/mysql/session.hpp"
#include "proto/core/errc.hpp"

namespace sluice::mysql {

asio::awaitable<kill_result> kill_query(asio::io_context& loop,
                                        asio::thread_pool& blocking,
                                        connect_options options,
                                        std::uint32_t connection_id,
                                        std::chrono::steady_clock::duration timeout)
{
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    // A database that is gone must not keep a statement alive.
    options.database.clear();
    auto made = co_await log_in(loop, blocking, options, deadline);
    wipe(options.password);
    kill_result result;
    if (!made.link) {
        result.error = made.failed.error;
        result.message = std::move(made.failed.message);
        co_return result;
    }
    const auto order = "KILL QUERY " + std::to_string(connection_id);
    auto said = co_await made.link->run(order, made.facts.capabilities);
    const bool late = made.link->late();
    opened goodbye;
    goodbye.ssl = made.link->take_ssl();
    goodbye.socket = made.link->release();
    close(std::move(goodbye));
    if (said.ok() || said.number == error_number::no_such_thread)
        co_return result;
    result.error = late ? errc::connect_timeout : errc::connect_failed;
    result.message = std::move(said.text);
    co_return result;
}

}  // namespace sluice::mysql
