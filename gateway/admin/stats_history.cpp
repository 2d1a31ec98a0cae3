// gateway/admin/stats_history.cpp: which totals averages are reckoned from.
#include "gateway/admin/stats_history.hpp"

namespace sluice::gateway::admin {

stats_history::sample stats_history::before(clock::time_point now,
                                            std::shared_ptr<const totals> fresh)
{
    const std::scoped_lock lock(mutex_);
    // As long as the second is a minute old, nobody needs the first.
    while (samples_.size() > 1 && now - samples_[1].at >= period)
        samples_.pop_front();
    const sample found = samples_.front();
    if (now - samples_.back().at >= apart) {
        if (samples_.size() >= samples_max)
            samples_.erase(samples_.begin() + 1);
        samples_.push_back({now, std::move(fresh)});
    }
    return found;
}

}  // namespace sluice::gateway::admin
