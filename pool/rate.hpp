// pool/rate.hpp: a token bucket without a lock and without a timer.
//
// Kept is one time: when the bucket would be full again (the virtual scheduling algorithm of
// ITU-T I.371, known as GCRA). A token that is taken moves it on by 1/rate; it may lie ahead of
// now by as much as `burst` tokens take.
//
// Layer: pool. Thread-safe; times are passed in.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "drivers/api/backend.hpp"

namespace sluice::pool {

class rate_bucket {
public:
    bool take(steady_clock::time_point now, double rate, std::uint32_t burst) noexcept;
    // As if the last token had not been taken.
    void put_back(double rate) noexcept;
    // When a token can be had.
    steady_clock::time_point ready_at(double rate, std::uint32_t burst) const noexcept;

private:
    using nanoseconds = std::int64_t;

    std::atomic<nanoseconds> full_at_{0};
};

}  // namespace sluice::pool
