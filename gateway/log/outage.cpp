// gateway/log/outage.cpp: when a repeated line is due.
#include "gateway/log/outage.hpp"

#include <utility>

#include "gateway/log/log.hpp"

namespace sluice::gateway::log {

std::uint64_t rare_line::count(clock::time_point now)
{
    const std::scoped_lock lock(mutex_);
    ++unwritten_;
    if (written_ && now - *written_ < pause)
        return 0;
    written_ = now;
    return std::exchange(unwritten_, 0);
}

std::uint64_t outage::failed(clock::time_point now)
{
    const std::scoped_lock lock(mutex_);
    if (!down_.exchange(true)) {
        began_ = now;
        attempts_ = 0;
        told_ = false;
    }
    ++attempts_;
    const auto stands_for = line_.count(now);
    told_ = told_ || stands_for > 0;
    return stands_for;
}

std::optional<outage::summary> outage::succeeded(clock::time_point now)
{
    if (!down_.load())
        return std::nullopt;
    const std::scoped_lock lock(mutex_);
    if (!down_.exchange(false) || !told_)
        return std::nullopt;
    return summary{std::chrono::duration_cast<std::chrono::milliseconds>(now - began_), attempts_};
}

void outage::connect_failed(std::string_view pool, std::string_view why)
{
    if (const auto attempts = failed(clock::now()))
        warn("connect failed", {{"pool", pool}, {"why", why}, {"attempts", attempts}});
}

void outage::connected(std::string_view pool)
{
    if (const auto over = succeeded(clock::now()))
        info("database is back",
             {{"pool", pool}, {"after_ms", over->lasted}, {"attempts", over->attempts}});
}

}  // namespace sluice::gateway::log
