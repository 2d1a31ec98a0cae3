// drivers/pg/cancel.cpp: PQcancel on a helper thread, awaited with a timeout.
#include "drivers/pg/cancel.hpp"

#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <array>
#include <atomic>
#include <utility>

#include "drivers/pg/wakeup.hpp"
#include "proto/core/errc.hpp"

namespace sluice::pg {
namespace {

// Shared by the waiting coroutine and the helper thread.
struct cancel_attempt {
    cancel_attempt(const asio::any_io_executor& on, std::shared_ptr<PGcancel> with)
        : wake(on), handle(std::move(with))
    {
    }

    wakeup wake;                          // caller's executor
    std::shared_ptr<PGcancel> handle;     // helper
    bool sent = false;                    // helper, then caller
    std::atomic<bool> abandoned = false;  // the caller stopped waiting: do not start
};

void request(cancel_attempt& attempt)
{
    if (attempt.abandoned)
        return;
    std::array<char, 256> why{};  // the size that libpq documents
    attempt.sent = PQcancel(attempt.handle.get(), why.data(), static_cast<int>(why.size())) == 1;
}

}  // namespace

cancel_ticket::cancel_ticket(PGconn& conn) : handle_(PQgetCancel(&conn), cancel_delete{}) {}

asio::awaitable<std::error_code> cancel(asio::thread_pool& blocking,
                                        cancel_ticket ticket,
                                        std::chrono::steady_clock::duration timeout)
{
    if (!ticket)
        co_return errc::connect_failed;
    const asio::any_io_executor own = co_await asio::this_coro::executor;
    const auto attempt = std::make_shared<cancel_attempt>(own, std::move(ticket.handle_));
    const unsigned turn = attempt->wake.begin();
    asio::post(blocking, [attempt, turn, own]() {
        request(*attempt);
        asio::post(own, [attempt, turn]() { attempt->wake.signal(turn); });
    });
    if (!co_await attempt->wake.wait(std::chrono::steady_clock::now() + timeout)) {
        attempt->abandoned = true;
        co_return errc::connect_timeout;
    }
    co_return attempt->sent ? std::error_code{} : make_error_code(errc::connect_failed);
}

}  // namespace sluice::pg
