// drivers/sqlite/handle.cpp: one connection to a SQLite file with its cache of compiled statements.
#include "drivers/sqlite/handle.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <thread>

#include "drivers/sqlite/catalog.hpp"
#include "drivers/sqlite/constraint_names.hpp"
#include "drivers/sqlite/errors.hpp"
#include "drivers/sqlite/functions.hpp"
#include "drivers/sqlite/mysql_functions.hpp"

namespace sluice::sqlite {
namespace {

constexpr int steps_between_looks = 1000;
constexpr int steps_between_inline_looks = 100;
constexpr int inline_value_max = 64 * 1024;

int progress(void* data) noexcept
{
    auto* control = static_cast<handle*>(data)->control;
    if (!control)
        return 0;
    if (control->cause.load(std::memory_order_relaxed) != stop_cause::none)
        return 1;
    if (control->deadline == clock::time_point::max() || clock::now() < control->deadline)
        return 0;
    auto none = stop_cause::none;
    control->cause.compare_exchange_strong(none, stop_cause::timed_out);
    return 1;
}

// An inline reader's: few steps, little time.
int budget(void* data) noexcept
{
    auto& on = *static_cast<handle*>(data);
    on.steps_left -= steps_between_inline_looks;
    return on.steps_left <= 0 || clock::now() >= on.budget_ends ? 1 : 0;
}

int before_commit(void* data) noexcept
{
    const auto& on = *static_cast<handle*>(data);
    if (on.defers)
        on.commits->fetch_add(1);
    return 0;
}

// Checkpoints are the writer's, so the hook only remembers how long the log has become.
int after_commit(void* data, sqlite3*, const char*, int frames) noexcept
{
    static_cast<handle*>(data)->wal_frames = frames;
    return SQLITE_OK;
}

bool blank(std::string_view rest) noexcept
{
    return rest.find_first_not_of(" \t\r\n\f;") == std::string_view::npos;
}

}  // namespace

prepared::~prepared()
{
    sqlite3_finalize(raw);
}

// While two gateways have the file, for as long as transactions of either may take.
int handle::wait_for_other_process(void* self, int count) noexcept
{
    auto& on = *static_cast<handle*>(self);
    const auto now = clock::now();
    if (count == 0)
        on.busy_since_ = now;
    const auto most =
        on.shared_file_->load() ? std::max(on.busy_timeout_, shared_wait) : on.busy_timeout_;
    const bool stop = on.control && on.control->cause.load() != stop_cause::none;
    if (stop || now - on.busy_since_ >= most)
        return 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(count < 100 ? 1 : 3));
    return 1;
}

std::unique_ptr<handle> handle::open(const options& with, role as, sql_error& why)
{
    std::unique_ptr<handle> made(new handle);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= with.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (with.create && !with.read_only && as == role::writer)
        flags |= SQLITE_OPEN_CREATE;
    // A name that starts with ':' or "file:" would not be a file's (SQLITE_USE_URI is compiled in).
    const std::string name = with.path.starts_with('/') ? with.path : "./" + with.path;
    // URIs for the catalogs' ATTACH alone: clients cannot, and the path is none.
    flags |= SQLITE_OPEN_URI;
    if (with.vfs.empty())
        flags |= SQLITE_OPEN_NOFOLLOW;
    const char* vfs = !with.vfs.empty() ? with.vfs.c_str() : with.exclusive ? "unix-excl" : nullptr;
    if (sqlite3_open_v2(name.c_str(), &made->db_, flags, vfs) != SQLITE_OK ||
        !made->configure(with, as)) {
        why = made->db_ ? error_of(made->db_, {}) : make_error("53200", "out of memory");
        return nullptr;
    }
    return made;
}

