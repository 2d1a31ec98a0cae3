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
        const bool can_open = !spare_.empty() || handles_ < options_.max_handles;
        if (stopped_ && reads_.empty() && bound_.empty())
            return;
        // A job with a handle of its own is always runnable; the older of the two goes first.
        auto* from = &bound_;
        if (bound_.empty() ||
            (!reads_.empty() && can_open &&
             reads_.front()->current.queued_at < bound_.front()->current.queued_at))
            from = can_open ? &reads_ : &bound_;
        if (from->empty()) {
            readers_wake_.wait(held);
            continue;
        }
        const session_ref s = std::move(from->front());
        from->pop_front();
        const bool any = from == &reads_;
        s->where = place::running;
        s->current.result.transaction = s->transaction.status;
        running_.insert(s);
        ++counted_.statements;
        std::unique_ptr<handle> with;
        sql_error why;
        if (any && !(with = get_handle(held, why))) {
            s->current.result.error = std::move(why);
            finish(held, s);
            held.lock();
            continue;
        }
        held.unlock();
        if (any)
            run_on_free_handle(*s, with);
        else
            run_in_transaction(*s, false);
        if (with)
            put_handle(std::move(with));
        held.lock();
        if (!std::exchange(s->needs_lease, false)) {
            finish(held, s);
            held.lock();
        } else if (s->control.cause.load() != stop_cause::none || stopped_) {
            running_.erase(s);
            fail_queued(held,
                        s,
                        stopped_ ? make_error("57P01", "the gateway is shutting down")
                                 : make_error("57014",
                                              "canceling statement due to user "
                                              "request"));
        } else {
            running_.erase(s);
            s->where = place::writes;
            writes_.push_back(s);
            writer_wake_.notify_one();
        }
    }
}

// Describes, reads, and whatever does not look like a write at first sight.
void engine::run_on_free_handle(session_state& s, std::unique_ptr<handle>& with)
{
    auto& t = s.transaction;
    auto& now = s.current;
    portal p;
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
        // The first statement of the transaction: its snapshot begins here.
        if (!with->run("BEGIN")) {
            fail_statement(s, p, error_of(with->db(), {}));
            return;
        }
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
    const std::scoped_lock held(mutex_);
    h->idle_since = clock::now();
    counted_.prepared += std::exchange(h->compiled, 0);
    if (h->wal_frames > 0) {  // a REPEATABLE READ transaction has committed on it
        log_frames_ = std::exchange(h->wal_frames, 0);
        log_grew_ = true;
    }
    spare_.push_back(std::move(h));
    readers_wake_.notify_one();
}

}  // namespace sluice::sqlite
