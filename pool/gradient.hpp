// pool/gradient.hpp: how many statements a database should work on at once: size = "auto".
//
// What a statement takes on the server (never in our queues) is compared with what it takes there
// while few others run. As long as both are alike there may be more of them; when it rises, fewer:
//
//   limit = limit * (1 + headroom) * unhindered / now + sqrt(limit)
//
// (the gradient controller of Envoy's adaptive concurrency filter; the root is the queue that a
// busy server may have). `unhindered` is measured anew every half a minute, with few in flight for
// a tenth of a second.
//
// Layer: pool. Pure: times are passed in.
#pragma once

#include <cstddef>

#include "drivers/api/backend.hpp"

namespace sluice::pool {

class gradient {
public:
    struct bounds {
        std::size_t min = 2;
        std::size_t max = 40;
        double headroom = 0.25;
    };
    static constexpr std::size_t few = 3;  // in flight while `unhindered` is measured
    static constexpr std::chrono::milliseconds window{100};
    static constexpr std::chrono::seconds measured_every{30};
    static constexpr std::size_t samples_min = 20;  // in a window

    explicit gradient(bounds within) noexcept;

    // A statement ended that took `took` on the server, while `in_flight` were there, itself among
    // them. True: limit() has changed.
    bool sample(steady_clock::duration took,
                std::size_t in_flight,
                steady_clock::time_point now) noexcept;
    std::size_t limit() const noexcept { return limit_; }
    // Few are in flight, so that `unhindered` can be measured.
    bool measuring() const noexcept { return measuring_ && !settling_; }
    steady_clock::duration unhindered() const noexcept;

private:
    void begin(steady_clock::time_point now) noexcept;
    void adjust(double took, steady_clock::time_point now) noexcept;

    const bounds within_;
    std::size_t limit_;
    double exact_;  // before rounding, and kept while `unhindered` is measured
    bool measuring_ = true;
    bool settling_ = true;  // what runs was begun under the limit before
    steady_clock::time_point begun_{};
    steady_clock::time_point measured_{};
    double unhindered_ = 0;  // seconds
    double sum_ = 0;
    std::size_t samples_ = 0;
    std::size_t most_ = 0;  // in flight
};

}  // namespace sluice::pool