bool handle::configure(const options& with, role as)
{
    cached_max_ = static_cast<std::size_t>(with.cached_statements);
    const bool inside_loop = as == role::inline_reader;
    if (!inside_loop) {
        busy_timeout_ = with.busy_timeout;
        shared_file_ = with.shared_file;
        sqlite3_busy_handler(db_, wait_for_other_process, this);
    }
    guarded.ours = true;
    const auto bytes = as == role::writer ? with.writer_cache_bytes : with.cache_bytes;
    const std::string cache = "PRAGMA cache_size=-" + std::to_string(bytes / 1024);
    bool good = run(cache.c_str());
    if (good && !with.read_only)
        good = run("PRAGMA journal_mode=WAL") && run("PRAGMA synchronous=FULL") &&
               run("PRAGMA wal_autocheckpoint=0");
    // The first read of the file finds out whether it is a database at all.
    good = good && run("SELECT count(*) FROM sqlite_schema");
    if (!good)
        return false;
    if (as == role::writer && with.file_bytes_max > 0 && !limit_pages(with.file_bytes_max))
        return false;
    if (as != role::writer)
        set_query_only(true);
    else
        sync_ = sync::full;
    if (good && with.durable == durability::normal && !with.read_only)
        set_sync(sync::normal);
    sqlite3_wal_hook(db_, after_commit, this);
    guard(db_, guarded, with);
    add_functions(*this);
    add_mysql_functions(db_);
    add_constraint_functions(db_);
    add_catalog_functions(*this);
    add_array_functions(*this);
    add_text_functions(*this);
    without_catalogs_ = inside_loop;
    if (inside_loop) {
        sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, inline_value_max);
        sqlite3_progress_handler(db_, steps_between_inline_looks, budget, this);
    } else {
        sqlite3_progress_handler(db_, steps_between_looks, progress, this);
    }
    sqlite3_commit_hook(db_, before_commit, this);
    guarded.ours = false;
    return true;
}

// SQLite says only that something was not authorized; what it was, the authorizer knows.
void handle::explain_refusal(sql_error& why) const
{
    if (!guarded.refusal)
        return;
    why.message = guarded.refusal;
    why.sqlstate = guarded.sqlstate;
}

// The disk quota. A file that is larger already keeps its size.
bool handle::limit_pages(std::int64_t bytes)
{
    sqlite3_stmt* raw = nullptr;
    std::int64_t page = 4096;
    if (sqlite3_prepare_v2(db_, "PRAGMA page_size", -1, &raw, nullptr) == SQLITE_OK &&
        sqlite3_step(raw) == SQLITE_ROW)
        page = std::max(sqlite3_column_int64(raw, 0), sqlite3_int64{512});
    sqlite3_finalize(raw);
    const auto pages = std::clamp<std::int64_t>(bytes / page, 1, 0xfffffffe);
    return run(("PRAGMA main.max_page_count=" + std::to_string(pages)).c_str());
}

handle::~handle()
{
    by_text_.clear();
    cache_.clear();
    for (auto* own : {begin_, look_, end_, keys_})
        sqlite3_finalize(own);
    sqlite3_close_v2(db_);
}

std::unique_ptr<prepared> handle::take(const sql_text& sql, sql_error& why)
{
    if (const auto found = by_text_.find(*sql); found != by_text_.end()) {
        if ((*found->second)->reads_catalog && !refresh_catalog(*this, why))
            return nullptr;
        auto statement = std::move(*found->second);
        cache_.erase(found->second);
        by_text_.erase(found);
        return statement;
    }
    auto statement = std::make_unique<prepared>();
    statement->reads_catalog = names_catalog(*sql);
    if (statement->reads_catalog && (without_catalogs_ || !refresh_catalog(*this, why)))
        return nullptr;
    if (!add_set_functions(*this, *sql)) {
        why = make_error("53400", "this connection has seen too many kinds of row functions");
        return nullptr;
    }
    const char* tail = nullptr;
    guarded.refusal = nullptr;
    const int code = sqlite3_prepare_v3(db_,
                                        sql->data(),
                                        static_cast<int>(sql->size()),
                                        SQLITE_PREPARE_PERSISTENT,
                                        &statement->raw,
                                        &tail);
    ++compiled;
    if (code != SQLITE_OK) {
        why = error_of(db_, *sql);
        explain_refusal(why);
        return nullptr;
    }
    if (!statement->raw) {
        why = make_error("42601", "the statement is empty");
        return nullptr;
    }
    const auto used = static_cast<std::size_t>(tail - sql->data());
    if (!blank(std::string_view(*sql).substr(used))) {
        // What follows may be a comment: only SQLite's own reader knows.
        sqlite3_stmt* second = nullptr;
        const auto rest = static_cast<int>(sql->size() - used);
        const int more = sqlite3_prepare_v3(db_, tail, rest, 0, &second, nullptr);
        sqlite3_finalize(second);
        if (more != SQLITE_OK || second) {
            why = make_error("42601", "cannot insert multiple commands into a prepared statement");
            why.position = static_cast<int>(used);
            return nullptr;
        }
    }
    statement->sql = sql;
    statement->schema_seen = schema_seen();
    read_info(db_, *statement);
    return statement;
}

