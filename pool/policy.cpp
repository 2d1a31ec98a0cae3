// pool/policy.cpp: the pool's decisions.
#include "pool/policy.hpp"

#include <algorithm>

namespace sluice::pool {

std::size_t connects_to_start(std::size_t waiting, std::size_t coming, std::size_t room) noexcept
{
    return waiting > coming ? std::min(waiting - coming, room) : 0;
}

std::chrono::milliseconds backoff(std::size_t failures) noexcept
{
    constexpr std::chrono::milliseconds first{50};
    constexpr std::chrono::milliseconds longest{2'000};
    if (failures == 0)
        return std::chrono::milliseconds{0};
    const auto doublings = std::min<std::size_t>(failures - 1, 10);
    return std::min(longest, first * (1 << doublings));
}

std::chrono::milliseconds jittered(std::chrono::milliseconds lifetime,
                                   std::uint64_t random) noexcept
{
    const auto spread = lifetime.count() / 10;
    if (spread <= 0)
        return lifetime;
    return lifetime - std::chrono::milliseconds(
                          static_cast<std::int64_t>(random % static_cast<std::uint64_t>(spread)));
}

}  // namespace sluice::pool
