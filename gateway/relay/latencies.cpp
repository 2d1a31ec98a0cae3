// gateway/relay/latencies.cpp: learning.
#include "gateway/relay/latencies.hpp"

#include <algorithm>

namespace sluice::gateway {

void latency_table::learn(std::uint64_t digest, server_time took, bool few) noexcept
{
    entry& at = entries_[digest % size];
    took = std::min(took, most);
    if (at.digest != digest || at.time < server_time::zero()) {
        at.digest = digest;
        at.time = at.unhindered = took;
        at.samples = 1;
        return;
    }
    if (few || at.samples < average_of) {
        at.samples += at.samples < average_of;
        at.unhindered += (took - at.unhindered) / static_cast<int>(at.samples);
    }
    const auto difference = took - at.time;
    at.time += difference < server_time::zero() ? difference / 2 : difference / 1024;
}

}  // namespace sluice::gateway
