// tests/integration/drivers_mysql/connecting.hpp: runs the driver's coroutines to their end, and
// talks to a server over a borrowed connection.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "drivers/mysql/connect.hpp"
#include "drivers/mysql/kill.hpp"
#include "support/driver_loop.hpp"
#include "support/mariadb_server.hpp"

namespace sluice {

class driver_host : public support::driver_loop {
public:
    explicit driver_host(std::size_t helpers = 2) : driver_loop(helpers) {}

    mysql::connect_result connect(mysql::connect_options options,
                                  std::chrono::milliseconds longest = std::chrono::seconds(30))
    {
        const auto deadline = std::chrono::steady_clock::now() + longest;
        return run(mysql::connect(loop(), blocking(), std::move(options), deadline));
    }
};

// Servers shared by the tests of this binary; destroyed when it ends.
support::mariadb_server& plain_server();
support::mariadb_server& tls_server();

// By TCP, into the database of the user's name; without TLS.
mysql::connect_options options_for(const support::mariadb_server& server,
                                   const std::string& user,
                                   const std::string& password = "secret");

std::shared_ptr<const mysql::tls_context> tls(mysql::tls_mode mode,
                                              const std::string& ca_file = "");

// Sends COM_QUERY over the lent connection; one packet of the reply after the other, without their
// headers, up to and with the last. Throws when nothing comes for `longest`.
using packets = std::vector<std::string>;
packets raw_query(const mysql::opened& on,
                  const std::string& sql,
                  std::chrono::milliseconds longest = std::chrono::seconds(30));
void raw_send_query(const mysql::opened& on, const std::string& sql);
packets raw_reply(const mysql::opened& on, std::chrono::milliseconds longest);

// The only value of a result of one row and column; or "ERROR number text".
std::string value_of(const packets& reply);

// What the server reported for `name`, or nothing.
std::optional<std::string> variable(const mysql::opened& on, const std::string& name);

}  // namespace sluice
