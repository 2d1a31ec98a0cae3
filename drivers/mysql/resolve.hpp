// drivers/mysql/resolve.hpp: the addresses of a server.
//
// Layer: drivers.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "drivers/mysql/connect.hpp"

namespace sluice::mysql {

struct resolve_result {
    std::vector<server_address> addresses;  // empty: `problem` says why
    std::string problem;
    bool late = false;
};

// Where `options` lead. getaddrinfo runs on `blocking`; one that is still busy at `deadline` ends
// by itself.
asio::awaitable<resolve_result> resolve(asio::io_context& loop,
                                        asio::thread_pool& blocking,
                                        const connect_options& options,
                                        std::chrono::steady_clock::time_point deadline);

// As libpq words it: server at "db1" (10.0.0.7), port 3306; or: server on socket "/run/my.sock".
std::string describe(const connect_options& options);
std::string describe(const connect_options& options, const server_address& address);

}  // namespace sluice::mysql
