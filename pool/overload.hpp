// pool/overload.hpp: when a queue stands for too long, and how long it may be then.
//
// As CoDel (Nichols, Jacobson 2012) has it: a queue that empties now and then is good, one in which
// even the shortest wait of an interval is above the target is bad. While it is bad, the queue may
// hold only what is served within the target, by the pace of late; what came last beyond it is
// refused. Under fair queueing only an account that asks for more than its share has such a queue,
// so whoever is refused is at fault.
//
// Layer: pool. Pure: times are passed in.
#pragma once

#include <cstddef>

#include "drivers/api/backend.hpp"

namespace sluice::pool {

class sojourn_control {
public:
    static constexpr std::chrono::milliseconds interval{100};

    // A request was served, after `waited`.
    void served(steady_clock::duration waited,
                steady_clock::duration target,
                steady_clock::time_point now) noexcept;
    // Nobody waits any more.
    void emptied() noexcept;
    bool overloaded() const noexcept { return overloaded_; }
    // How many may wait at the moment.
    std::size_t allowed(steady_clock::duration target) const noexcept;

private:
    steady_clock::time_point begun_{};  // this interval
    steady_clock::time_point last_{};   // when one was served
    steady_clock::duration least_{};    // wait in this interval
    steady_clock::duration pace_{};     // between two, on average
    bool overloaded_ = false;
};

}  // namespace sluice::pool
