// drivers/pg/connect.hpp: open a PostgreSQL connection through libpq without blocking the loop.
//
// Layer: drivers. libpq connects, encrypts and authenticates; an idle connection's transport (fd,
// SSL*) may then be lent. While it is lent libpq is not called, except for close().
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "drivers/pg/cancel.hpp"
#include "drivers/pg/libpq.hpp"

using SSL = struct ssl_st;  // as <openssl/types.h> has it

namespace sluice::pg {

struct connect_options {
    // A URI or key=value pairs, whatever libpq takes; may be empty. Environment (PGHOST, ...),
    // service file and .pgpass apply as for any libpq program.
    std::string url;
    // libpq keywords (user, password, dbname, host, port, options, application_name, ...) that win
    // over the url; an empty value leaves the url's. Never parsed as a connection string, so they
    // may come from a client.
    std::vector<std::pair<std::string, std::string>> overrides;
};

// A connection that is logged in and idle: non-blocking, nothing read ahead, nothing to send.
struct opened {
    conn_ptr conn;
    int fd = -1;                                                  // PQsocket(conn), not owned
    SSL* ssl = nullptr;                                           // null without TLS, not owned
    std::vector<std::pair<std::string, std::string>> parameters;  // those the server reported
    int backend_pid = 0;
    cancel_ticket ticket;
};

struct connect_result {
    std::optional<opened> connection;
    std::error_code error;  // connect_failed or connect_timeout; empty with a connection
    // What libpq or the server said, on one line, with the host it was about; never the password.
    std::string message;

    explicit operator bool() const noexcept { return connection.has_value(); }
};

// Opens one connection, or tells why not by `deadline`. Whatever may block or take CPU (DNS, files,
// TLS, PBKDF2) runs on `blocking`; waiting for the socket happens on `loop`, on which the caller
// runs. libpq's connect_timeout is how long one host of several may take; without it they share
// the time that is left. After `deadline` a step that is still running ends by itself and closes
// the connection. `blocking` is joined before `loop` is destroyed.
asio::awaitable<connect_result> connect(asio::io_context& loop,
                                        asio::thread_pool& blocking,
                                        connect_options options,
                                        std::chrono::steady_clock::time_point deadline);

// Says goodbye and closes, on `blocking`. The descriptor must have been released from every
// reactor (asio: release(), not close()).
void close(asio::thread_pool& blocking, opened connection);

}  // namespace sluice::pg
