// drivers/pg/cancel.cpp: CancelRequest on a socket of its own; PQcancel where that cannot be.
#include "drivers/pg/cancel.hpp"

#include <asio/buffer.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <utility>

#include "drivers/io/wakeup.hpp"
#include "proto/core/bytes.hpp"
#include "proto/core/errc.hpp"

namespace sluice::pg {

struct cancel_target {
    cancel_ptr handle;
    sockaddr_storage server{};
    socklen_t server_size = 0;
    std::uint32_t pid = 0;
    std::optional<std::uint32_t> key;  // nothing, or no server: only PQcancel can do it
};

namespace {

using asio::experimental::as_tuple;
using asio::generic::stream_protocol;
using clock = std::chrono::steady_clock;

// PostgreSQL 15, 55.2.8: length, 1234 << 16 | 5678, process id, secret key.
std::array<std::byte, 16> cancel_request(const cancel_target& target)
{
    std::array<std::byte, 16> message;
    store_be(message.data(), std::uint32_t{16});
    store_be(message.data() + 4, std::uint32_t{80877102});
    store_be(message.data() + 8, target.pid);
    store_be(message.data() + 12, *target.key);
    return message;
}

// Shared by the coroutine and its timer, either of which may be the last to run.
struct direct_attempt {
    explicit direct_attempt(const asio::any_io_executor& on) : socket(on), timer(on) {}
    stream_protocol::socket socket;
    asio::steady_timer timer;
    bool late = false;
};

void close_at(const std::shared_ptr<direct_attempt>& attempt, clock::time_point deadline)
{
    attempt->timer.expires_at(deadline);
    attempt->timer.async_wait([attempt](std::error_code ec) {
        if (ec)
            return;
        attempt->late = true;
        attempt->socket.close(ec);
    });
}

asio::awaitable<std::error_code> cancel_directly(std::shared_ptr<const cancel_target> target,
                                                 clock::time_point deadline)
{
    const asio::any_io_executor own = co_await asio::this_coro::executor;
    const auto attempt = std::make_shared<direct_attempt>(own);
    const auto token = as_tuple(asio::use_awaitable);
    close_at(attempt, deadline);

    const stream_protocol::endpoint server(&target->server, target->server_size, 0);
    auto [connect_ec] = co_await attempt->socket.async_connect(server, token);
    std::error_code ec = connect_ec;
    if (!ec) {
        const auto message = cancel_request(*target);
        const auto out = asio::buffer(message);
        auto [write_ec, written] = co_await asio::async_write(attempt->socket, out, token);
        ec = write_ec;
    }
    if (!ec) {
        std::byte nothing{};
        const auto in = asio::buffer(&nothing, 1);
        // The server answers by closing.
        co_await attempt->socket.async_read_some(in, token);
    }
    attempt->timer.cancel();
    if (attempt->late)
        co_return errc::connect_timeout;
    co_return ec ? make_error_code(errc::connect_failed) : std::error_code{};
}

// Shared by the waiting coroutine and the helper thread.
struct blocking_attempt {
    blocking_attempt(const asio::any_io_executor& on, std::shared_ptr<const cancel_target> what)
        : wake(on), target(std::move(what))
    {
    }

    wakeup wake;                                  // caller's executor
    std::shared_ptr<const cancel_target> target;  // helper
    bool sent = false;                            // helper, then caller
    std::atomic<bool> abandoned = false;          // the caller stopped waiting: do not start
};

void request(blocking_attempt& attempt)
{
    if (attempt.abandoned)
        return;
    std::array<char, 256> why{};  // the size that libpq documents
    attempt.sent =
        PQcancel(attempt.target->handle.get(), why.data(), static_cast<int>(why.size())) == 1;
}

asio::awaitable<std::error_code> cancel_blocking(asio::thread_pool& blocking,
                                                 std::shared_ptr<const cancel_target> target,
                                                 clock::time_point deadline)
{
    const asio::any_io_executor own = co_await asio::this_coro::executor;
    const auto attempt = std::make_shared<blocking_attempt>(own, std::move(target));
    const unsigned turn = attempt->wake.begin();
    asio::post(blocking, [attempt, turn, own]() {
        request(*attempt);
        asio::post(own, [attempt, turn]() { attempt->wake.signal(turn); });
    });
    if (!co_await attempt->wake.wait(deadline)) {
        attempt->abandoned = true;
        co_return errc::connect_timeout;
    }
    co_return attempt->sent ? std::error_code{} : make_error_code(errc::connect_failed);
}

}  // namespace

cancel_ticket::cancel_ticket(PGconn& conn, std::optional<std::uint32_t> key)
{
    auto target = std::make_shared<cancel_target>();
    target->handle.reset(PQgetCancel(&conn));
    if (!target->handle)
        return;
    socklen_t size = sizeof target->server;
    if (::getpeername(PQsocket(&conn), reinterpret_cast<sockaddr*>(&target->server), &size) == 0)
        target->server_size = size;
    target->pid = static_cast<std::uint32_t>(PQbackendPID(&conn));
    target->key = target->server_size > 0 ? key : std::nullopt;
    target_ = std::move(target);
}

asio::awaitable<std::error_code> cancel(asio::thread_pool& blocking,
                                        cancel_ticket ticket,
                                        std::chrono::steady_clock::duration timeout)
{
    if (!ticket)
        co_return errc::connect_failed;
    const auto deadline = clock::now() + timeout;
    if (ticket.target_->key)
        co_return co_await cancel_directly(std::move(ticket.target_), deadline);
    co_return co_await cancel_blocking(blocking, std::move(ticket.target_), deadline);
}

}  // namespace sluice::pg
