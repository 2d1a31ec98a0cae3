// pool/dispatcher_turns.cpp: whose turn it is.
#include <algorithm>
#include <utility>

#include "pool/dispatcher.hpp"
#include "proto/core/errc.hpp"

namespace sluice::pool {

// The best in this worker's line that its tenant's limits let through now.
fair_queue* dispatcher::viable(std::size_t worker, steady_clock::time_point now)
{
    while (fair_queue* q = lines_[worker]->best(now)) {
        account& who = payer_of(front(*q));
        tenant& of = *who.of_;
        if (!of.has_room()) {
            block_at_limit(who);
            continue;
        }
        const auto at = of.next_token();
        if (at > now && !of.limits().dry_run) {
            block_until(who, account::block::rate, at);
            continue;
        }
        return q;
    }
    return nullptr;
}

std::size_t dispatcher::whose_turn(std::size_t worker, steady_clock::time_point now)
{
    if (!contended())
        return nobody;
    const guard held(lock_->mutex);
    fair_queue* best = viable(worker, now);
    std::size_t where = best ? worker : nobody;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        if (i == worker)
            continue;
        fair_queue* const other = viable(i, now);
        if (other &&
            (!best ||
             fair_line::before(*other, *best, where == worker ? fairness_slack : cost{0}, now))) {
            best = other;
            where = i;
        }
    }
    publish(now);
    return where;
}

std::size_t dispatcher::ready_except(std::size_t worker, steady_clock::time_point now)
{
    if (!contended())
        return nobody;
    const guard held(lock_->mutex);
    fair_queue* best = nullptr;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        fair_queue* const other = i == worker ? nullptr : viable(i, now);
        if (other && (!best || fair_line::before(*other, *best, cost{0}, now)))
            best = other;
    }
    publish(now);
    return best ? best->worker() : nobody;
}

dispatcher::turn dispatcher::next(std::size_t worker, steady_clock::time_point now)
{
    return grant(worker, now, true);
}

dispatcher::turn dispatcher::peek(std::size_t worker, steady_clock::time_point now)
{
    return grant(worker, now, false);
}

dispatcher::turn dispatcher::grant(std::size_t worker, steady_clock::time_point now, bool take_out)
{
    turn made;
    const guard held(lock_->mutex);
    while (fair_queue* q = viable(worker, now)) {
        candidate& r = front(*q);
        // Nothing is handed to who is not waiting any more.
        if (now >= r.deadline_) {
            refuse(r, overdue(r));
            continue;
        }
        account& who = *r.account_;
        if (const auto at = paced(who, now); at > now) {
            block_until(who, account::block::pace, at);
            continue;
        }
        switch (who.of_->try_start(now)) {
            case tenant::start::at_limit:
                block_at_limit(who);
                continue;
            case tenant::start::too_fast:
                block_until(who, account::block::rate, who.of_->next_token());
                continue;
            case tenant::start::started:
                break;
        }
        who.running_.fetch_add(1);
        who.slots_.fetch_add(1);
        lines_[worker]->served(*q, now);
        control(who, *q, r, now);
        if (who.share_.estimate() >= spaced_least)
            note_long(who.share_.estimate(), now);
        if (take_out)
            unlink(r);
        made.right = slot(who, who.share_.precharge(), now);
        refresh(who);
        made.who = &r;
        break;
    }
    publish(now);
    return made;
}

// A long request begins: how far apart they are at most, in this round of all places and in the one
// before.
void dispatcher::note_long(cost estimate, steady_clock::time_point now) noexcept
{
    if (long_at_ != steady_clock::time_point{})
        widest_ = std::max(widest_, cost(now - long_at_));
    if (++round_ >= within_.places) {
        round_ = 0;
        widest_before_ = std::exchange(widest_, cost{0});
    }
    long_at_ = now;
    spacing_left_ = std::min(2 * estimate, spacing_left_ + estimate / spacing_share);
}

// When its next request may begin, if there is anything for it.
//
// Long requests of one length that began together end together, and begin together again: whoever
// comes with a short one then waits for the whole length, however many places there are. Spaced
// out, a place becomes free every length / places. They drift together again, as short ones come
// between them; that is mended when a gap has become wide, and its budget bounds what it costs
// where lengths differ so much that it would go on costing.
steady_clock::time_point dispatcher::paced(const account& who, steady_clock::time_point now)
{
    const cost each = who.share_.estimate();
    if (within_.places == 0 || each < spaced_least || now - short_at_ > short_memory)
        return now;
    const cost even = each / static_cast<std::int64_t>(within_.places);
    if (std::max(widest_, widest_before_) < 2 * even)
        return now;
    const auto at = long_at_ + even * 9 / 10;
    if (at <= now || at - now > spacing_left_)
        return now;
    spacing_left_ -= at - now;
    return at;
}

// Watches how long the account waits, and sheds what came last.
void dispatcher::control(account& who,
                         fair_queue& q,
                         candidate& served,
                         steady_clock::time_point now)
{
    const auto& limits = who.of_->limits();
    if (limits.queue_timeout.count() > 0 && limits.dry_run &&
        now - served.since() > limits.queue_timeout)
        who.of_->count_would_refuse(limit::queue_timeout);
    if (limits.target_delay.count() == 0)
        return;
    q.control.served(now - served.since(), limits.target_delay, now);
    if (!q.control.overloaded() || limits.dry_run)
        return;
    const auto allowed = q.control.allowed(limits.target_delay);
    while (q.size() > allowed && q.last() != &served)
        refuse(static_cast<candidate&>(*q.last()), errc::overloaded);
}

}  // namespace sluice::pool
