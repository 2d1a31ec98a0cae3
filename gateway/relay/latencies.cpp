// gateway/relay/latencies.cpp: learning.
#include "gateway/relay/latencies.hpp"

#include <algorithm>

namespace sluice::gateway {

void latency_table::learn(std::uint64_t digest, server_time took) noexcept
{
    entry& at = entries_[digest % size];
    took = std::min(took, most);
    if (at.digest != digest || at.time < server_time::zero()) {
        at.digest = digest;
        at.time = took;
        return;
    }
    const auto difference = took - at.time;
    at.time += difference < server_time::zero() ? difference / 2 : difference / 1024;
}

}  // namespace sluice::gateway
