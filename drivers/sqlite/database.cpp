// drivers/sqlite/database.cpp: opening a file, its threads, and closing it.
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "drivers/sqlite/core.hpp"
#include "drivers/sqlite/errors.hpp"
#include "drivers/sqlite/ownership.hpp"

namespace sluice::sqlite {
namespace {

// One name for one file: two would mean two logs, and a corrupt database.
bool find_path(options& with, sql_error& why)
{
    namespace fs = std::filesystem;
    std::error_code ec;
    const fs::path given(with.path);
    const auto folder = given.has_parent_path() ? given.parent_path() : fs::path(".");
    if (with.path.empty() || !given.has_filename()) {
        why = make_error("58P01", "the database file has no name: \"" + with.path + '"');
        return false;
    }
    if (!fs::is_directory(folder, ec)) {
        why = make_error("58P01",
                         "cannot open \"" + with.path + "\": the directory \"" + folder.string() +
                             "\" does not exist",
                         "create the directory, or correct `file`");
        return false;
    }
    // Whoever may make links in the folder must not choose which file is served.
    for (const auto* suffix : {"", "-wal", "-shm", "-journal"}) {
        if (!fs::is_symlink(fs::symlink_status(with.path + suffix, ec)))
            continue;
        why = make_error(
            "42501",
            "cannot open \"" + with.path + "\": \"" + with.path + suffix + "\" is a symbolic link",
            "give the file's own path");
        return false;
    }
    const auto status = fs::status(given, ec);
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        why = make_error("58P01", "cannot open \"" + with.path + "\": it is not a regular file");
        return false;
    }
    if (!fs::exists(status) && (!with.create || with.read_only)) {
        why = make_error("58P01", "cannot open \"" + with.path + "\": the file does not exist");
        return false;
    }
    if (!with.read_only && ::access(folder.c_str(), W_OK) != 0) {
        why = make_error("42501",
                         "cannot open \"" + with.path +
                             "\": no permission to write to "
                             "its directory, where the -wal file lives");
        return false;
    }
    with.path = fs::exists(status) ? fs::canonical(given, ec).string()
                                   : (fs::canonical(folder, ec) / given.filename()).string();
    return true;
}

}  // namespace

database::database(std::shared_ptr<engine> inside) noexcept : engine_(std::move(inside)) {}
database::~database()
{
    close(std::chrono::milliseconds(0));
}

std::unique_ptr<database> database::open(const options& with, sql_error& why)
{
    options found = with;
    found.readers = std::max(found.readers, 1);
    found.max_handles = std::max(found.max_handles, found.readers);
    if (!find_path(found, why) || !may_serve(found.path, why))
        return nullptr;
    auto inside = std::make_shared<engine>(std::move(found));
    if (!inside->start(why))
        return nullptr;
    return std::unique_ptr<database>(new database(std::move(inside)));
}

void database::close(std::chrono::milliseconds grace)
{
    engine_->close(grace);
}
bool database::share()
{
    return engine_->share();
}
void database::stop_sharing()
{
    engine_->stop_sharing();
}
void database::limit_memory(std::int64_t bytes) noexcept
{
    // Caches give way before statements do.
    sqlite3_soft_heap_limit64(bytes - bytes / 4);
    sqlite3_hard_heap_limit64(bytes);
}
bool database::exclusive() const noexcept
{
    return engine_->with().exclusive;
}
const std::string& database::path() const noexcept
{
    return engine_->with().path;
}
statistics database::stats() const
{
    return engine_->stats();
}

