// gateway/admin/stats_history.hpp: totals as they were a minute ago, for averages.
//
// Layer: gateway. Thread-safe. Bounds: samples_max.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "gateway/statistics/traffic.hpp"

namespace sluice::gateway::admin {

// Totals of each database as they were: what averages are reckoned from. One sample is kept for
// each time that somebody looked, not more often than every few seconds; averages are since the
// one that is about a minute old, or since the oldest.
class stats_history {
public:
    using clock = std::chrono::steady_clock;
    using totals = std::map<std::string, statistics::traffic_totals>;

    struct sample {
        clock::time_point at = clock::now();
        std::shared_ptr<const totals> of;  // null: the start, all zero
    };

    // What to compare `fresh` with; keeps it.
    sample before(clock::time_point now, std::shared_ptr<const totals> fresh);

private:
    static constexpr std::chrono::seconds period{60};
    static constexpr std::chrono::seconds apart{5};
    static constexpr std::size_t samples_max = 16;

    std::mutex mutex_;
    std::deque<sample> samples_{sample{}};
};

}  // namespace sluice::gateway::admin
