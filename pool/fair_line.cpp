// pool/fair_line.cpp: the heaps of a line, and the clocks of those who wait in it.
#include "pool/fair_line.hpp"

#include <algorithm>
#include <utility>

namespace sluice::pool {
namespace {

// The moving average of an account's costs: the last sixteen or so.
constexpr int averaged = 16;

constexpr std::size_t index_of(service of) noexcept
{
    return static_cast<std::size_t>(of);
}

}  // namespace

// --- fair_queue

void fair_queue::append(place& p, steady_clock::time_point now) noexcept
{
    p.queue_ = this;
    p.since_ = now;
    p.next_ = nullptr;
    p.previous_ = last_;
    (last_ ? last_->next_ : first_) = &p;
    last_ = &p;
    ++size_;
    ++share_->waiting_;
}

void fair_queue::unlink(place& p) noexcept
{
    (p.previous_ ? p.previous_->next_ : first_) = p.next_;
    (p.next_ ? p.next_->previous_ : last_) = p.previous_;
    p.previous_ = p.next_ = nullptr;
    p.queue_ = nullptr;
    --size_;
    --share_->waiting_;
}

// --- fair_share

fair_share::fair_share(fair_time& time, const std::vector<fair_line*>& lines)
    : time_(time), queues_(lines.size())
{
    for (std::size_t i = 0; i < lines.size(); ++i) {
        queues_[i].line_ = lines[i];
        queues_[i].share_ = this;
        queues_[i].worker_ = i;
    }
}

void fair_share::set_class(service of)
{
    if (of == class_)
        return;
    const std::int64_t ahead = std::max<std::int64_t>(0, lag().count());
    std::vector<fair_queue*> moved;
    for (auto& each : queues_) {
        if (each.listed()) {
            each.line_->erase(each);
            moved.push_back(&each);
        }
    }
    class_ = of;
    clock_ = time_.now[index_of(class_)] + ahead;
    for (auto* each : moved)
        each->line_->insert(*each, each->line_->now_);
}

// Nobody saves up while nothing of it waits.
void fair_share::activate() noexcept
{
    clock_ = std::max(clock_, time_.now[index_of(class_)]);
}

void fair_share::list()
{
    blocked_ = false;
    activate();
    for (auto& each : queues_) {
        if (!each.empty() && !each.listed())
            each.line_->insert(each, each.line_->now_);
    }
}

void fair_share::unlist() noexcept
{
    blocked_ = true;
    for (auto& each : queues_) {
        if (each.listed())
            each.line_->erase(each);
    }
}

void fair_share::advance(std::int64_t by) noexcept
{
    clock_ += by;
    for (auto& each : queues_) {
        if (each.listed())
            each.line_->moved(each);
    }
}

cost fair_share::precharge() noexcept
{
    auto& now = time_.now[index_of(class_)];
    now = std::max(now, clock_);
    advance(estimate_.count() / weight_);
    return estimate_;
}

void fair_share::settle(cost charged, cost used)
{
    estimate_ = estimate_.count() == 0 ? used : estimate_ + (used - estimate_) / averaged;
    advance(used.count() / weight_ - charged.count() / weight_);
}

// --- fair_line

fair_line::heap& fair_line::heap_of(const fair_queue& q) noexcept
{
    return heaps_[index_of(q.share_->class_)];
}

std::size_t fair_line::queues() const noexcept
{
    std::size_t all = 0;
    for (const auto& each : heaps_)
        all += each.size();
    return all;
}

void fair_line::push(fair_queue& to, place& p, steady_clock::time_point now)
{
    now_ = std::max(now_, now);
    if (to.share_->waiting_ == 0)
        to.share_->activate();
    to.append(p, now);
    if (to.share_->blocked_)
        return;
    if (to.listed())
        ++ready_;
    else
        insert(to, now);
}

void fair_line::remove(place& p) noexcept
{
    fair_queue& from = *p.queue_;
    const bool listed = from.listed();
    if (listed && from.size_ == 1)
        erase(from);
    else if (listed)
        --ready_;
    from.unlink(p);
}

fair_queue* fair_line::best(steady_clock::time_point now) const noexcept
{
    for (std::size_t c = service_count - 1; c > 0; --c) {
        const auto& best_of = heaps_[c];
        if (!best_of.empty() && aged(*best_of.front(), now))
            return best_of.front();
    }
    for (const auto& each : heaps_) {
        if (!each.empty())
            return each.front();
    }
    return nullptr;
}

void fair_line::served(const fair_queue& who, steady_clock::time_point now) noexcept
{
    now_ = std::max(now_, now);
    who.share_->time_.turn[index_of(who.share_->class_)] = now;
}

bool fair_line::aged(const fair_queue& q, steady_clock::time_point now) noexcept
{
    const auto of = index_of(q.share_->class_);
    return of > 0 && now - q.share_->time_.turn[of] >= ageing;
}

bool fair_line::before(const fair_queue& theirs,
                       const fair_queue& mine,
                       cost slack,
                       steady_clock::time_point now) noexcept
{
    const fair_share& a = *theirs.share_;
    const fair_share& b = *mine.share_;
    if (&a == &b)
        return theirs.first_->since() + slack < mine.first_->since();
    if (a.class_ != b.class_) {
        const bool theirs_aged = aged(theirs, now);
        const bool mine_aged = aged(mine, now);
        if (theirs_aged || mine_aged)
            return theirs_aged && (!mine_aged || a.class_ > b.class_);
        return a.class_ < b.class_;
    }
    return a.clock_ + slack.count() < b.clock_;
}

void fair_line::insert(fair_queue& q, steady_clock::time_point now)
{
    heap& h = heap_of(q);
    fair_time& time = q.share_->time_;
    const auto of = index_of(q.share_->class_);
    if (time.listed[of]++ == 0)
        time.turn[of] = now;
    q.at_ = h.size();
    h.push_back(&q);
    ready_ += q.size_;
    up(h, q.at_);
}

void fair_line::erase(fair_queue& q) noexcept
{
    heap& h = heap_of(q);
    --q.share_->time_.listed[index_of(q.share_->class_)];
    const auto at = std::exchange(q.at_, fair_queue::unlisted);
    fair_queue* const filler = h.back();
    h.pop_back();
    ready_ -= q.size_;
    if (filler == &q)
        return;
    h[at] = filler;
    filler->at_ = at;
    moved(*filler);
}

void fair_line::moved(fair_queue& q) noexcept
{
    heap& h = heap_of(q);
    up(h, q.at_);
    down(h, q.at_);
}

namespace {

void place_at(std::vector<fair_queue*>& h,
              std::size_t at,
              fair_queue* q,
              std::size_t& back) noexcept
{
    h[at] = q;
    back = at;
}

}  // namespace

void fair_line::up(heap& h, std::size_t at) noexcept
{
    fair_queue* const q = h[at];
    while (at > 0) {
        const auto parent = (at - 1) / 2;
        if (h[parent]->share_->clock_ <= q->share_->clock_)
            break;
        place_at(h, at, h[parent], h[parent]->at_);
        at = parent;
    }
    place_at(h, at, q, q->at_);
}

void fair_line::down(heap& h, std::size_t at) noexcept
{
    fair_queue* const q = h[at];
    for (;;) {
        auto child = 2 * at + 1;
        if (child >= h.size())
            break;
        if (child + 1 < h.size() && h[child + 1]->share_->clock_ < h[child]->share_->clock_)
            ++child;
        if (q->share_->clock_ <= h[child]->share_->clock_)
            break;
        place_at(h, at, h[child], h[child]->at_);
        at = child;
    }
    place_at(h, at, q, q->at_);
}

}  // namespace sluice::pool
