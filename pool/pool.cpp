// pool/pool.cpp: permits and counts that the shards of a pool share.
#include "pool/pool.hpp"

#include "pool/shard.hpp"

namespace sluice::pool {
namespace {

bool take_below(std::atomic<std::size_t>& counter, std::size_t limit) noexcept
{
    auto now = counter.load();
    while (now < limit) {
        if (counter.compare_exchange_weak(now, now + 1))
            return true;
    }
    return false;
}

}  // namespace

shared_pool::shared_pool(std::string name, pool::limits limits, std::unique_ptr<opener> source)
    : name_(std::move(name)), limits_(limits), source_(std::move(source))
{
}

shared_pool::~shared_pool() = default;

std::shared_ptr<shared_pool> shared_pool::create(std::string name,
                                                 pool::limits limits,
                                                 std::unique_ptr<opener> source,
                                                 const std::vector<asio::io_context*>& loops)
{
    std::shared_ptr<shared_pool> made(new shared_pool(std::move(name), limits, std::move(source)));
    for (std::size_t worker = 0; worker < loops.size(); ++worker)
        made->shards_.push_back(std::make_unique<shard>(*made, *loops[worker], worker));
    return made;
}

bool shared_pool::take_permit() noexcept
{
    return take_below(open_, limits_.size);
}

void shared_pool::return_permit()
{
    open_.fetch_sub(1);
    if (waiting_.load() == 0)
        return;
    shard* neediest = nullptr;
    for (auto& each : shards_) {
        if (!neediest || each->oldest_wait() < neediest->oldest_wait())
            neediest = each.get();
    }
    neediest->post_fill();
}

bool shared_pool::take_connect_slot() noexcept
{
    return take_below(connecting_, limits_.max_connecting);
}

bool shared_pool::enter_queue() noexcept
{
    return take_below(waiting_, limits_.max_queued);
}

shard* shared_pool::longest_waiting_except(const shard& self) noexcept
{
    shard* longest = nullptr;
    for (auto& each : shards_) {
        if (each.get() == &self || each->oldest_wait() == steady_clock::time_point::max())
            continue;
        if (!longest || each->oldest_wait() < longest->oldest_wait())
            longest = each.get();
    }
    return longest;
}

shard* shared_pool::idle_except(const shard& self) noexcept
{
    shard* most = nullptr;
    for (auto& each : shards_) {
        if (each.get() != &self && each->idle_count() > (most ? most->idle_count() : 0))
            most = each.get();
    }
    return most;
}

void shared_pool::connect_succeeded()
{
    failures_.store(0);
}

void shared_pool::connect_failed(std::string cause, steady_clock::time_point now)
{
    {
        const std::scoped_lock lock(failure_mutex_);
        last_failure_ = std::move(cause);
    }
    const auto failures = failures_.fetch_add(1) + 1;
    retry_at_.store(now + backoff(failures));
}

bool shared_pool::may_connect(steady_clock::time_point now) const noexcept
{
    return failures_.load() == 0 || now >= retry_at_.load();
}

std::string shared_pool::last_failure() const
{
    const std::scoped_lock lock(failure_mutex_);
    return last_failure_;
}

void shared_pool::pause()
{
    paused_.store(true);
    for (auto& each : shards_)
        each->post_retire();
}

void shared_pool::resume()
{
    paused_.store(false);
    for (auto& each : shards_)
        each->post_fill();
}

void shared_pool::reconnect()
{
    {
        const std::scoped_lock lock(epoch_mutex_);
        epoch_.fetch_add(1);
        outdated_ = connected_;
    }
    for (auto& each : shards_)
        each->post_retire();
}

std::size_t shared_pool::outdated() const
{
    const std::scoped_lock lock(epoch_mutex_);
    return outdated_;
}

void shared_pool::begin_epoch(backend& b)
{
    const std::scoped_lock lock(epoch_mutex_);
    b.book.epoch = epoch_.load();
    ++connected_;
}

void shared_pool::end_epoch(std::uint32_t epoch)
{
    const std::scoped_lock lock(epoch_mutex_);
    --connected_;
    if (epoch != epoch_.load())
        --outdated_;
}

void shared_pool::close()
{
    for (auto& each : shards_)
        each->post_close();
}

}  // namespace sluice::pool
