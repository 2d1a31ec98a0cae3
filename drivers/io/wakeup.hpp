// drivers/io/wakeup.hpp: lets one coroutine wait, until a deadline, for something that a helper
// thread or the reactor announces.
//
// Layer: drivers. Lives on one executor: signal() is posted there, never called from elsewhere.
// It must outlive the announcement (both sides hold the shared object it is a member of).
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>

namespace sluice {

class wakeup {
public:
    explicit wakeup(const asio::any_io_executor& on) : timer_(on) {}

    // Begins a new turn; what was announced for earlier ones no longer counts.
    unsigned begin() noexcept
    {
        signalled_ = false;
        return ++turn_;
    }

    void signal(unsigned turn)
    {
        if (turn != turn_)
            return;
        signalled_ = true;
        timer_.cancel();
    }

    // True when this turn's announcement came, false when `until` passed first.
    asio::awaitable<bool> wait(std::chrono::steady_clock::time_point until)
    {
        if (!signalled_) {
            timer_.expires_at(until);
            co_await timer_.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
        }
        co_return signalled_;
    }

private:
    asio::steady_timer timer_;
    unsigned turn_ = 0;
    bool signalled_ = false;
};

}  // namespace sluice
