// drivers/sqlite/core.hpp: the inside of a database and of its sessions.
//
// Layer: drivers, private to this folder. One mutex per file guards all of it but what a worker
// runs: while session_state::where is `running`, transaction, portals and caller belong to the
// thread that runs it, and others touch only `closed` and the stop_control.
//
//   loop --submit--> reads_ (any handle) | bound_ (a handle of its own) --> reader threads
//                \-> writes_ (waits for the lease) | the holder's job    --> writer thread
//   janitor: queue, suspension and snapshot timeouts; what closed sessions left behind
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "drivers/sqlite/cost_table.hpp"
#include "drivers/sqlite/engine.hpp"
#include "drivers/sqlite/inline_reader.hpp"
#include "drivers/sqlite/ownership.hpp"

namespace sluice::sqlite {

// A statement that runs or is suspended, with the handle that it stands on.
struct portal {
    std::unique_ptr<handle> own;  // a reader's handle, kept until the end
    handle* on = nullptr;         // own, or the transaction's
    std::unique_ptr<prepared> statement;
    std::vector<value> parameters;  // bound by reference
    std::shared_ptr<row_sink> sink;
    std::int64_t changes_before = 0;
    bool started = false;
    bool write = false;
    bool writer_lease = false;  // an autocommit write: the lease ends with it
    clock::time_point suspended_at{};
    std::optional<sql_error> gone;  // closed by a timeout; what resume() answers
};

struct savepoint_mark {
    std::string name;
    std::uint64_t number = 0;
    bool established = false;  // on the transaction's handle
};

struct transaction_state {
    transaction_status status = transaction_status::none;
    transaction_options how;
    handle* on = nullptr;         // the writer's or `own`, once there is one
    std::unique_ptr<handle> own;  // with REPEATABLE READ's snapshot
    std::vector<savepoint_mark> savepoints;
    std::uint64_t last_number = 0;
    sql_error lost;
};

// One operation; a session has one at most.
struct job {
    session::verb what = session::verb::describe;
    request with;
    portal_id id = 0;
    transaction_options how;
    text_kind kind = text_kind::other;
    bool alone = false;  // in no group: it has been in one that was rolled back
    std::unique_ptr<completion> done;
    clock::time_point queued_at{};
    clock::time_point deadline = clock::time_point::max();  // the request's own: waiting counts
    outcome result;
};

enum class place {
    idle,
    reads,   // in reads_
    bound,   // in bound_
    writes,  // in writes_
    lease,   // the holder's next job
    running,
};

struct session_state : std::enable_shared_from_this<session_state> {
    std::shared_ptr<engine> on;
    std::shared_ptr<inline_reader> loop;
    place where = place::idle;
    // Nothing but the loop can touch the session between operations, and reads need no handle of
    // its own. Written before a completion is delivered, read on the loop.
    bool free = true;
    bool closed = false;
    bool needs_lease = false;         // a reader found that the statement writes
    bool waits_for_borrower = false;  // submitted while a thread tidied the session up
    job current;
    stop_control control;                      // of `current`
    std::atomic<std::int64_t> run_limit{0};    // ms
    std::atomic<std::int64_t> idle_limit{-1};  // ms; below 0: as options say
    transaction_state transaction;
    caller asking;
    std::map<portal_id, portal> portals;
    portal_id last_portal = 0;
    clock::time_point idle_since{};
    clock::time_point holding_since{};  // a snapshot or suspended results; while in holding_
    clock::time_point reading_since{};  // on a reader; zero: not there
};

using session_ref = std::shared_ptr<session_state>;

class engine : public std::enable_shared_from_this<engine> {
public:
    explicit engine(options with)
        : options_(with_flag_of_its_own(std::move(with))),
          shared_file_(options_.shared_file),
          checkpoint_at_(options_.checkpoint_frames)
    {
    }

