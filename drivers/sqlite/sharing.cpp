// drivers/sqlite/sharing.cpp: a file that one gateway process hands over to the next.
//
//   old: share() ------------- serves its last clients ------------- close()
//   new:          open(after_another), serves ---------------------------------> owns the file
//
// SQLite's own locks keep two processes' transactions apart; what must not happen while both write
// is a checkpoint (the WAL-reset bug, writer.cpp). So there is none: the log grows for as long as
// the old process has clients, and the new one checkpoints when it has got the owner's lock.
#include <thread>
#include <utility>

#include "drivers/sqlite/core.hpp"

namespace sluice::sqlite {
namespace {

constexpr std::chrono::milliseconds try_every{50};
// SQLite has no queue: who writes without a pause would never let the other process in.
constexpr std::chrono::milliseconds own_turn{10};
constexpr std::chrono::milliseconds others_turn{2};

}  // namespace

bool engine::share()
{
    lock held(mutex_);
    // Of three processes two would think that only they are left, and checkpoint.
    next_try_ = {};
    if (shared_file_->load())
        try_to_own(clock::now());
    if (shared_file_->load())
        return false;
    handing_over_ = true;
    shared_file_->store(true);
    checkpoint_over_.wait(held, [this] { return !checkpointing_; });
    return true;
}

void engine::stop_sharing()
{
    const std::scoped_lock held(mutex_);
    if (!std::exchange(handing_over_, false))
        return;
    shared_file_->store(false);
    log_grew_ = true;
    writer_wake_.notify_one();
}

// Between two transactions, with the mutex.
void engine::try_to_own(clock::time_point now)
{
    if (handing_over_ || now < next_try_)
        return;
    next_try_ = now + try_every;
    sql_error ignored;
    if (!owner_.take(options_.path, ignored))
        return;
    shared_file_->store(false);
    log_grew_ = true;
    writer_wake_.notify_one();
}

bool engine::must_give_way() const
{
    return shared_file_->load(std::memory_order_relaxed) && clock::now() - gave_way_ >= own_turn;
}

void engine::give_way(lock& held)
{
    held.unlock();
    std::this_thread::sleep_for(others_turn);
    held.lock();
    gave_way_ = clock::now();
}

}  // namespace sluice::sqlite