bool engine::start(sql_error& why)
{
    lock held(mutex_);
    shared_file_->store(options_.after_another && !options_.read_only);
    const bool opened = open_writer(held, why);
    held.unlock();
    if (!opened) {
        const std::string reason = std::exchange(why.message, {});
        why.message = "cannot open \"" + options_.path + "\": " + reason;
        return false;
    }
    // Whoever hands the file over may be in a transaction, and has proved all that follows.
    sql_error not_ours;
    const bool first_try = options_.after_another && !options_.read_only && options_.vfs.empty();
    const bool owned = first_try && owner_.take(options_.path, not_ours);
    const bool shared = first_try && !owned && not_ours.sqlstate == "55006";
    shared_file_->store(shared);
    if (!options_.read_only && !shared) {
        // Proves that the file can be written, and makes the -wal and -shm files. The statement
        // journal of a file that another process holds exclusively fails here, not at the first
        // client.
        if (!writer_->run("BEGIN IMMEDIATE") || !writer_->run("ROLLBACK")) {
            why = error_of(writer_->db(), {});
            why.message = "cannot open \"" + options_.path + "\" for writing: " + why.message;
            return false;
        }
        if (options_.vfs.empty() && !owned && !owner_.take(options_.path, why)) {
            writer_.reset();
            return false;
        }
    }
    threads_.emplace_back([this] { write_loop(); });
    threads_.emplace_back([this] { flush_loop(); });
    threads_.emplace_back([this] { sweep_loop(); });
    for (int i = 0; i < options_.readers; ++i)
        threads_.emplace_back([this] { read_loop(); });
    return true;
}

void engine::close(std::chrono::milliseconds grace)
{
    lock held(mutex_);
    if (std::exchange(draining_, true))
        return;
    quiet_now_ = true;
    quiet_.wait_for(held, grace, [this] {
        return running_.empty() && reads_.empty() && bound_.empty() && writes_.empty() && !lease_ &&
               holding_.empty();
    });
    stopped_ = true;
    for (const auto& s : running_) {
        auto none = stop_cause::none;
        s->control.cause.compare_exchange_strong(none, stop_cause::shut_down);
    }
    std::vector<session_ref> waiting(reads_.begin(), reads_.end());
    waiting.insert(waiting.end(), bound_.begin(), bound_.end());
    waiting.insert(waiting.end(), writes_.begin(), writes_.end());
    if (lease_ && lease_->where == place::lease)
        waiting.push_back(lease_);
    for (const auto& s : waiting) {
        if (s->where == place::idle || s->where == place::running)
            continue;  // taken meanwhile
        take_from_queue(*s);
        fail_queued(held, s, make_error("57P01", "the gateway is shutting down"));
    }
    held.unlock();
    readers_wake_.notify_all();
    writer_wake_.notify_all();
    durable_wake_.notify_all();
    janitor_wake_.notify_all();
    for (auto& thread : threads_)
        thread.join();
    threads_.clear();
    // No thread is left: the mutex is for sessions that still ask.
    held.lock();
    const auto left = std::exchange(holding_, {});
    for (const auto& s : left) {
        borrow(held, *s);
        const bool open = s->transaction.status == transaction_status::open;
        release_all(*s);
        if (open) {
            s->transaction.status = transaction_status::lost;
            s->transaction.lost = make_error("57P01", "the gateway is shutting down");
        }
        give_back(held, s);
    }
    for (const auto& [context, loop] : loops_)
        loop->close();
    spare_.clear();
    handles_ = 0;
    if (writer_ && !options_.read_only && !shared_file_->load())
        sqlite3_wal_checkpoint_v2(
            writer_->db(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    writer_.reset();
    owner_.release();
}

statistics engine::stats() const
{
    const std::scoped_lock held(mutex_);
    statistics now = counted_;
    now.inline_reads = inline_reads_.load(std::memory_order_relaxed);
    now.handles = handles_ + (writer_ ? 1 : 0);
    for (const auto& s : holding_) {
        if (s->where == place::running)
            continue;
        for (const auto& [id, p] : s->portals)
            now.suspended += p.gone ? 0 : 1;
    }
    now.queued_reads = reads_.size() + bound_.size();
    now.queued_writes = writes_.size();
    now.wal_frames = log_frames_;
    return now;
}

}  // namespace sluice::sqlite