    // Options are copied from one engine to the next.
    static options with_flag_of_its_own(options with)
    {
        with.shared_file = std::make_shared<std::atomic<bool>>(false);
        return with;
    }

    bool start(sql_error& why);  // database.cpp
    void close(std::chrono::milliseconds grace);
    bool share();  // sharing.cpp
    void stop_sharing();
    statistics stats() const;
    const options& with() const noexcept { return options_; }

    // The loop's and inline readers'.
    bool serves() const noexcept { return !quiet_now_.load(std::memory_order_relaxed); }
    std::uint64_t published() const noexcept { return published_.load(); }
    bool all_durable() const noexcept
    {
        const auto committed = committed_.load();
        return durable_.load() >= committed;
    }
    cost_table& slow() noexcept { return slow_; }
    void count_inline() noexcept { inline_reads_.fetch_add(1, std::memory_order_relaxed); }
    std::shared_ptr<inline_reader> loop_of(const asio::any_io_executor& executor);

    void submit(const session_ref& s, job&& wanted);  // submit.cpp
    void cancel(session_state& s);
    void detach(const session_ref& s);
    void set_context(session_state& s, session_context who);
    transaction_status status(const session_state& s) const;
    bool holds_lease(const session_state& s) const;

private:
    using lock = std::unique_lock<std::mutex>;

    // submit.cpp
    bool answer_at_once(session_state& s);
    void dispatch(lock& held, const session_ref& s);
    void enqueue(lock& held, const session_ref& s);
    void fail_queued(lock& held, const session_ref& s, sql_error why);
    void take_from_queue(session_state& s);

    // run.cpp: what a worker does with a job, without the mutex
    void run_statement(session_state& s, portal& p);
    void step(session_state& s, portal& p);
    void finish_statement(session_state& s, portal& p);
    void fail_statement(session_state& s, portal& p, sql_error why);
    void undo(portal& p) noexcept;
    bool settle(portal& p, sql_error* why) noexcept;
    bool prepare_on(session_state& s, handle& on, portal& p);
    bool establish_savepoints(session_state& s);
    void end_transaction(session_state& s, bool commit);
    void change_savepoint(session_state& s);
    void run_resume(session_state& s);
    void run_close(session_state& s);
    void run_in_transaction(session_state& s, bool may_write);
    void note_lost(session_state& s, const sql_error& cause);
    void release_all(session_state& s) noexcept;
    void keep_portal(session_state& s, portal&& p);

    // reader.cpp
    void read_loop();
    void run_reads(lock& held);
    void run_bound(lock& held);
    std::vector<session_ref> take_reads();
    void start_running(const session_ref& s);
    void note_cost(const std::string& sql, bool slow) noexcept;
    void after_read(lock& held, const session_ref& s, std::vector<letter>& over);
    bool begin_snapshot(handle& on);
    void run_on_free_handle(session_state& s, std::unique_ptr<handle>& with);
    std::unique_ptr<handle> get_handle(lock& held, sql_error& why);
    void put_handle(std::unique_ptr<handle> h) noexcept;

    // writer.cpp
    void write_loop();
    void run_next_write(lock& held);
    bool open_writer(lock& held, sql_error& why);
    void close_writer(lock& held);  // unlocks
    bool may_defer() const noexcept;
    void defer_flushes(bool on) noexcept;
    void count_synced(const handle& on) noexcept;
    void run_first_write(session_state& s);
    void run_as_holder(session_state& s);
    void after_write(lock& held, const session_ref& s);
    void watch_lease(lock& held);
    void checkpoint(lock& held);
    void checkpoint_if_due(lock& held);
    void try_to_own(clock::time_point now);  // sharing.cpp, with what follows
    bool must_give_way() const;
    void give_way(lock& held);

    // flush.cpp
    void flush_loop();
    void flush(lock& held);
    void raise_durable(std::uint64_t covered);
    void make_durable();
    bool save_from_log(lock& held);

