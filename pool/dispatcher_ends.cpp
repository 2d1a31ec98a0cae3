// pool/dispatcher_ends.cpp: who is refused, and what people are told about who waits.
#include <algorithm>

#include "pool/dispatcher.hpp"
#include "proto/core/errc.hpp"

namespace sluice::pool {

std::error_code dispatcher::overdue(const candidate& r) const noexcept
{
    const account& who = *r.account_;
    if (who.last_block_ == account::block::rate && who.token_at_ > r.since())
        return errc::tenant_rate;
    return r.tenant_deadline_ ? errc::tenant_timeout : errc::pool_timeout;
}

// To be told by its own worker: callbacks are not for locks.
void dispatcher::refuse(candidate& r, std::error_code why)
{
    fair_queue& from = *r.queue();
    const auto worker = from.worker();
    const auto since = r.since();
    lines_[worker]->remove(r);
    if (from.empty())
        from.control.emptied();
    r.account_->queued_.fetch_sub(1);
    r.verdict_ = why;
    lines_[worker]->push(refused_->queue(worker), r, since);
    to_tell_[worker].fetch_add(1);
    tenant& of = *r.account_->of_;
    if (why == errc::overloaded)
        of.count_refusal(limit::overload);
    else if (why == errc::tenant_timeout || why == errc::pool_timeout)
        of.count_refusal(limit::queue_timeout);
    else if (why == errc::tenant_rate)
        of.count_refusal(limit::rate);
}

candidate* dispatcher::take_refused(std::size_t worker, std::error_code& why)
{
    // Its own worker's only: nobody else puts any there.
    if (to_tell_[worker].load() == 0)
        return nullptr;
    const guard held(lock_->mutex);
    fair_queue& q = refused_->queue(worker);
    if (q.empty())
        return nullptr;
    candidate& r = front(q);
    why = r.verdict_;
    unlink(r);
    return &r;
}

void dispatcher::sweep(std::size_t worker,
                       steady_clock::time_point now,
                       steady_clock::duration hopeless)
{
    const guard held(lock_->mutex);
    for (auto at = accounts_.begin(); at != accounts_.end();) {
        account& who = *at->second;
        fair_queue& q = who.share_.queue(worker);
        while (!q.empty()) {
            candidate& r = front(q);
            if (now >= r.deadline_)
                refuse(r, overdue(r));
            else if (now - r.since() >= hopeless)
                refuse(r, errc::connect_failed);
            else
                break;
        }
        if (who.share_.waiting() == 0 && who.slots_.load() == 0 && at->second.use_count() == 1) {
            unblock(who);
            at = accounts_.erase(at);
            continue;
        }
        if (who.blocked_by_ == account::block::limit && who.of_->has_room()) {
            unblock(who);
            wake_for(who);
        }
        ++at;
    }
    publish(now);
}

void dispatcher::refuse_all(std::size_t worker, std::error_code why)
{
    const guard held(lock_->mutex);
    for (auto& [of, each] : accounts_) {
        fair_queue& q = each->share_.queue(worker);
        while (!q.empty())
            refuse(front(q), why);
    }
    publish(steady_clock::time_point{});
}

void dispatcher::publish(steady_clock::time_point now) noexcept
{
    std::size_t all = 0;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        const auto ready = lines_[i]->ready();
        all += ready;
        if (ready_[i].load(std::memory_order_relaxed) != ready)
            ready_[i].store(ready);
    }
    const auto before = ready_total_.load(std::memory_order_relaxed);
    if (before == 0 && all > 0)
        contended_since_.store(now == steady_clock::time_point{} ? steady_clock::now() : now);
    if (before != all)
        ready_total_.store(all);
}

// --- for people

std::string_view name_of(wait_reason why) noexcept
{
    switch (why) {
        case wait_reason::tenant_limit:
            return "tenant_limit";
        case wait_reason::rate:
            return "rate";
        case wait_reason::pool_full:
            return "pool_full";
        case wait_reason::priority:
            return "priority";
        case wait_reason::connecting:
            return "connecting";
    }
    return "";
}

wait_reason dispatcher::reason_of(const account& who, bool connecting) const noexcept
{
    if (who.blocked_by_ == account::block::rate)
        return wait_reason::rate;
    if (who.blocked_by_ == account::block::limit)
        return wait_reason::tenant_limit;
    if (connecting)
        return wait_reason::connecting;
    for (std::size_t c = 0; c < static_cast<std::size_t>(who.share_.service_class()); ++c) {
        if (time_.listed[c] > 0)
            return wait_reason::priority;
    }
    return wait_reason::pool_full;
}

std::vector<dispatcher::wait> dispatcher::list_waiting(std::size_t most, bool connecting) const
{
    std::vector<wait> all;
    const auto now = steady_clock::now();
    const guard held(lock_->mutex);
    for (const auto& [of, each] : accounts_) {
        if (each->share_.waiting() == 0)
            continue;
        const auto why = reason_of(*each, connecting);
        for (std::size_t worker = 0; worker < lines_.size(); ++worker) {
            std::size_t position = 0;
            for (place* p = each->share_.queue(worker).first(); p; p = p->next()) {
                if (all.size() == most)
                    return all;
                all.push_back({each->of_,
                               static_cast<candidate*>(p)->client_id(),
                               why,
                               worker,
                               now - p->since(),
                               ++position});
            }
        }
    }
    return all;
}

std::chrono::nanoseconds dispatcher::longest_wait(steady_clock::time_point now) const
{
    std::chrono::nanoseconds longest{0};
    const guard held(lock_->mutex);
    for (const auto& [of, each] : accounts_) {
        for (std::size_t worker = 0; worker < lines_.size(); ++worker) {
            // First come, first served: the first has waited longest.
            if (const place* first = each->share_.queue(worker).first())
                longest = std::max<std::chrono::nanoseconds>(longest, now - first->since());
        }
    }
    return longest;
}

std::optional<dispatcher::wait> dispatcher::explain(const candidate& r, bool connecting) const
{
    const guard held(lock_->mutex);
    if (!r.queued() || r.verdict_)
        return std::nullopt;
    const fair_queue& q = *r.queue();
    std::size_t position = 1;
    for (place* p = q.first(); p != &r; p = p->next())
        ++position;
    return wait{r.account_->of_,
                r.client_id(),
                reason_of(*r.account_, connecting),
                q.worker(),
                steady_clock::now() - r.since(),
                position};
}

std::vector<dispatcher::standing> dispatcher::list_accounts() const
{
    std::vector<standing> all;
    const guard held(lock_->mutex);
    for (const auto& [of, each] : accounts_) {
        if (each != own_)
            all.push_back({each->of_,
                           each->running_.load(),
                           each->share_.waiting(),
                           each->share_.lag(),
                           each->share_.estimate()});
    }
    return all;
}

}  // namespace sluice::pool
