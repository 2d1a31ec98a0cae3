// gateway/drain.hpp: the way to the end: clients leave between their transactions, then the
// connections to the databases are closed.
//
//   gentle: who has been idle for a moment is told to leave; logins under way are let in
//   firm:   everybody leaves at the next moment between transactions, nobody is let in
//   over:   who is still there is cut off
//
// Layer: gateway. Thread: the first worker's.
#pragma once

#include <chrono>
#include <functional>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "gateway/context.hpp"

namespace sluice::gateway {

class drain {
public:
    // `over` is called once, when no client and no connection is left.
    drain(context& shared, asio::io_context& first, std::function<void()> over);

    // Firm after `patience`, over after `timeout`; zero: at once. May be called again with less.
    void begin(std::chrono::milliseconds timeout, std::chrono::milliseconds patience);
    bool begun() const noexcept { return begun_; }

private:
    using clock = std::chrono::steady_clock;

    void wait_for_clients();
    void finish();
    void wait_for_backends();

    context& shared_;
    const std::function<void()> over_;
    asio::steady_timer timer_;
    clock::time_point firm_at_;
    clock::time_point deadline_;
    bool begun_ = false;
    bool firm_ = false;
    bool finished_ = false;
};

}  // namespace sluice::gateway
