// drivers/sqlite/reader.cpp: reader threads: statements that change nothing, on any free handle.
#include <algorithm>

#include "drivers/sqlite/core.hpp"
#include "drivers/sqlite/errors.hpp"

namespace sluice::sqlite {

using verb = session::verb;

void engine::read_loop()
{
    lock held(mutex_);
    for (;;) {
        if (stopped_ && reads_.empty() && bound_.empty())
            return;
        const bool can_open = !spare_.empty() || handles_ < options_.max_handles;
        // A job with a handle of its own is always runnable; the older of the two goes first.
        const bool any = !reads_.empty() && can_open;
        if (!bound_.empty() &&
            (!any || bound_.front()->current.queued_at <= reads_.front()->current.queued_at))
            run_bound(held);
        else if (any)
            run_reads(held);
        else
            readers_wake_.wait(held);
    }
}

void engine::run_bound(lock& held)
{
    const session_ref s = std::move(bound_.front());
    bound_.pop_front();
    start_running(s);
    s->reading_since = clock::now();
    held.unlock();
    run_in_transaction(*s, false);
    std::vector<letter> over;
    held.lock();
    after_read(held, s, over);
    held.unlock();
    deliver(over);
    held.lock();
}

// The caller's own thread will run it.
void engine::start_running(const session_ref& s)
{
    s->where = place::running;
    s->current.result.transaction = s->transaction.status;
    running_.insert(s);
    ++counted_.statements;
    if (const std::chrono::milliseconds most(s->run_limit.load()); most.count() > 0) {
        const auto ends = clock::now() + most;
        s->control.of_session = ends < s->control.deadline;
        s->control.deadline = std::min(ends, s->control.deadline);
    }
}

// The oldest read, and with more waiting than there are readers some behind it, if all are known to
// be quick: all of them were asked before the snapshot is taken, and answered after.
std::vector<session_ref> engine::take_reads()
{
    constexpr std::size_t batch_max = 16;
    const auto may_share = [this](const session_state& s) {
        return s.current.what == verb::describe || quick_.marked(*s.current.with.sql);
    };
    const auto readers = static_cast<std::size_t>(options_.readers);
    const auto share = (reads_.size() + readers - 1) / readers;
    std::vector<session_ref> batch;
    do {
        batch.push_back(std::move(reads_.front()));
        reads_.pop_front();
        start_running(batch.back());
        batch.back()->reading_since = clock::now();
    } while (!reads_.empty() && batch.size() < std::min(batch_max, share) &&
             may_share(*batch.front()) && may_share(*reads_.front()));
    return batch;
}

void engine::run_reads(lock& held)
{
    constexpr std::chrono::milliseconds slow_after{5};
    const auto batch = take_reads();
    std::size_t ran = 0;
    std::unique_ptr<handle> with;
    for (auto begin = clock::now(); ran < batch.size(); ++ran) {
        auto& s = *batch[ran];
        sql_error why;
        if (!with && (with = get_handle(held, why))) {
            held.unlock();
            if (!begin_snapshot(*with)) {
                why = error_of(with->db(), {});
                put_handle(std::move(with));
            }
            held.lock();
        }
        if (!with) {
            s.current.result.error = std::move(why);
            continue;
        }
        held.unlock();
        run_on_free_handle(s, with);
        const auto now = clock::now();
        const bool slow = now - begin > slow_after;
        if (s.current.what == verb::execute)
            note_cost(*s.current.with.sql, slow);
        held.lock();
        begin = now;
        if (slow && ++ran > 0)
            break;
    }
    held.unlock();
    if (with)
        put_handle(std::move(with));
    std::vector<letter> over;
    held.lock();
    for (auto left = batch.size(); left > ran; --left) {
        const auto& s = batch[left - 1];
        running_.erase(s);
        --counted_.statements;
        s->where = place::reads;
        s->reading_since = {};
        reads_.push_front(s);
        readers_wake_.notify_one();
    }
    for (std::size_t i = 0; i < ran; ++i)
        after_read(held, batch[i], over);
    held.unlock();
    deliver(over);
    held.lock();
}

void engine::note_cost(const std::string& sql, bool slow) noexcept
{
    constexpr std::chrono::seconds known_for{10};
    quick_.mark(sql, slow ? known_for * 0 : known_for);
    if (slow)
        slow_.mark(sql, known_for);
}

void engine::after_read(lock&, const session_ref& s, std::vector<letter>& over)
{
    s->reading_since = {};
    if (!std::exchange(s->needs_lease, false)) {
        conclude(s, over);
    } else if (s->control.cause.load() != stop_cause::none || stopped_) {
        s->current.result.error =
            stopped_ ? make_error("57P01", "the gateway is shutting down")
                     : make_error("57014", "canceling statement due to user request");
        conclude(s, over);
    } else {
        running_.erase(s);
        s->control.deadline = s->current.deadline;
        s->where = place::writes;
        writes_.push_back(s);
        writer_wake_.notify_one();
    }
}

// What a power cut could take back is shown to nobody: the flush that would save it is under way.
bool engine::begin_snapshot(handle& on)
{
    if (!on.begin_read())
        return false;
    if (all_durable())
        return true;
    const auto seen = committed_.load();
    lock held(mutex_);
    durable_wake_.wait(held, [&] { return durable_.load() >= seen || stopped_; });
    return true;
}

// Describes, reads, and whatever does not look like a write at first sight.
void engine::run_on_free_handle(session_state& s, std::unique_ptr<handle>& with)
{
    auto& t = s.transaction;
    auto& now = s.current;
    portal p;
    if (now.what == verb::describe)
        with->drop_if_stale(*now.with.sql);
    if (!prepare_on(s, *with, p))
        return;
    if (now.what == verb::describe) {
        with->explain(*p.statement);
        now.result.statement = p.statement->info;
        settle(p, nullptr);
        return;
    }
    if (!p.statement->info->read_only) {
        const bool refused = t.how.read_only || now.with.read_only || options_.read_only;
        if (refused) {
            fail_statement(s,
                           p,
                           make_error("25006",
                                      "cannot execute a statement that writes in a "
                                      "read-only transaction"));
            return;
        }
        settle(p, nullptr);
        s.needs_lease = true;
        return;
    }
    if (t.status == transaction_status::open && t.how.level != isolation::read_committed) {
        // The first statement of the transaction: this snapshot is its own from now on.
        t.own = std::move(with);
        t.on = t.own.get();
        if (!establish_savepoints(s)) {
            settle(p, nullptr);
            return;
        }
    }
    run_statement(s, p);
    if (now.result.suspended != suspension::none) {
        if (with)
            p.own = std::move(with);
        keep_portal(s, std::move(p));
    }
}

std::unique_ptr<handle> engine::get_handle(lock& held, sql_error& why)
{
    if (!spare_.empty()) {
        auto h = std::move(spare_.back());
        spare_.pop_back();
        return h;
    }
    ++handles_;
    held.unlock();
    auto h = handle::open(options_, handle::role::reader, why);
    held.lock();
    if (!h)
        --handles_;
    return h;
}

void engine::put_handle(std::unique_ptr<handle> h) noexcept
{
    h->control = nullptr;
    h->asking = nullptr;
    h->end_read();
    const std::scoped_lock held(mutex_);
    h->idle_since = clock::now();
    counted_.prepared += std::exchange(h->compiled, 0);
    if (h->wal_frames > 0) {  // a REPEATABLE READ transaction has committed on it
        log_frames_ = std::exchange(h->wal_frames, 0);
        log_grew_ = true;
        count_synced(*h);
    }
    spare_.push_back(std::move(h));
    readers_wake_.notify_one();
}

}  // namespace sluice::sqlite
