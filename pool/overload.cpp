// pool/overload.cpp: when a queue stands for too long.
#include "pool/overload.hpp"

#include <algorithm>

namespace sluice::pool {

void sojourn_control::served(steady_clock::duration waited,
                             steady_clock::duration target,
                             steady_clock::time_point now) noexcept
{
    if (last_ != steady_clock::time_point{}) {
        const auto since = now - last_;
        pace_ = pace_.count() == 0 ? since : pace_ + (since - pace_) / 8;
    }
    last_ = now;
    if (begun_ == steady_clock::time_point{}) {
        begun_ = now;
        least_ = waited;
        return;
    }
    least_ = std::min(least_, waited);
    // One short wait shows that the queue is good.
    if (waited <= target)
        overloaded_ = overloaded_ && least_ > target / 2;
    if (now - begun_ < interval)
        return;
    overloaded_ = least_ > (overloaded_ ? target / 2 : target);
    begun_ = now;
    least_ = waited;
}

void sojourn_control::emptied() noexcept
{
    overloaded_ = false;
    begun_ = last_ = {};
}

std::size_t sojourn_control::allowed(steady_clock::duration target) const noexcept
{
    if (pace_.count() <= 0)
        return 1;
    return std::max<std::size_t>(1, static_cast<std::size_t>(target / pace_));
}

}  // namespace sluice::pool
