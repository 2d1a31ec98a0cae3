// drivers/mysql/kill.hpp: stop what a MySQL or MariaDB connection is running.
//
// Layer: drivers. On a connection of its own, opened like the other and to the same server.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>

#include "drivers/mysql/connect.hpp"

namespace sluice::mysql {

inline constexpr std::chrono::seconds kill_timeout{10};

struct kill_result {
    std::error_code error;  // empty: the server took the order, or the connection is gone already
    std::string message;    // why not
};

// KILL QUERY `connection_id`, logged in as `options` say. `options.only` is opened::server: a name
// may lead to several servers, of which another one's connection has the same number.
//
// When it completes, the server has marked what that connection runs. A mark that comes between two
// statements may hit the next one: hold the connection back until this completes, and make sure
// that it answers before somebody else gets it.
//
// Errors: connect_timeout after `timeout`, else connect_failed.
asio::awaitable<kill_result> kill_query(asio::io_context& loop,
                                        asio::thread_pool& blocking,
                                        connect_options options,
                                        std::uint32_t connection_id,
                                        std::chrono::steady_clock::duration timeout = kill_timeout);

}  // namespace sluice::mysql
