// gateway/learn_version.hpp: asks a MySQL server what it is, for the greeting of the first clients.
//
// Layer: gateway.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <chrono>

#include "drivers/mysql/connect.hpp"

namespace sluice::gateway {

struct context;

// Whether somebody has to be asked.
bool must_learn_version(const context& shared);

// Logs in to the MySQL databases of the configuration, one after another, until one answers or
// `timeout` is over.
asio::awaitable<void> learn_mysql_version(context& shared,
                                          asio::io_context& loop,
                                          std::chrono::milliseconds timeout);

// As the server itself says it in its greeting.
std::string version_in_greeting(const mysql::opened& connection);

}  // namespace sluice::gateway
