// pool/pool.cpp: permits and counts that the shards of a pool share.
#include "pool/pool.hpp"

#include <algorithm>
#include <utility>

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

dispatcher::bounds bounds_of(const limits& of)
{
    return {of.max_queued, of.queue_timeout, of.size};
}

}  // namespace

shared_pool::shared_pool(std::string name,
                         pool::limits limits,
                         std::unique_ptr<opener> source,
                         std::size_t workers,
                         std::shared_ptr<scheduler> lock)
    : name_(std::move(name)),
      limits_(limits),
      size_(limits.size),
      max_connecting_(limits.max_connecting),
      source_(std::move(source)),
      line_(lock ? std::move(lock) : std::make_shared<scheduler>(),
            workers,
            bounds_of(limits),
            [this](std::size_t worker) { shards_[worker]->post_fill(); }),
      in_flight_limit_(limits.size)
{
    find_size(limits);
}

// In flight is `size` at most, or what is found below it: from the start, when bounds are others.
void shared_pool::find_size(const pool::limits& now)
{
    const std::scoped_lock lock(gradient_mutex_);
    finds_its_size_.store(now.find_size);
    gradient_.reset();
    if (now.find_size)
        gradient_ = std::make_unique<gradient>(
            gradient::bounds{std::max<std::size_t>(now.min, 2), now.size});
    in_flight_limit_.store(gradient_ ? gradient_->limit() : now.size);
}

pool::limits shared_pool::limits() const
{
    const std::scoped_lock lock(limits_mutex_);
    return limits_;
}

void shared_pool::set_limits(const pool::limits& fresh)
{
    pool::limits before;
    {
        const std::scoped_lock lock(limits_mutex_);
        before = std::exchange(limits_, fresh);
    }
    size_.store(fresh.size);
    max_connecting_.store(fresh.max_connecting);
    if (before.size != fresh.size || before.find_size != fresh.find_size ||
        (fresh.find_size && before.min != fresh.min))
        find_size(fresh);
    line_.set_bounds(bounds_of(fresh));
    for (auto& each : shards_)
        each->post_limits(fresh);
}

shared_pool::~shared_pool() = default;

std::shared_ptr<shared_pool> shared_pool::create(std::string name,
                                                 pool::limits limits,
                                                 std::unique_ptr<opener> source,
                                                 const std::vector<asio::io_context*>& loops,
                                                 std::shared_ptr<scheduler> lock)
{
    std::shared_ptr<shared_pool> made(
        new shared_pool(std::move(name), limits, std::move(source), loops.size(), std::move(lock)));
    for (std::size_t worker = 0; worker < loops.size(); ++worker)
        made->shards_.push_back(std::make_unique<shard>(*made, *loops[worker], worker));
    return made;
}

bool shared_pool::take_flight() noexcept
{
    return take_below(in_flight_, in_flight_limit_.load());
}

void shared_pool::sample(steady_clock::duration took, steady_clock::time_point now)
{
    // Some of the statements are enough.
    const std::unique_lock lock(gradient_mutex_, std::try_to_lock);
    if (!lock || !gradient_ || !gradient_->sample(took, in_flight(), now))
        return;
    const auto before = in_flight_limit_.exchange(gradient_->limit());
    if (gradient_->limit() <= before || !line_.contended())
        return;
    for (auto& each : shards_) {
        if (line_.ready(each->worker()) > 0)
            each->post_fill();
    }
}

bool shared_pool::take_permit() noexcept
{
    return take_below(open_, std::min(size_.load(), in_flight_limit()));
}

void shared_pool::return_permit()
{
    open_.fetch_sub(1);
    const auto neediest = line_.whose_turn(0, steady_clock::now());
    if (neediest != dispatcher::nobody)
        shards_[neediest]->post_fill();
}

bool shared_pool::take_connect_slot() noexcept
{
    return take_below(connecting_, max_connecting_.load());
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
