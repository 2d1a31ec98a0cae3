// drivers/mysql/connect.hpp: open a connection to a MySQL or MariaDB server, log in, and make it
// report what its session does.
//
// Layer: drivers. Our own handshake (proto/mysql/client_login.hpp): Connector/C cannot lend a clean
// connection and blocks under TLS. Everything waits on the loop but the resolver.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "drivers/mysql/tls.hpp"
#include "proto/mysql/client_login.hpp"

namespace sluice::mysql {

inline constexpr std::uint16_t default_port = 3306;

// Where a server was reached.
struct server_address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
};

struct connect_options {
    std::string host = "localhost";  // a name or an address; all its addresses are tried
    std::uint16_t port = default_port;
    std::string socket = {};  // path of a Unix socket; wins over host and port
    // Tried alone, without a look-up; `host` is still whose certificate it has to show.
    std::optional<server_address> only = std::nullopt;
    std::string user = {};
    std::string password = {};
    std::string database = {};  // empty: none
    std::vector<std::pair<std::string, std::string>> attributes = {};
    // Used as far as the server has them; add found_rows or ignore_space here. Connections that
    // differ in these are not exchangeable.
    std::uint32_t capabilities = wanted_capabilities;
    std::uint16_t collation = collation::utf8mb4_general_ci;
    std::shared_ptr<const tls_context> tls = nullptr;  // null: disabled; none on Unix sockets
    bool ask_server_key = true;                        // client_login_options::ask_server_key
    // Session trackers on, so that variables, schema, transactions and other state are reported.
    bool track_session = true;
};

// A file descriptor that is closed at the end.
class descriptor {
public:
    descriptor() noexcept = default;
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor();
    int get() const noexcept { return fd_; }

private:
    int fd_ = -1;
};

// A connection that is logged in and idle: non-blocking, in no reactor, nothing read ahead, nothing
// to send, the next packet's sequence 0.
struct opened {
    descriptor socket;
    ssl_ptr ssl;                      // null without TLS; goes before the socket
    std::uint32_t capabilities = 0;   // of both sides
    std::uint16_t status = 0;         // as of the last OK
    std::uint32_t connection_id = 0;  // the server's, for kill_query()
    bool is_mariadb = false;
    std::string server_version;  // without MariaDB's "5.5.5-"
    server_address server;       // for connect_options::only
    // That the server reported up to now, the last value of each. What it leaves out has the
    // server's global value, or that of the collation.
    std::vector<std::pair<std::string, std::string>> variables;

    int fd() const noexcept { return socket.get(); }
};

struct connect_result {
    std::optional<opened> connection;
    std::error_code error;  // connect_failed or connect_timeout; empty with a connection
    // What went wrong, on one line, with the host it was about; never the password.
    std::string message;
    std::uint16_t number = 0;  // of the server's error, where it was one (1040, 1045, 1049)

    explicit operator bool() const noexcept { return connection.has_value(); }
};

// Opens one connection, or tells why not by `deadline`. getaddrinfo runs on `blocking`; several
// addresses share the time that is left. Runs on the caller's executor, which must be `loop`'s.
// `blocking` is joined before `loop` is destroyed.
asio::awaitable<connect_result> connect(asio::io_context& loop,
                                        asio::thread_pool& blocking,
                                        connect_options options,
                                        std::chrono::steady_clock::time_point deadline);

// Says goodbye if the socket takes it at once, and closes. The descriptor must have left every
// reactor. Blocks nothing.
void close(opened connection) noexcept;

}  // namespace sluice::mysql
