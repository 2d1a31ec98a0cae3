// tests/support/driver_loop.hpp: runs a driver's coroutines to their end.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <optional>
#include <stdexcept>
#include <utility>

namespace sluice::support {

// One loop and its helper threads, in the order in which a process ends them.
class driver_loop {
public:
    explicit driver_loop(std::size_t helpers) : blocking_(helpers) {}
    ~driver_loop() { blocking_.join(); }

    template <class T>
    T run(asio::awaitable<T> work)
    {
        std::optional<T> out;
        asio::co_spawn(loop_, std::move(work), [&out](std::exception_ptr error, T value) {
            if (error)
                std::rethrow_exception(error);
            out = std::move(value);
        });
        loop_.restart();
        while (!out && loop_.run_one() > 0) {
        }
        if (!out)
            throw std::runtime_error("the loop ran out of work");
        return std::move(*out);
    }

    asio::io_context& loop() { return loop_; }
    asio::thread_pool& blocking() { return blocking_; }

private:
    asio::io_context loop_{1};
    asio::thread_pool blocking_;
};

}  // namespace sluice::support
