// drivers/sqlite/handle.hpp: one connection to a SQLite file with its cache of compiled statements.
//
// Layer: drivers. Used by one thread at a time; it moves between threads under the engine's mutex.
// Bounds: options.cached_statements, cache_bytes.
#pragma once

#include <atomic>
#include <list>
#include <unordered_map>

#include "drivers/sqlite/guard.hpp"
#include "drivers/sqlite/requests.hpp"

struct sqlite3;

namespace sluice::sqlite {

using clock = std::chrono::steady_clock;

enum class stop_cause { none, cancelled, timed_out, shut_down, unfetched };

// How a running statement is told to end. Looked at every thousand steps of SQLite's machine.
struct stop_control {
    std::atomic<stop_cause> cause{stop_cause::none};
    clock::time_point deadline = clock::time_point::max();
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
    std::vector<int> numbers;  // the client's number of each of SQLite's parameters
    int compilations = 0;      // SQLITE_STMTSTATUS_REPREPARE when info was read
    bool explained = false;    // info has parameter_affinity
};

class handle {
public:
    enum class role { writer, reader };

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

    // The driver's own statements (BEGIN, PRAGMA, ...): not seen by the authorizer. False and the
    // handle's last error on failure.
    bool run(const char* sql) noexcept;

    bool in_transaction() const noexcept;
    void set_query_only(bool on) noexcept;
    // EXPLAINs the statement to learn parameter_affinity; quiet when it cannot.
    void explain(prepared& statement);

    stop_control* control = nullptr;  // of the running job
    caller* asking = nullptr;
    guard_state guarded;
    std::uint64_t compiled = 0;
    int wal_frames = 0;  // after this handle's last commit
    clock::time_point idle_since{};

private:
    handle() = default;
    bool configure(const options& with, role as);

    using entry = std::list<std::unique_ptr<prepared>>::iterator;
    sqlite3* db_ = nullptr;
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
