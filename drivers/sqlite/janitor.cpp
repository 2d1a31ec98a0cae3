// drivers/sqlite/janitor.cpp: timeouts of what waits, what closed sessions left, and delivery.
#include <algorithm>

#include "drivers/sqlite/core.hpp"
#include "drivers/sqlite/errors.hpp"

namespace sluice::sqlite {
namespace {

constexpr std::chrono::milliseconds tick{20};
constexpr std::chrono::seconds awake_for{1};
constexpr std::chrono::seconds spare_for{60};
constexpr std::chrono::seconds old_read_grace{1};

}  // namespace

// The session's operation is over. What is put into `into` is to be delivered without the mutex.
void engine::conclude(const session_ref& s, std::vector<letter>& into)
{
    job& over = s->current;
    running_.erase(s);
    s->where = place::idle;
    s->idle_since = clock::now();
    over.result.transaction = s->transaction.status;
    over.result.settings = std::exchange(s->asking.settings, {});
    note_holding(s);
    const auto& t = s->transaction;
    const bool fresh_snapshots =
        t.status == transaction_status::none ||
        (t.status == transaction_status::open && t.how.level == isolation::read_committed);
    s->free = fresh_snapshots && !t.on && s->portals.empty() && lease_ != s;
    into.push_back(
        {s->loop->box(), std::move(over.done), std::move(over.result), std::move(over.with)});
    over = {};
    if (s->closed) {
        writer_wake_.notify_one();
        janitor_wake_.notify_one();
    }
    if (draining_)
        quiet_.notify_all();
}

// Unlocks.
void engine::finish(lock& held, const session_ref& s)
{
    std::vector<letter> over;
    conclude(s, over);
    held.unlock();
    deliver(over);
}

void engine::note_holding(const session_ref& s)
{
    if (s->portals.empty() && !s->transaction.own) {
        holding_.erase(s);
        return;
    }
    if (holding_.insert(s).second)
        s->holding_since = clock::now();
    if (janitor_sleeps_)
        janitor_wake_.notify_one();
}

void engine::borrow(lock& held, session_state& s)
{
    s.where = place::running;
    held.unlock();
}

void engine::give_back(lock& held, const session_ref& s)
{
    held.lock();
    s->where = place::idle;
    s->idle_since = clock::now();
    note_holding(s);
    if (draining_)
        quiet_.notify_all();
    if (std::exchange(s->waits_for_borrower, false)) {
        dispatch(held, s);
        if (!held.owns_lock())
            held.lock();
    }
}

void engine::sweep_loop()
{
    lock held(mutex_);
    auto busy_at = clock::now();
    while (!stopped_) {
        const auto now = clock::now();
        sweep_queue(held, reads_, now);
        sweep_queue(held, writes_, now);
        const std::vector<session_ref> holding(holding_.begin(), holding_.end());
        for (const auto& s : holding) {
            if (s == lease_ || s->where != place::idle || !is_due(*s, now))
                continue;
            const bool too_old = log_is_over(now) && s->holding_since <= log_over_since_;
            borrow(held, *s);
            sweep_portals(*s, now, too_old);
            give_back(held, s);
        }
        if (log_is_over(now))
            end_old_reads(now);
        close_spares(held, now);
        if (options_.after_another && shared_file_->load()) {
            try_to_own(now);
            busy_at = now;
        }
        if (!reads_.empty() || !writes_.empty() || !holding_.empty() ||
            log_over_since_ != clock::time_point{})
            busy_at = now;
        if (stopped_)
            return;
        janitor_sleeps_ = now - busy_at > awake_for;
        if (janitor_sleeps_)
            janitor_wake_.wait_for(held, spare_for);
        else
            janitor_wake_.wait_for(held, tick);
        if (std::exchange(janitor_sleeps_, false))
            busy_at = clock::now();
    }
}

void engine::sweep_queue(lock& held, std::deque<session_ref>& queue, clock::time_point now)
{
    const auto limit = options_.queue_timeout;
    std::vector<session_ref> late;
    for (const auto& s : queue) {
        const bool queued_out = limit.count() > 0 && now - s->current.queued_at >= limit;
        if (queued_out || now >= s->control.deadline)
            late.push_back(s);
    }
    for (const auto& s : late) {
        if (s->where != place::reads && s->where != place::writes)
            continue;  // taken by a worker while an earlier one was told
        const bool writes = s->where == place::writes;
        const bool statement = now >= s->control.deadline;
        take_from_queue(*s);
        fail_queued(held,
                    s,
                    statement ? make_error("57014", "canceling statement due to statement timeout")
                              : make_error(writes ? "55P03" : "53400",
                                           std::string("waited longer than queue_timeout (") +
                                               std::to_string(limit.count()) + " ms) for " +
                                               (writes ? "the file's only writer"
                                                       : "one of the file's readers"),
                                           "try again; keep transactions that write short"));
    }
}

bool engine::log_is_over(clock::time_point now) const noexcept
{
    return log_over_since_ != clock::time_point{} && now - log_over_since_ >= old_read_grace;
}

// Statements that run on snapshots from before the log outgrew its bound. What is held between
// statements ends in sweep_portals().
void engine::end_old_reads(clock::time_point)
{
    for (const auto& s : running_) {
        const bool reads = s->reading_since != clock::time_point{};
        const bool old = s->reading_since <= log_over_since_ ||
                         (holding_.contains(s) && s->holding_since <= log_over_since_);
        auto none = stop_cause::none;
        if (reads && old)
            s->control.cause.compare_exchange_strong(none, stop_cause::snapshot_too_old);
    }
    checkpoint_at_ = options_.checkpoint_frames;  // the next commit tries again
}

bool engine::is_due(const session_state& s, clock::time_point now) const
{
    if (s.closed || (log_is_over(now) && s.holding_since <= log_over_since_))
        return true;
    const auto snapshot = options_.snapshot_timeout;
    if (s.transaction.own && snapshot.count() > 0 && now - s.idle_since >= snapshot)
        return true;
    const auto unfetched = options_.suspend_timeout;
    return unfetched.count() > 0 &&
           std::any_of(s.portals.begin(), s.portals.end(), [&](const auto& entry) {
               return !entry.second.gone && now - entry.second.suspended_at >= unfetched;
           });
}

// On a borrowed session, without the mutex.
void engine::sweep_portals(session_state& s, clock::time_point now, bool too_old)
{
    if (s.closed) {
        release_all(s);
        s.transaction = {};
        return;
    }
    const auto snapshot = options_.snapshot_timeout;
    if (s.transaction.own &&
        (too_old || (snapshot.count() > 0 && now - s.idle_since >= snapshot))) {
        release_all(s);
        s.transaction.status = transaction_status::lost;
        s.transaction.lost =
            too_old ? snapshot_too_old()
                    : make_error("25P03",
                                 "the transaction was ended: its snapshot was idle for longer than "
                                 "snapshot_timeout (" +
                                     std::to_string(snapshot.count()) + " ms)");
        return;
    }
    for (auto& [id, p] : s.portals) {
        const bool unfetched = options_.suspend_timeout.count() > 0 &&
                               now - p.suspended_at >= options_.suspend_timeout;
        if (p.gone || (!unfetched && !too_old))
            continue;
        settle(p, nullptr);
        if (too_old) {
            p.gone = snapshot_too_old();
            continue;
        }
        p.gone = make_error("57014",
                            "the rest of the result was not fetched within "
                            "suspend_timeout (" +
                                std::to_string(options_.suspend_timeout.count()) + " ms)",
                            "fetch faster, or in smaller parts");
    }
}

void engine::close_spares(lock& held, clock::time_point now)
{
    std::vector<std::unique_ptr<handle>> closing;
    while (spare_.size() > static_cast<std::size_t>(options_.readers) &&
           now - spare_.front()->idle_since > spare_for) {
        closing.push_back(std::move(spare_.front()));
        spare_.erase(spare_.begin());
        --handles_;
    }
    if (closing.empty())
        return;
    held.unlock();
    closing.clear();
    held.lock();
}

}  // namespace sluice::sqlite