    // group.cpp: several clients' autocommit writes in one transaction
    bool may_group(const session_state& s) const noexcept;
    void run_group(lock& held);
    void end_group(lock& held, const std::vector<session_ref>& members, std::size_t ran);
    std::size_t run_members(const std::vector<session_ref>& members, bool& broken);
    bool run_member(session_state& s);
    bool keeps_others_waiting(clock::duration took) noexcept;
    bool commit_group(const std::vector<session_ref>& members);

    // janitor.cpp
    void sweep_loop();
    void sweep_queue(lock& held, std::deque<session_ref>& queue, clock::time_point now);
    bool is_due(const session_state& s, clock::time_point now) const;
    void sweep_portals(session_state& s, clock::time_point now, bool too_old);
    bool log_is_over(clock::time_point now) const noexcept;
    void end_old_reads(clock::time_point now);
    void close_spares(lock& held, clock::time_point now);
    // Between the two, the caller's thread works on an idle session without the mutex.
    void borrow(lock& held, session_state& s);
    void give_back(lock& held, const session_ref& s);
    void conclude(const session_ref& s, std::vector<letter>& into);
    void finish(lock& held, const session_ref& s);  // delivers s->current, unlocks
    void note_holding(const session_ref& s);

    const options options_;
    mutable std::mutex mutex_;
    std::condition_variable readers_wake_, writer_wake_, janitor_wake_, quiet_;
    std::vector<std::thread> threads_;
    bool draining_ = false;
    bool stopped_ = false;
    bool janitor_sleeps_ = false;

    std::deque<session_ref> reads_, bound_, writes_;
    session_ref lease_;  // who may write; null: nobody
    std::set<session_ref> running_;
    std::set<session_ref> holding_;  // with suspended results or a snapshot

    owner_lock owner_;
    // True: another gateway has the file, too. Set under the mutex; handles look at it.
    const std::shared_ptr<std::atomic<bool>> shared_file_;
    bool handing_over_ = false;  // between share() and stop_sharing(), or the end
    bool checkpointing_ = false;
    std::condition_variable checkpoint_over_;
    clock::time_point next_try_{};
    clock::time_point gave_way_{};
    std::unique_ptr<handle> writer_;
    int late_members_ = 0;  // how many of the last ones in groups took too long, more or less
    std::vector<std::unique_ptr<handle>> spare_;
    int handles_ = 0;                     // readers' handles that are open, wherever they are
    int log_frames_ = 0;                  // in the -wal file, as of the last commit
    int checkpoint_at_;                   // frames
    bool log_grew_ = false;               // since the last checkpoint
    clock::time_point log_over_since_{};  // it is longer than log_frames_max; zero: it is not
    statistics counted_;

    // Commits whose log is not flushed yet: made by the writer, shown to nobody before.
    std::vector<session_ref> unflushed_;  // finished, but for the flush
    std::atomic<std::uint64_t> committed_ = 0;
    std::atomic<std::uint64_t> durable_ = 0;    // of those
    std::atomic<std::uint64_t> published_ = 0;  // grows before a write is acknowledged
    std::uint64_t completed_ = 0;               // of those, the ones that are in the log
    bool flushing_ = false;
    bool log_suspect_ = false;   // a flush has failed: what is acknowledged may not be there
    bool writer_ended_ = false;  // no more commits come
    std::condition_variable flush_wake_, durable_wake_;
    cost_table slow_;                      // texts that an event loop shall not run
    cost_table quick_;                     // texts that readers may run behind each other
    cost_table lonely_;                    // texts that no group shall have
    std::atomic<bool> quiet_now_ = false;  // closing: nothing runs inside loops any more
    std::atomic<std::uint64_t> inline_reads_ = 0;
    std::map<void*, std::shared_ptr<inline_reader>> loops_;
};

// A flush of the log failed: nobody knows whether the write will be there after a power cut.
sql_error unknown_outcome();

}  // namespace sluice::sqlite
