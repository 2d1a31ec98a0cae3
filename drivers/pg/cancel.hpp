// drivers/pg/cancel.hpp: ask a PostgreSQL server to cancel what a connection is running.
//
// Layer: drivers. A ticket is taken when the connection opens and stays valid, on any thread, also
// while the connection is lent out or closed already (the server then ignores the request).
#pragma once

#include <asio/awaitable.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>

#include "drivers/pg/libpq.hpp"

namespace sluice::pg {

struct cancel_target;  // drivers/pg/cancel.cpp: where to send what

class cancel_ticket {
public:
    cancel_ticket() noexcept = default;
    // Call it while `conn` is connected and not in use by another thread. `key` is the secret of
    // its BackendKeyData where that is known (drivers/pg/backend_key.hpp).
    cancel_ticket(PGconn& conn, std::optional<std::uint32_t> key);

    explicit operator bool() const noexcept { return target_ != nullptr; }

private:
    friend asio::awaitable<std::error_code> cancel(asio::thread_pool&,
                                                   cancel_ticket,
                                                   std::chrono::steady_clock::duration);
    // Shared because a helper thread may outlive the caller's wait.
    std::shared_ptr<const cancel_target> target_;
};

inline constexpr std::chrono::seconds cancel_timeout{10};

// Sends the request on a connection of its own and completes, on the caller's executor, after the
// server has closed that connection: it has signalled its process by then, so a request that this
// backend gets later is (but for the signal's delivery, microseconds) not hit. A request that
// comes before the backend has read the statement is ignored by the server.
//
// Errors: connect_timeout after `timeout`, connect_failed when the server cannot be reached.
// Blocks nothing. Only where the backend's key is not known, `blocking` runs libpq's PQcancel,
// which after a timeout keeps its thread until the kernel gives up (tcp_user_timeout in the
// connection string shortens that). `blocking` is joined before the caller's loop is destroyed.
asio::awaitable<std::error_code> cancel(
    asio::thread_pool& blocking,
    cancel_ticket ticket,
    std::chrono::steady_clock::duration timeout = cancel_timeout);

}  // namespace sluice::pg
