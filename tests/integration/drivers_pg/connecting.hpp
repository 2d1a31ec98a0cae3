// tests/integration/drivers_pg/connecting.hpp: runs the driver's coroutines to their end, and talks
// to a server over a borrowed transport.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "drivers/pg/connect.hpp"
#include "support/driver_loop.hpp"
#include "support/pg_cluster.hpp"

namespace sluice {

using pairs = std::vector<std::pair<std::string, std::string>>;

class driver_host : public support::driver_loop {
public:
    explicit driver_host(std::size_t helpers = 2) : driver_loop(helpers) {}

    pg::connect_result connect(std::string url,
                               pairs overrides = {},
                               std::chrono::milliseconds longest = std::chrono::seconds(30))
    {
        pg::connect_options options{std::move(url), std::move(overrides)};
        const auto deadline = std::chrono::steady_clock::now() + longest;
        return run(pg::connect(loop(), blocking(), std::move(options), deadline));
    }
};

// Servers shared by the tests of this binary; destroyed when it ends.
support::pg_cluster& plain_server();
support::pg_cluster& tls_server();
support::pg_cluster& read_only_server();  // default_transaction_read_only = on

// Sends a Query over the borrowed transport and gives the reply back up to ReadyForQuery; throws
// when nothing comes for `longest`.
std::string raw_query(const pg::opened& on,
                      const std::string& sql,
                      std::chrono::milliseconds longest = std::chrono::seconds(30));
void raw_send_query(const pg::opened& on, const std::string& sql);
// Until the backend runs a statement: a cancel that comes before it has read one is ignored.
void wait_until_active(const support::pg_cluster& server, const pg::opened& on);
std::string raw_reply(const pg::opened& on, std::chrono::milliseconds longest);

// What the server reported for `name`, or nothing.
std::optional<std::string> parameter(const pg::opened& on, const std::string& name);

}  // namespace sluice
