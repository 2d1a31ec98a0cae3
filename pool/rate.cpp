// pool/rate.cpp: a token bucket without a lock and without a timer.
#include "pool/rate.hpp"

#include <algorithm>

namespace sluice::pool {
namespace {

std::int64_t spacing(double rate) noexcept
{
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(1e9 / rate));
}

// How far ahead of now the bucket's time may lie for one more token to be there. Without a burst
// of its own a bucket holds a tenth of a second's tokens, and at least one.
std::int64_t slack(double rate, std::uint32_t burst) noexcept
{
    const double tokens = burst > 0 ? static_cast<double>(burst) : std::max(1.0, rate / 10);
    return static_cast<std::int64_t>((tokens - 1) * static_cast<double>(spacing(rate)));
}

std::int64_t in_nanoseconds(steady_clock::time_point at) noexcept
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

}  // namespace

bool rate_bucket::take(steady_clock::time_point now, double rate, std::uint32_t burst) noexcept
{
    const auto at = in_nanoseconds(now);
    const auto ahead = slack(rate, burst);
    const auto step = spacing(rate);
    auto full_at = full_at_.load();
    for (;;) {
        if (full_at - at > ahead)
            return false;
        if (full_at_.compare_exchange_weak(full_at, std::max(full_at, at) + step))
            return true;
    }
}

void rate_bucket::put_back(double rate) noexcept
{
    full_at_.fetch_sub(spacing(rate));
}

steady_clock::time_point rate_bucket::ready_at(double rate, std::uint32_t burst) const noexcept
{
    return steady_clock::time_point(std::chrono::duration_cast<steady_clock::duration>(
        std::chrono::nanoseconds(full_at_.load() - slack(rate, burst))));
}

}  // namespace sluice::pool
