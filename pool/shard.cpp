// pool/shard.cpp: the line of waiting requests and the way of a backend to the next of them.
#include "pool/shard.hpp"

#include <algorithm>
#include <random>

#include <asio/post.hpp>

#include "proto/core/errc.hpp"

namespace sluice::pool {

waiter::~waiter()
{
    if (queue_)
        queue_->leave(*this);
}

shard::shard(shared_pool& shared, asio::io_context& io, std::size_t worker)
    : shared_(&shared), io_(io), worker_(worker), random_(std::random_device{}())
{
}

shard::~shard()
{
    while (first_)
        unlink(*first_);
}

backend* shard::acquire(waiter& w)
{
    if (closed_) {
        w.on_refused(errc::pool_closed, "the pool is closed");
        return nullptr;
    }
    const auto now = steady_clock::now();
    // Idle backends exist only while nobody waits here, so taking one overtakes nobody.
    if (backend* idle = take_idle(now))
        return idle;
    if (!shared_->enter_queue()) {
        w.on_refused(errc::pool_queue_full, "");
        return nullptr;
    }
    w.since_ = now;
    enqueue(w);
    fill(now);
    return nullptr;
}

// Null when none is idle, or when the best one has to prove first that it lives.
backend* shard::take_idle(steady_clock::time_point now)
{
    while (!idle_.empty() && !first_ && !shared_->paused()) {
        backend& b = *idle_.back();
        idle_.pop_back();
        idle_published_.store(idle_.size());
        if (worn_out(b, now)) {
            discard(b);
            continue;
        }
        if (now - b.book.idle_since < settings().probe_after)
            return &b;
        b.book.probing = true;
        ++coming_;
        b.probe();
        return nullptr;
    }
    return nullptr;
}

bool shard::take(const backend& wanted)
{
    const auto found = std::find(idle_.rbegin(), idle_.rend(), &wanted);
    if (found == idle_.rend() || first_)
        return false;
    const auto now = steady_clock::now();
    if (worn_out(**found, now) || now - (*found)->book.idle_since >= settings().probe_after)
        return false;
    idle_.erase(std::next(found).base());
    idle_published_.store(idle_.size());
    return true;
}

void shard::leave(waiter& w) noexcept
{
    if (w.queue_ != this)
        return;
    unlink(w);
    shared_->leave_queue();
}

void shard::give_back(backend& b)
{
    if (b.book.probing) {
        b.book.probing = false;
        --coming_;
    }
    const auto now = steady_clock::now();
    if (closed_ || worn_out(b, now)) {
        discard(b);
        return;
    }
    if (shared_->waiting() > 0) {
        shard* other = shared_->longest_waiting_except(*this);
        const bool elsewhere =
            serve_elsewhere(first_ != nullptr,
                            first_ ? first_->since_ : steady_clock::time_point{},
                            other != nullptr,
                            other ? other->oldest_wait() : steady_clock::time_point{});
        if (elsewhere) {
            if (!b.finish_first())
                send_to(*other, b);
            return;
        }
        if (grant_next(b))
            return;
    }
    b.book.idle_since = now;
    park(b);
}

bool shard::grant_next(backend& b)
{
    waiter* next = first_;
    if (!next)
        return false;
    unlink(*next);
    shared_->leave_queue();
    next->on_backend(b);
    return true;
}

void shard::park(backend& b)
{
    idle_.push_back(&b);
    idle_published_.store(idle_.size());
    // Somebody may have begun to wait elsewhere just before the count above was visible.
    if (shared_->waiting() > 0) {
        if (shard* other = shared_->longest_waiting_except(*this))
            lend_to(*other);
    }
}

void shard::discard(backend& b)
{
    if (b.book.probing) {
        b.book.probing = false;
        --coming_;
    }
    const auto idle = std::find(idle_.begin(), idle_.end(), &b);
    if (idle != idle_.end()) {
        idle_.erase(idle);
        idle_published_.store(idle_.size());
    }
    shared_->working_.fetch_sub(1);
    // Later, because callers may still be inside the backend's own functions; and the permit is
    // free only when the server's connection is.
    asio::post(io_, [keep = pool(), this, dead = disown(b)]() mutable {
        const auto epoch = dead->book.epoch;
        dead.reset();
        shared_->end_epoch(epoch);
        shared_->return_permit();
    });
}

void shard::opened(std::unique_ptr<backend> b)
{
    shared_->return_connect_slot();
    shared_->connect_succeeded();
    shared_->working_.fetch_add(1);
    --coming_;
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    b->book.opened = steady_clock::now();
    // Whatever the lifetime, whoever waits for this backend gets it once.
    b->book.expires =
        b->book.opened + std::max<steady_clock::duration>(
                             jittered(settings().lifetime, random_ >> 33), std::chrono::seconds(1));
    shared_->begin_epoch(*b);
    backend& fresh = *b;
    own(std::move(b));
    give_back(fresh);
    fill(steady_clock::now());  // a connect slot is free again
}

void shard::open_failed(std::string cause)
{
    shared_->return_connect_slot();
    --coming_;
    shared_->connect_failed(std::move(cause), steady_clock::now());
    shared_->return_permit();
}

void shard::fill(steady_clock::time_point now)
{
    if (closed_ || !first_ || shared_->paused())
        return;
    if (!shared_->may_connect(now))
        return;
    for (auto wanted = connects_to_start(line_size_, coming_, settings().max_connecting);
         wanted > 0;
         --wanted) {
        if (!shared_->take_connect_slot())
            break;
        if (!shared_->take_permit()) {
            shared_->return_connect_slot();
            ask_others();
            break;
        }
        start_connect();
    }
}

void shard::offer(backend& shared, std::size_t most)
{
    for (; most > 0 && first_ && !shared_->paused(); --most) {
        waiter& w = *first_;
        if (!w.on_offer(shared))
            return;
        // Its line is older than whatever it asks for next.
        if (w.queue_ == this) {
            unlink(w);
            shared_->leave_queue();
        }
    }
}

void shard::grow()
{
    if (closed_ || coming_ > 0 || shared_->paused() || !shared_->may_connect(steady_clock::now()) ||
        !shared_->take_connect_slot())
        return;
    if (shared_->take_permit()) {
        start_connect();
        return;
    }
    shared_->return_connect_slot();
    ask_others();
}

void shard::start_connect()
{
    ++coming_;
    shared_->source().open(*this);
}

// No permit is left: an idle backend of another worker would do.
void shard::ask_others()
{
    shard* other = shared_->idle_except(*this);
    if (!other)
        return;
    asio::post(other->io_, [keep = pool(), other, self = this] { other->lend_to(*self); });
}

void shard::lend_to(shard& other)
{
    if (first_ || idle_.empty() || closed_)
        return;
    backend& b = *idle_.back();
    idle_.pop_back();
    idle_published_.store(idle_.size());
    if (!b.finish_first())
        send_to(other, b);
}

void shard::send_to(shard& other, backend& b)
{
    b.depart();
    asio::post(other.io_, [keep = pool(), &other, moved = disown(b)]() mutable {
        other.received(std::move(moved));
    });
}

void shard::received(std::unique_ptr<backend> b)
{
    backend& arrived = *b;
    own(std::move(b));
    arrived.arrive(worker_);
    give_back(arrived);
}

void shard::sweep(steady_clock::time_point now)
{
    if (closed_)
        return;
    expire_waiters(now);
    expire_idle(now);
    fill(now);
    // `min` is kept by the first worker's shard, and only once the pool has been used.
    if (worker_ == 0 && shared_->open() > 0 && !shared_->paused() && shared_->may_connect(now)) {
        while (shared_->open() < settings().min && shared_->take_connect_slot()) {
            if (!shared_->take_permit()) {
                shared_->return_connect_slot();
                break;
            }
            start_connect();
        }
    }
}

void shard::expire_waiters(steady_clock::time_point now)
{
    // Nothing is tried while the pool is paused: failures are old then.
    const bool connects_fail = shared_->connects_fail() && !shared_->paused();
    const bool any_open = shared_->working() > 0;
    // The line is in order of arrival: the first who may stay ends it.
    while (first_) {
        waiter& w = *first_;
        const auto verdict = judge_wait(now - w.since_, any_open, connects_fail, settings());
        if (verdict == wait_end::keep_waiting)
            return;
        unlink(w);
        shared_->leave_queue();
        if (verdict == wait_end::unreachable)
            w.on_refused(errc::connect_failed, shared_->last_failure());
        else
            w.on_refused(errc::pool_timeout, "");
    }
}

void shard::expire_idle(steady_clock::time_point now)
{
    const auto open = shared_->open();
    std::size_t spare = open > settings().min ? open - settings().min : 0;
    // Oldest use first, as idle_ is a stack.
    for (std::size_t i = 0; i < idle_.size();) {
        backend& b = *idle_[i];
        const bool stale = spare > 0 && now - b.book.idle_since >= settings().idle_timeout;
        if (stale || now >= b.book.expires) {
            discard(b);
            spare -= spare > 0;
        } else {
            ++i;
        }
    }
}

void shard::post_fill()
{
    asio::post(io_, [keep = pool(), this] { fill(steady_clock::now()); });
}

void shard::post_close()
{
    asio::post(io_, [keep = pool(), this] { close_now(); });
}

void shard::close_now()
{
    closed_ = true;
    while (!idle_.empty())
        discard(*idle_.back());
    while (first_) {
        waiter& w = *first_;
        unlink(w);
        shared_->leave_queue();
        w.on_refused(errc::pool_closed, "the pool is closed");
    }
}

void shard::post_retire()
{
    asio::post(io_, [keep = pool(), this] { retire_all(); });
}

// Those in use are not lent to anybody else: their time is over.
void shard::retire_all()
{
    while (!idle_.empty())
        discard(*idle_.back());
    const auto now = steady_clock::now();
    for (auto& each : all_)
        each->book.expires = std::min(each->book.expires, now);
    fill(now);
}

// Not to be leased again. A backend that was on its way to another worker during reconnect() is
// known by its epoch.
bool shard::worn_out(const backend& b, steady_clock::time_point now) const noexcept
{
    return now >= b.book.expires || b.book.epoch != shared_->epoch() || shared_->paused();
}

void shard::own(std::unique_ptr<backend> b)
{
    b->book.index = all_.size();
    all_.push_back(std::move(b));
}

std::unique_ptr<backend> shard::disown(backend& b) noexcept
{
    const auto index = b.book.index;
    auto owned = std::move(all_[index]);
    if (index + 1 != all_.size()) {
        all_[index] = std::move(all_.back());
        all_[index]->book.index = index;
    }
    all_.pop_back();
    return owned;
}

void shard::enqueue(waiter& w)
{
    w.queue_ = this;
    w.next_ = nullptr;
    w.previous_ = last_;
    (last_ ? last_->next_ : first_) = &w;
    last_ = &w;
    ++line_size_;
    if (first_ == &w)
        publish_oldest();
}

void shard::unlink(waiter& w) noexcept
{
    (w.previous_ ? w.previous_->next_ : first_) = w.next_;
    (w.next_ ? w.next_->previous_ : last_) = w.previous_;
    const bool was_first = w.previous_ == nullptr;
    w.queue_ = nullptr;
    w.previous_ = w.next_ = nullptr;
    --line_size_;
    if (was_first)
        publish_oldest();
}

void shard::publish_oldest() noexcept
{
    oldest_published_.store(first_ ? first_->since_ : steady_clock::time_point::max());
}

}  // namespace sluice::pool
