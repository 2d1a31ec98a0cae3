// pool/gradient.cpp: finding the number of statements in flight.
#include "pool/gradient.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::pool {

gradient::gradient(bounds within) noexcept
    : within_{std::max<std::size_t>(1, within.min),
              std::max(within.min, within.max),
              within.headroom},
      limit_(std::clamp(few, within_.min, within_.max)),
      exact_(static_cast<double>(limit_))
{
}

steady_clock::duration gradient::unhindered() const noexcept
{
    return std::chrono::duration_cast<steady_clock::duration>(
        std::chrono::duration<double>(unhindered_));
}

void gradient::begin(steady_clock::time_point now) noexcept
{
    begun_ = now;
    sum_ = 0;
    samples_ = most_ = 0;
}

bool gradient::sample(steady_clock::duration took,
                      std::size_t in_flight,
                      steady_clock::time_point now) noexcept
{
    if (begun_ == steady_clock::time_point{})
        begin(now);
    // Neighbours that were begun under a higher limit still run.
    if (settling_) {
        if (in_flight > limit_)
            return false;
        settling_ = false;
        begin(now);
        return false;
    }
    sum_ += std::chrono::duration<double>(took).count();
    ++samples_;
    most_ = std::max(most_, in_flight);
    if (samples_ < samples_min || now - begun_ < window)
        return false;
    const auto before = limit_;
    adjust(sum_ / static_cast<double>(samples_), now);
    begin(now);
    return limit_ != before;
}

void gradient::adjust(double took, steady_clock::time_point now) noexcept
{
    if (measuring_) {
        measuring_ = false;
        unhindered_ = took;
        measured_ = now;
    } else if (now - measured_ >= measured_every) {
        measuring_ = settling_ = true;
        limit_ = std::min(limit_, std::clamp(few, within_.min, within_.max));
        return;
    } else {
        // Nothing is less hindered: the statements are others than when it was measured.
        if (took < unhindered_)
            unhindered_ += (took - unhindered_) / 4;
        const double slower = std::max(took, 1e-9);
        const double ratio = std::clamp((1 + within_.headroom) * unhindered_ / slower, 0.5, 1.0);
        const double wanted = exact_ * ratio + std::sqrt(exact_);
        // Where the limit is not reached it is not what holds statements up.
        if (wanted < exact_ || most_ >= limit_)
            exact_ = std::clamp(
                wanted, static_cast<double>(within_.min), static_cast<double>(within_.max));
    }
    limit_ = static_cast<std::size_t>(std::lround(exact_));
}

}  // namespace sluice::pool
