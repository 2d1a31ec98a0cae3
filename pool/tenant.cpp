// pool/tenant.cpp: counting what a tenant uses.
#include "pool/tenant.hpp"

namespace sluice::pool {
namespace {

bool take_below(std::atomic<std::size_t>& counter, std::size_t limit) noexcept
{
    auto now = counter.load();
    while (now < limit) {
        if (counter.compare_exchange_weak(now, now + 1))
            return true;
    }
    return false;
}

}  // namespace

tenant::tenant(std::string name, std::shared_ptr<const tenant_limits> limits)
    : name_(std::move(name)), kept_{std::move(limits)}, limits_(kept_.back().get())
{
}

void tenant::replace_limits(std::shared_ptr<const tenant_limits> fresh)
{
    if (*fresh == limits())
        return;
    kept_.push_back(std::move(fresh));
    limits_.store(kept_.back().get(), std::memory_order_release);
}

bool tenant::enter_client() noexcept
{
    const auto& now = limits();
    if (now.max_clients == 0 || take_below(clients_, now.max_clients)) {
        if (now.max_clients == 0)
            clients_.fetch_add(1);
        return true;
    }
    if (!now.dry_run) {
        count_refusal(limit::clients);
        return false;
    }
    count_would_refuse(limit::clients);
    clients_.fetch_add(1);
    return true;
}

tenant::start tenant::try_start(steady_clock::time_point now) noexcept
{
    const auto& set = limits();
    if (set.max_concurrent == 0) {
        running_.fetch_add(1);
    } else if (!take_below(running_, set.max_concurrent)) {
        if (!set.dry_run)
            return start::at_limit;
        count_would_refuse(limit::concurrent);
        running_.fetch_add(1);
    }
    if (set.max_rate > 0 && !bucket_.take(now, set.max_rate, set.burst)) {
        if (!set.dry_run) {
            running_.fetch_sub(1);
            return start::too_fast;
        }
        count_would_refuse(limit::rate);
    }
    started_.fetch_add(1, std::memory_order_relaxed);
    return start::started;
}

void tenant::take_back_start() noexcept
{
    const auto& set = limits();
    if (set.max_rate > 0)
        bucket_.put_back(set.max_rate);
    started_.fetch_sub(1, std::memory_order_relaxed);
    running_.fetch_sub(1);
}

bool tenant::has_room() const noexcept
{
    const auto& set = limits();
    return set.max_concurrent == 0 || set.dry_run || running_.load() < set.max_concurrent;
}

steady_clock::time_point tenant::next_token() const noexcept
{
    const auto& set = limits();
    return set.max_rate > 0 ? bucket_.ready_at(set.max_rate, set.burst)
                            : steady_clock::time_point::min();
}

bool tenant::enter_queue() noexcept
{
    const auto& set = limits();
    if (set.max_queued == 0 || take_below(queued_, set.max_queued)) {
        if (set.max_queued == 0)
            queued_.fetch_add(1);
        return true;
    }
    if (!set.dry_run)
        return false;
    count_would_refuse(limit::queued);
    queued_.fetch_add(1);
    return true;
}

}  // namespace sluice::pool
