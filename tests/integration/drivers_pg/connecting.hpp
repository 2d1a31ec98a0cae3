// tests/integration/drivers_pg/connecting.hpp: runs the driver's coroutines to their end, and talks
// to a server over a borrowed transport.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "drivers/pg/connect.hpp"
#include "support/pg_cluster.hpp"

namespace sluice {

using pairs = std::vector<std::pair<std::string, std::string>>;

// One loop and its helper threads, in the order in which a process ends them.
class driver_host {
public:
    explicit driver_host(std::size_t helpers = 2) : blocking_(helpers) {}
    ~driver_host() { blocking_.join(); }

    pg::connect_result connect(std::string url,
                               pairs overrides = {},
                               std::chrono::milliseconds longest = std::chrono::seconds(10))
    {
        pg::connect_options options{std::move(url), std::move(overrides)};
        const auto deadline = std::chrono::steady_clock::now() + longest;
        return run(pg::connect(loop_, blocking_, std::move(options), deadline));
    }

    template <class T>
    T run(asio::awaitable<T> work)
    {
        std::optional<T> out;
        asio::co_spawn(loop_, std::move(work), [&out](std::exception_ptr error, T value) {
            if (error)
                std::rethrow_exception(error);
            out = std::move(value);
        });
        loop_.restart();
        while (!out && loop_.run_one() > 0) {
        }
        if (!out)
            throw std::runtime_error("the loop ran out of work");
        return std::move(*out);
    }

    asio::io_context& loop() { return loop_; }
    asio::thread_pool& blocking() { return blocking_; }

private:
    asio::io_context loop_{1};
    asio::thread_pool blocking_;
};

// Servers shared by the tests of this binary; destroyed when it ends.
support::pg_cluster& plain_server();
support::pg_cluster& tls_server();
support::pg_cluster& read_only_server();  // default_transaction_read_only = on

// Sends a Query over the borrowed transport and gives the reply back up to ReadyForQuery; throws
// when nothing comes for `longest`.
std::string raw_query(const pg::opened& on,
                      const std::string& sql,
                      std::chrono::milliseconds longest = std::chrono::seconds(10));
void raw_send_query(const pg::opened& on, const std::string& sql);
// Until the backend runs a statement: a cancel that comes before it has read one is ignored.
void wait_until_active(const support::pg_cluster& server, const pg::opened& on);
std::string raw_reply(const pg::opened& on, std::chrono::milliseconds longest);

// What the server reported for `name`, or nothing.
std::optional<std::string> parameter(const pg::opened& on, const std::string& name);

}  // namespace sluice
