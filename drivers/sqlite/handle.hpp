// drivers/sqlite/handle.hpp: one connection to a SQLite file with its cache of compiled statements.
//
// Layer: drivers. Used by one thread at a time; it moves between threads under the engine's mutex.
// Bounds: options.cached_statements, cache_bytes.
#pragma once

#include <atomic>
#include <list>
#include <set>
#include <unordered_map>

#include "drivers/sqlite/guard.hpp"
#include "drivers/sqlite/requests.hpp"
#include "drivers/sqlite/row_counter.hpp"

struct sqlite3;

namespace sluice::sqlite {

using clock = std::chrono::steady_clock;

enum class stop_cause { none, cancelled, timed_out, shut_down, unfetched, snapshot_too_old };

// How a running statement is told to end. Looked at every thousand steps of SQLite's machine.
struct stop_control {
    std::atomic<stop_cause> cause{stop_cause::none};
    clock::time_point deadline = clock::time_point::max();
    bool of_session = false;  // the deadline is session_limits::run; the running thread's
};

// Whom the SQL functions of functions.cpp answer for while a statement runs.
struct caller {
    std::shared_ptr<const session_context> context;
    std::int64_t last_insert_rowid = 0;
    std::int64_t changes = 0;
    std::vector<std::pair<std::string, std::string>> settings;  // what set_config() was given
};

// A compiled statement. Owned by the cache or, while it runs or is suspended, by a portal.
struct prepared {
    prepared() = default;
    ~prepared();
    prepared(const prepared&) = delete;
    prepared& operator=(const prepared&) = delete;

    sqlite3_stmt* raw = nullptr;
    sql_text sql;
    std::shared_ptr<const statement_info> info;
    std::vector<int> numbers;    // the client's number of each of SQLite's parameters
    int compilations = 0;        // SQLITE_STMTSTATUS_REPREPARE when info was read
    bool explained = false;      // info has parameter_affinity
    bool cheap = false;          // an event loop may run it (inline_reader)
    int schema_seen = 0;         // handle::schema_seen() when it was compiled
    bool reads_catalog = false;  // see refresh_catalog()
};

class handle {
public:
    enum class role { writer, reader, inline_reader };
    enum class sync { unknown, full, normal };

    // Null and `why` on failure.
    static std::unique_ptr<handle> open(const options& with, role as, sql_error& why);
    ~handle();
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;

    sqlite3* db() const noexcept { return db_; }

    // Compiles, or takes from the cache. Null and `why` on failure. The SQL must be one statement;
    // one that is empty or all comment is an error too (42601): callers recognise it before.
    std::unique_ptr<prepared> take(const sql_text& sql, sql_error& why);
    // Resets, unbinds and keeps it for the next one.
    void give_back(std::unique_ptr<prepared> done) noexcept;

    // Forgets a text that was compiled before the schema of the open read transaction.
    void drop_if_stale(const std::string& sql) noexcept;

    // The driver's own statements (BEGIN, PRAGMA, ...): not seen by the authorizer. False and the
    // handle's last error on failure.
    bool run(const char* sql) noexcept;

    // Behind a failed compile or step: the authorizer's words for SQLite's "not authorized".
    void explain_refusal(sql_error& why) const;

    bool in_transaction() const noexcept;
    // A transaction around reads. begin_read() takes the snapshot at once. False: no snapshot.
    bool begin_read() noexcept;
    void end_read() noexcept;
    // Whether a commit flushes the log itself, or flush_log() does for many. Outside of
    // transactions.
    bool set_sync(sync how) noexcept;
    int flush_log() noexcept;  // SQLite's result code
    // Deferred foreign keys that the open transaction would fail for.
    bool owes_references() const noexcept;
    void set_query_only(bool on) noexcept;
    // Which constraint a duplicate's error is about.
    void name_constraint(sql_error& why);
    // From now on, until it is switched off.
    void count_rows(bool on) noexcept { rows_.count(db_, on); }
    const row_counter& rows() const noexcept { return rows_; }
    // EXPLAINs the statement to learn parameter_affinity; quiet when it cannot.
    void explain(prepared& statement);

    stop_control* control = nullptr;  // of the running job
    caller* asking = nullptr;
    guard_state guarded;
    std::set<std::string, std::less<>> set_functions;  // modules registered by name
    std::uint64_t compiled = 0;
    int wal_frames = 0;  // after this handle's last commit
    // Counts commits before they can be seen, while `defers` (the writer).
    std::atomic<std::uint64_t>* commits = nullptr;
    bool defers = false;
    // Of an inline reader: how much more its statement may do.
    int steps_left = 0;
    clock::time_point budget_ends{};
    clock::time_point idle_since{};

private:
    handle() = default;
    static int wait_for_other_process(void* self, int count) noexcept;
    bool configure(const options& with, role as);
    bool limit_pages(std::int64_t bytes);

    using entry = std::list<std::unique_ptr<prepared>>::iterator;
    int schema_seen() const noexcept;
    // A statement of the driver's own, kept compiled.
    bool step_own(sqlite3_stmt*& own, const char* sql) noexcept;

    // How long the handle waits for locks of other processes.
    static constexpr std::chrono::milliseconds shared_wait{60'000};
    std::chrono::milliseconds busy_timeout_{0};
    std::shared_ptr<const std::atomic<bool>> shared_file_;
    clock::time_point busy_since_{};

    sqlite3* db_ = nullptr;
    row_counter rows_;
    bool without_catalogs_ = false;  // writing them takes too long for an event loop
    sqlite3_stmt* begin_ = nullptr;
    sqlite3_stmt* look_ = nullptr;
    sqlite3_stmt* end_ = nullptr;
    sqlite3_stmt* keys_ = nullptr;
    sync sync_ = sync::unknown;
    std::size_t cached_max_ = 0;
    std::list<std::unique_ptr<prepared>> cache_;  // most recently used first
    std::unordered_map<std::string_view, entry> by_text_;
};

// What the columns and parameters of a freshly compiled statement are.
void read_info(sqlite3* db, prepared& statement);
bool info_is_stale(const prepared& statement) noexcept;

// Parameter n of the client to every place that asks for it. False and `why` when the count is off.
bool bind_parameters(prepared& statement, const std::vector<value>& parameters, sql_error& why);

}  // namespace sluice::sqlite
