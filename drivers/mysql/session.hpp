// drivers/mysql/session.hpp: one logged-in channel, for whoever opens connections.
//
// Layer: drivers.
#pragma once

#include "drivers/mysql/channel.hpp"

namespace sluice::mysql {

// Logged in, still in the loop's reactor.
struct logged_in {
    std::shared_ptr<channel> link;  // null: `failed` says why
    opened facts;                   // all but socket and ssl
    connect_result failed;
};

// Tries each address until one lets us in.
asio::awaitable<logged_in> log_in(asio::io_context& loop,
                                  asio::thread_pool& blocking,
                                  const connect_options& options,
                                  std::chrono::steady_clock::time_point deadline);

}  // namespace sluice::mysql