// begin_read() looks at the schema: its statement is compiled again when that has changed.
int handle::schema_seen() const noexcept
{
    return look_ ? sqlite3_stmt_status(look_, SQLITE_STMTSTATUS_REPREPARE, 0) : 0;
}

void handle::drop_if_stale(const std::string& sql) noexcept
{
    const auto found = by_text_.find(sql);
    if (found == by_text_.end() || (*found->second)->schema_seen == schema_seen())
        return;
    const auto at = found->second;
    by_text_.erase(found);
    cache_.erase(at);
}

void handle::give_back(std::unique_ptr<prepared> done) noexcept
{
    if (!done)
        return;
    sqlite3_reset(done->raw);
    sqlite3_clear_bindings(done->raw);
    if (cached_max_ == 0 || by_text_.contains(*done->sql))
        return;
    cache_.push_front(std::move(done));
    by_text_.emplace(*cache_.front()->sql, cache_.begin());
    if (cache_.size() > cached_max_) {
        by_text_.erase(*cache_.back()->sql);
        cache_.pop_back();
    }
}

bool handle::run(const char* sql) noexcept
{
    const bool before = guarded.ours;
    auto* const watched = std::exchange(control, nullptr);  // ROLLBACK must not be interrupted
    guarded.ours = true;
    const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    guarded.ours = before;
    control = watched;
    return code == SQLITE_OK;
}

bool handle::step_own(sqlite3_stmt*& own, const char* sql) noexcept
{
    const bool before = std::exchange(guarded.ours, true);
    auto* const watched = std::exchange(control, nullptr);
    int code = SQLITE_OK;
    if (!own)
        code = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &own, nullptr);
    if (code == SQLITE_OK) {
        sqlite3_step(own);
        code = sqlite3_reset(own);
    }
    guarded.ours = before;
    control = watched;
    return code == SQLITE_OK;
}

bool handle::begin_read() noexcept
{
    steps_left = steps_between_looks;
    budget_ends = clock::time_point::max();
    if (!step_own(begin_, "BEGIN"))
        return false;
    if (step_own(look_, "SELECT rowid FROM sqlite_schema LIMIT 1"))
        return true;
    end_read();
    return false;
}

void handle::end_read() noexcept
{
    if (in_transaction() && !step_own(end_, "COMMIT"))
        run("ROLLBACK");
}

bool handle::set_sync(sync how) noexcept
{
    if (sync_ == how)
        return true;
    if (!run(how == sync::full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"))
        return false;
    sync_ = how;
    return true;
}

// Through SQLite's own file, so that a new file's directory entry is made durable too.
int handle::flush_log() noexcept
{
    sqlite3_file* log = nullptr;
    const int code = sqlite3_file_control(db_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (code != SQLITE_OK || !log || !log->pMethods)
        return code;
    return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}

bool handle::owes_references() const noexcept
{
    int owed = 0;
    int most = 0;
    sqlite3_db_status(db_, SQLITE_DBSTATUS_DEFERRED_FKS, &owed, &most, 0);
    return owed != 0;
}

bool handle::in_transaction() const noexcept
{
    return sqlite3_get_autocommit(db_) == 0;
}

void handle::name_constraint(sql_error& why)
{
    if (why.sqlstate != "23505")
        return;
    const bool before = std::exchange(guarded.ours, true);
    auto* const watched = std::exchange(control, nullptr);
    name_duplicate(db_, keys_, why);
    guarded.ours = before;
    control = watched;
}

void handle::set_query_only(bool on) noexcept
{
    run(on ? "PRAGMA query_only=ON" : "PRAGMA query_only=OFF");
}

}  // namespace sluice::sqlite
