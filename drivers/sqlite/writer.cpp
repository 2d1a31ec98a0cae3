// drivers/sqlite/writer.cpp: the writer thread: one lease, first come first served; checkpoints.
#include <sqlite3.h>

#include "drivers/sqlite/core.hpp"
#include "drivers/sqlite/errors.hpp"

namespace sluice::sqlite {
namespace {

constexpr std::chrono::seconds checkpoint_when_idle{1};
constexpr std::chrono::milliseconds look_again{20};

bool writes(const session_state& s)
{
    for (const auto& [id, p] : s.portals) {
        if (p.writer_lease && !p.gone)
            return true;
    }
    const auto* on = s.transaction.on;
    return on && sqlite3_txn_state(on->db(), "main") == SQLITE_TXN_WRITE;
}

}  // namespace

using verb = session::verb;

void engine::write_loop()
{
    lock held(mutex_);
    for (;;) {
        if (lease_)
            watch_lease(held);
        else if (!writes_.empty() && must_give_way())
            give_way(held);
        else if (!writes_.empty())
            run_next_write(held);
        else if (stopped_)
            break;
        else if (!log_grew_)
            writer_wake_.wait(held);
        else if (writer_wake_.wait_for(held, checkpoint_when_idle) == std::cv_status::timeout &&
                 !lease_ && writes_.empty())
            checkpoint(held);
    }
    writer_ended_ = true;
    flush_wake_.notify_one();
}

// A writer whose log is sound.
bool engine::open_writer(lock& held, sql_error& why)
{
    if (log_suspect_ && writer_ && !save_from_log(held)) {
        why = make_error("58030", "the disk refuses what is written to the file's log");
        return false;
    }
    if (writer_)
        return true;
    held.unlock();
    auto opened = handle::open(options_, handle::role::writer, why);
    if (opened) {
        opened->commits = &committed_;
        opened->flush_log();  // makes a new log's directory entry durable
    }
    held.lock();
    writer_ = std::move(opened);
    return writer_ != nullptr;
}

void engine::close_writer(lock& held)
{
    durable_wake_.wait(held, [this] { return !flushing_ && unflushed_.empty(); });
    const auto closing = std::move(writer_);
    held.unlock();
}

// Whether a commit's flush may wait for those behind it.
bool engine::may_defer() const noexcept
{
    return options_.group_commit && options_.durable == durability::full && !options_.read_only;
}

// Between transactions. Deferred commits are flushed by flush(), together.
void engine::defer_flushes(bool on) noexcept
{
    if (!may_defer())
        return;
    const bool done = writer_->set_sync(on ? handle::sync::normal : handle::sync::full);
    writer_->defers = on && done;
}

void engine::run_next_write(lock& held)
{
    const session_ref s = writes_.front();
    if (may_group(*s) && writes_.size() > 1 && may_group(*writes_[1]))
        return run_group(held);
    writes_.pop_front();
    start_running(s);
    const bool others = !writes_.empty() || !unflushed_.empty() || flushing_;
    sql_error why;
    const bool good = open_writer(held, why);
    held.unlock();
    if (good) {
        defer_flushes(others);
        run_first_write(*s);
    } else {
        s->current.result.error = std::move(why);
    }
    held.lock();
    after_write(held, s);
}

void engine::run_first_write(session_state& s)
{
    auto& t = s.transaction;
    auto& out = s.current.result;
    if (s.current.what == verb::begin) {
        if (writer_->run("BEGIN IMMEDIATE")) {
            t.on = writer_.get();
            t.status = transaction_status::open;
        } else {
            out.error = error_of(writer_->db(), {});
            t = {};
        }
        return;
    }
    if (t.own) {
        // On the snapshot's own handle SQLite itself refuses if anybody committed since (517).
        t.own->set_query_only(false);
        run_in_transaction(s, true);
        if (t.own && sqlite3_txn_state(t.own->db(), "main") != SQLITE_TXN_WRITE)
            t.own->set_query_only(true);
        return;
    }
    portal p;
    if (!prepare_on(s, *writer_, p))
        return;
    if (t.status == transaction_status::open) {
        // It compiles: worth a lease.
        settle(p, nullptr);
        if (!writer_->run("BEGIN IMMEDIATE")) {
            out.error = error_of(writer_->db(), {});
            return;
        }
        t.on = writer_.get();
        return run_in_transaction(s, true);
    }
    if (!p.statement->info->read_only && (s.current.with.read_only || options_.read_only))
        return fail_statement(s,
                              p,
                              make_error("25006",
                                         "cannot execute a statement that writes "
                                         "in a read-only transaction"));
    run_statement(s, p);
    if (out.suspended != suspension::none) {
        p.writer_lease = true;
        keep_portal(s, std::move(p));
    }
}

void engine::run_as_holder(session_state& s)
{
    const bool starts = s.current.what == verb::execute || s.current.what == verb::begin;
    if (s.transaction.on || !starts)
        return run_in_transaction(s, true);
    // An autocommit write whose rows nobody fetched to the end: its commit comes first.
    for (auto it = s.portals.begin(); it != s.portals.end();) {
        if (it->second.writer_lease) {
            settle(it->second, nullptr);
            it = s.portals.erase(it);
        } else {
            ++it;
        }
    }
    run_first_write(s);
}

// Decides who may write next, before the client hears of the outcome.
void engine::after_write(lock& held, const session_ref& s)
{
    const auto& error = s->current.result.error;
    const bool holds = writes(*s);
    if (holds && lease_ != s)
        ++counted_.transactions;
    lease_ = holds ? s : nullptr;
    const auto* on = s->transaction.on ? s->transaction.on : writer_.get();
    const bool committed = on && on->wal_frames > 0;
    if (committed) {
        log_frames_ = on->wal_frames;
        log_grew_ = true;
        count_synced(*on);
    }
    const bool broken = error && (error->extended_code & 0xff) == SQLITE_IOERR && !lease_;
    if (writer_) {
        counted_.prepared += std::exchange(writer_->compiled, 0);
        writer_->wal_frames = 0;
    }
    if (on == writer_.get() && writer_) {
        completed_ = committed_.load();
        if (!committed && unflushed_.empty() && !flushing_)
            raise_durable(completed_);  // a commit that failed is nothing to wait for
    }
    // Inside of a transaction that wrote, a count shows no row; everything else that stands on what
    // is not flushed yet has to wait, be it the client's own or another's.
    const bool counts_only = s->transaction.on && !error && !committed;
    if (!all_durable() && !counts_only) {
        unflushed_.push_back(s);
        flush_wake_.notify_one();
    } else {
        published_.fetch_add(1);
        finish(held, s);
        held.lock();
    }
    if (broken) {
        close_writer(held);  // what it believes about the file may be wrong: open it anew
        held.lock();
    }
    checkpoint_if_due(held);
}

void engine::checkpoint_if_due(lock& held)
{
    if (log_frames_ >= checkpoint_at_ && !lease_)
        checkpoint(held);
}

// Runs the holder's next job, or waits for it for as long as the holder may keep others waiting.
void engine::watch_lease(lock& held)
{
    const session_ref s = lease_;
    if (s->where == place::lease) {
        start_running(s);
        held.unlock();
        run_as_holder(*s);
        held.lock();
        return after_write(held, s);
    }
    if (s->where != place::idle) {
        writer_wake_.wait_for(held, look_again);
        return;
    }
    const std::chrono::milliseconds own(s->idle_limit.load());
    const auto limit = own.count() < 0 ? options_.idle_transaction_timeout : own;
    const auto due = limit.count() > 0 ? s->idle_since + limit : clock::time_point::max();
    if (!s->closed && !stopped_ && clock::now() < due) {
        if (limit.count() > 0)
            writer_wake_.wait_until(held, due);
        else
            writer_wake_.wait(held);
        return;
    }
    const bool transaction = s->transaction.status == transaction_status::open;
    auto why = stopped_ ? make_error("57P01", "the gateway is shutting down: rolled back")
                        : make_error("25P03",
                                     "the transaction was rolled back: it was idle for "
                                     "longer than idle_transaction_timeout (" +
                                         std::to_string(limit.count()) +
                                         " ms) while it held the file's "
                                         "only writer",
                                     "keep transactions that write short");
    why.limit = stopped_ ? ended_by::none : ended_by::idle;
    lease_.reset();
    borrow(held, *s);
    std::vector<portal_id> ended;
    for (const auto& [id, p] : s->portals)
        ended.push_back(id);
    release_all(*s);
    if (transaction) {
        s->transaction.status = transaction_status::lost;
        s->transaction.lost = why;
    }
    why.sqlstate = stopped_ ? "57P01" : "57014";
    for (const auto id : ended)
        s->portals[id].gone = why;
    give_back(held, s);
}

// Never beside a commit (the WAL-reset bug of SQLite up to 3.51.2): the lease is free, and it is
// this thread that hands it out.
void engine::checkpoint(lock& held)
{
    log_grew_ = false;
    if (!writer_ || options_.read_only || shared_file_->load())
        return;
    ++counted_.checkpoints;
    checkpointing_ = true;
    held.unlock();
    int frames = 0;
    int moved = 0;
    const int code = sqlite3_wal_checkpoint_v2(
        writer_->db(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
    held.lock();
    checkpointing_ = false;
    checkpoint_over_.notify_all();
    if ((code & 0xff) == SQLITE_IOERR)
        log_suspect_ = true;
    // A reader's old snapshot keeps frames from being moved: do not try again at every commit.
    checkpoint_at_ = options_.checkpoint_frames + (moved < frames ? frames : 0);
    log_frames_ = moved < frames ? frames : 0;
    if (options_.log_frames_max <= 0 || log_frames_ < options_.log_frames_max) {
        log_over_since_ = {};
        return;
    }
    if (log_over_since_ == clock::time_point{})
        log_over_since_ = clock::now();
    janitor_wake_.notify_one();
}

}  // namespace sluice::sqlite
