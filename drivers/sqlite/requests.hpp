// drivers/sqlite/requests.hpp: what a session is asked and what it answers.
//
// Layer: drivers. Plain values; they cross threads by move.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "drivers/sqlite/values.hpp"

namespace sluice::sqlite {

// What an acknowledged write survives. `normal` never damages the file, but a power cut or a crash
// of the operating system may take back the last acknowledged writes, which reads may have shown.
enum class durability { full, normal };

struct options {
    std::string path;
    int readers = 4;
    bool read_only = false;
    bool create = true;  // an absent file is created; its directory never
    durability durable = durability::full;
    bool group_commit = true;  // writes that wait at the same time share one flush to the disk
    bool exclusive = false;    // no other process may open the file: the lock index is in memory
    // Reads that take no more steps of SQLite's machine than this run inside the event loop; 0:
    // none.
    int inline_steps = 1000;
    int checkpoint_frames = 1000;  // pages in the log after which it is copied into the file
    // A log of more pages, because a reader's old snapshot keeps it from being copied: who has held
    // one since before that is told so a second later (72000). 0: the log may grow on.
    int log_frames_max = 65536;
    // Another gateway may still have the file, and hands it over: neither copies the log into the
    // file while both have it. The file is one's own when the other one has let go of it.
    bool after_another = false;
    // The engine's, for its handles: while it is true, they wait longer for the other process.
    std::shared_ptr<std::atomic<bool>> shared_file = std::make_shared<std::atomic<bool>>(false);
    std::string vfs;  // SQLite's name of a file system layer; for tests
    // 0 switches a timeout off.
    std::chrono::milliseconds statement_timeout{0};
    std::chrono::milliseconds queue_timeout{5000};
    std::chrono::milliseconds idle_transaction_timeout{5000};  // while others could want to write
    std::chrono::milliseconds snapshot_timeout{60000};         // REPEATABLE READ, idle
    std::chrono::milliseconds suspend_timeout{60000};          // a result that nobody fetches
    std::chrono::milliseconds busy_timeout{5000};              // against other processes only
    std::size_t max_queued = 10000;      // jobs that wait, readers' and writer's together
    int max_handles = 64;                // open on the file: readers, suspended results, snapshots
    int max_portals = 16;                // suspended results of one session
    int cached_statements = 128;         // per handle
    std::int64_t cache_bytes = 8 << 20;  // page cache per reader's handle
    // The writer's keeps its pages from commit to commit; a reader's are dropped by each.
    std::int64_t writer_cache_bytes = 64 << 20;
    std::int64_t file_bytes_max = 0;  // the file grows no further; 0: as the disk allows
    int value_bytes_max = 64 << 20;   // longest text, blob, row
    int sql_bytes_max = 1 << 20;
};

// Who the client is; what SQL functions such as current_user answer. Replaced, never changed.
struct session_context {
    std::string user;
    std::string database;
    std::string schema = "public";
    std::string version = "PostgreSQL 15.0 (Sluice, SQLite)";   // answer of version()
    std::int32_t process_id = 0;                                // answer of pg_backend_pid()
    std::vector<std::pair<std::string, std::string>> settings;  // answers of current_setting()
};

// Of one session, beside options and request::timeout.
struct session_limits {
    // Of each operation, from when a thread begins with it: waiting does not count. 0: none.
    std::chrono::milliseconds run{0};
    // Instead of options.idle_transaction_timeout. 0: none.
    std::optional<std::chrono::milliseconds> idle;
};

enum class isolation { read_committed, repeatable_read, serializable };

struct transaction_options {
    isolation level = isolation::read_committed;
    bool read_only = false;
    bool immediate = false;  // BEGIN IMMEDIATE or EXCLUSIVE: take the lease at once
};

enum class transaction_status {
    none,
    open,
    lost,  // rolled back behind the client's back; every operation but rollback() says why
};

// Why an execute() or resume() ended before the last row.
enum class suspension {
    none,
    row_limit,  // max_rows were delivered and there may be more
    paused,     // the sink said so
};

using portal_id = std::uint64_t;

// SQL is shared, not copied, between the session, its jobs and the caller's prepared statements.
using sql_text = std::shared_ptr<const std::string>;

struct request {
    sql_text sql;  // one statement; a second one behind it is an error (42601)
    std::vector<value> parameters;
    std::shared_ptr<row_sink> sink;                    // may be null: rows are counted and dropped
    std::int64_t max_rows = 0;                         // 0: all
    std::optional<std::chrono::milliseconds> timeout;  // default: options.statement_timeout
    bool read_only = false;   // refuse writes (25006): default_transaction_read_only
    bool count_rows = false;  // of a write: outcome.updated and what is behind it
};

// What a worker needs to know of a text before it is compiled.
enum class text_kind {
    other,
    change,      // INSERT, UPDATE, DELETE, REPLACE
    definition,  // CREATE, DROP, ...: goes to the writer too
};
text_kind kind_of(std::string_view sql) noexcept;

struct outcome {
    std::optional<sql_error> error;
    std::shared_ptr<const statement_info> statement;  // execute, describe
    std::int64_t rows = 0;                            // delivered by this call
    std::int64_t changes = 0;                         // INSERT, UPDATE, DELETE: rows changed
    std::int64_t updated = 0;                         // of `changes`, if rows were to be counted
    std::int64_t unchanged = 0;                       // the same; updated to what they were
    std::int64_t removed = 0;                         // by REPLACE, but for equal ones
    std::int64_t last_insert_rowid = 0;               // 0: nothing was inserted
    suspension suspended = suspension::none;
    portal_id portal = 0;                                       // of a suspended result
    transaction_status transaction = transaction_status::none;  // afterwards
    // What set_config() was called with; the caller makes it so (see session::set_context).
    std::vector<std::pair<std::string, std::string>> settings;
};

struct statistics {
    int handles = 0;
    int suspended = 0;
    std::size_t queued_reads = 0;
    std::size_t queued_writes = 0;
    std::uint64_t statements = 0;
    std::uint64_t prepared = 0;      // compilations; the rest came from a handle's cache
    std::uint64_t transactions = 0;  // leases of the writer
    std::uint64_t checkpoints = 0;
    std::uint64_t inline_reads = 0;  // ran inside an event loop; the other counts have them not
    std::uint64_t groups = 0;        // transactions that several clients' writes shared
    std::uint64_t grouped = 0;       // writes in them
    std::uint64_t regrouped = 0;     // groups that were rolled back and run one by one
    std::uint64_t flushes = 0;       // of the log, for commits that waited for one together
    std::uint64_t synced = 0;        // commits that flushed the log themselves; a group is one
    int wal_frames = 0;              // as of the last commit
};

}  // namespace sluice::sqlite
