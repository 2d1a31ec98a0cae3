// drivers/pg/cancel.hpp: ask a PostgreSQL server to cancel what a connection is running.
//
// Layer: drivers. A ticket is taken when the connection opens and stays valid, on any thread, also
// while the connection is lent out or closed already (the server then ignores the request).
#pragma once

#include <asio/awaitable.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <memory>
#include <system_error>

#include "drivers/pg/libpq.hpp"

namespace sluice::pg {

class cancel_ticket {
public:
    cancel_ticket() noexcept = default;
    // Call it while `conn` is connected and not in use by another thread.
    explicit cancel_ticket(PGconn& conn);

    explicit operator bool() const noexcept { return handle_ != nullptr; }

private:
    friend asio::awaitable<std::error_code> cancel(asio::thread_pool&,
                                                   cancel_ticket,
                                                   std::chrono::steady_clock::duration);
    // Shared because the helper thread may outlive the caller's wait.
    std::shared_ptr<PGcancel> handle_;
};

inline constexpr std::chrono::seconds cancel_timeout{10};

// Sends the request on a connection of its own and completes, on the caller's executor, after the
// server has closed that connection: it has signalled its process by then, so a request that this
// backend gets later is (but for the signal's delivery, microseconds) not hit.
//
// Errors: connect_timeout after `timeout`, connect_failed when the server cannot be reached. libpq
// before 17 has only the blocking PQcancel: after a timeout the helper thread stays with it until
// the kernel gives up (tcp_user_timeout in the connection string shortens that).
// `blocking` is joined before the caller's io_context is destroyed.
asio::awaitable<std::error_code> cancel(
    asio::thread_pool& blocking,
    cancel_ticket ticket,
    std::chrono::steady_clock::duration timeout = cancel_timeout);

}  // namespace sluice::pg
