// gateway/admin/gate.cpp: closing and opening the way to a SQLite database.
#include "gateway/admin/gate.hpp"

#include <asio/post.hpp>

namespace sluice::gateway::admin {

void gate::open()
{
    std::unordered_map<const void*, waiter> all;
    {
        // Whoever comes now sees it open, or is in the list that is taken here.
        const std::scoped_lock lock(mutex_);
        closed_.store(false);
        all.swap(waiters_);
    }
    for (auto& [who, each] : all)
        asio::post(*each.io, std::move(each.wake));
}

std::size_t gate::inside() const noexcept
{
    std::size_t sum = 0;
    for (std::size_t i = 0; i < workers_; ++i)
        sum += counts_[i].now.load();
    return sum;
}

void gate::wait(const void* who, asio::io_context& io, std::function<void()> wake)
{
    {
        const std::scoped_lock lock(mutex_);
        if (closed_.load()) {
            waiters_[who] = {&io, std::move(wake)};
            return;
        }
    }
    asio::post(io, std::move(wake));
}

void gate::forget(const void* who)
{
    const std::scoped_lock lock(mutex_);
    waiters_.erase(who);
}

std::size_t gate::waiting() const
{
    const std::scoped_lock lock(mutex_);
    return waiters_.size();
}

}  // namespace sluice::gateway::admin
