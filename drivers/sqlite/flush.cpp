// drivers/sqlite/flush.cpp: commits made durable, one flush of the log for all that wait for it.
//
//   writer: commit, commit, commit ...  (synchronous=NORMAL: nothing is flushed)
//   flusher:    |---- fdatasync ----|---- fdatasync ----|   then the clients are told
//
// So the writer goes on while the disk works, and each statement keeps a transaction of its own.
// A transaction counts itself (committed_) before anybody can see it, and readers wait until what
// they may see is durable_: a power cut takes back nothing that was shown.
#include <sqlite3.h>

#include "drivers/sqlite/core.hpp"
#include "drivers/sqlite/errors.hpp"

namespace sluice::sqlite {

sql_error unknown_outcome()
{
    return make_error("08007",
                      "the file's log could not be flushed to the disk: whether the write will be "
                      "there after a power cut is unknown",
                      "look before running it again; see the system's log for the disk's error");
}

void engine::flush_loop()
{
    lock held(mutex_);
    for (;;) {
        if (!unflushed_.empty())
            flush(held);
        else if (writer_ended_)
            return;
        else
            flush_wake_.wait(held);
    }
}

void engine::flush(lock& held)
{
    const auto waiting = std::exchange(unflushed_, {});
    const auto covered = completed_;
    flushing_ = true;
    held.unlock();
    const bool good = durable_.load() >= covered || writer_->flush_log() == SQLITE_OK;
    std::vector<letter> over;
    held.lock();
    flushing_ = false;
    log_suspect_ = log_suspect_ || !good;
    ++counted_.flushes;
    raise_durable(covered);
    published_.fetch_add(1);
    for (const auto& s : waiting) {
        if (log_suspect_ && !s->current.result.error)
            s->current.result.error = unknown_outcome();
        conclude(s, over);
    }
    held.unlock();
    deliver(over);
    held.lock();
}

// With the mutex, after a commit on that handle.
void engine::count_synced(const handle& on) noexcept
{
    if (options_.durable == durability::full && !on.defers)
        ++counted_.synced;
}

// Wakes readers that wait to show it, after a failure too: they must not wait for ever.
void engine::raise_durable(std::uint64_t covered)
{
    if (durable_.load() < covered)
        durable_ = covered;
    durable_wake_.notify_all();
}

// On the writer thread, without the mutex: before rows that stand on what is not flushed are shown.
void engine::make_durable()
{
    if (all_durable())
        return;
    const auto covered = committed_.load();
    const bool good = writer_->flush_log() == SQLITE_OK;
    const std::scoped_lock held(mutex_);
    log_suspect_ = log_suspect_ || !good;
    ++counted_.flushes;
    raise_durable(covered);
}

// A flush failed: the system may have dropped what it could not write, and call the next flush
// good. The log's content is still in memory: copied into the file it is written anew, and the log
// begins from its start. False: the disk still refuses.
bool engine::save_from_log(lock& held)
{
    if (shared_file_->load())
        return false;
    checkpointing_ = true;
    held.unlock();
    const int code = sqlite3_wal_checkpoint_v2(
        writer_->db(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
    held.lock();
    checkpointing_ = false;
    checkpoint_over_.notify_all();
    log_suspect_ = code != SQLITE_OK;
    return !log_suspect_;
}

}  // namespace sluice::sqlite
