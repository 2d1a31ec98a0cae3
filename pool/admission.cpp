// pool/admission.cpp: places, and whose turn it is.
#include "pool/admission.hpp"

#include <asio/post.hpp>

#include "proto/core/errc.hpp"

namespace sluice::pool {

admission::admission(std::size_t size,
                     dispatcher::bounds within,
                     const std::vector<asio::io_context*>& loops,
                     std::shared_ptr<scheduler> lock)
    : size_(size),
      desks_(loops.size()),
      line_(lock ? std::move(lock) : std::make_shared<scheduler>(),
            loops.size(),
            within,
            [this](std::size_t worker) { post_serve(worker); })
{
    for (std::size_t i = 0; i < loops.size(); ++i)
        desks_[i].io = loops[i];
}

void admission::stop()
{
    for (auto& each : desks_)
        each.tokens.reset();
}

std::shared_ptr<admission> admission::create(std::size_t size,
                                             dispatcher::bounds within,
                                             const std::vector<asio::io_context*>& loops,
                                             std::shared_ptr<scheduler> lock)
{
    return std::shared_ptr<admission>(new admission(size, within, loops, std::move(lock)));
}

bool admission::take_place() noexcept
{
    auto now = inside_.load();
    while (now < size_) {
        if (inside_.compare_exchange_weak(now, now + 1))
            return true;
    }
    return false;
}

bool admission::enter(guest& who, std::size_t worker)
{
    const auto now = steady_clock::now();
    if (line_.ready(worker) == 0 && take_place()) {
        who.right_ = line_.try_start(who.payer() ? *who.payer() : *line_.own(), now);
        if (who.right_)
            return true;
        inside_.fetch_sub(1);
    }
    if (const auto why = line_.push(who, worker, now)) {
        who.on_refused(why, "");
        return false;
    }
    // A place may have become free just before it was seen to wait.
    if (inside_.load() < size_ && line_.ready(worker) > 0)
        post_serve(worker);
    watch_tokens(worker);
    return false;
}

void admission::leave(guest& who, std::size_t worker)
{
    if (who.queued())
        line_.remove(who);
    if (!who.right_)
        return;
    slot ended = std::move(who.right_);
    ended.finish(steady_clock::now());
    inside_.fetch_sub(1);
    if (!line_.contended())
        return;
    const auto where = line_.whose_turn(worker, steady_clock::now());
    // Not at once: whoever leaves is in the midst of something.
    if (where != dispatcher::nobody)
        post_serve(where);
}

void admission::serve(std::size_t worker)
{
    while (line_.ready(worker) > 0 && take_place()) {
        auto turn = line_.next(worker, steady_clock::now());
        if (!turn.who) {
            inside_.fetch_sub(1);
            break;
        }
        auto& next = static_cast<guest&>(*turn.who);
        next.right_ = std::move(turn.right);
        next.on_admitted();
    }
    tell_refused(worker);
    watch_tokens(worker);
}

void admission::post_serve(std::size_t worker)
{
    desk& at = desks_[worker];
    if (at.posted.exchange(true))
        return;
    asio::post(*at.io, [keep = weak_from_this(), &at, worker] {
        const auto self = keep.lock();
        if (!self)
            return;
        at.posted.store(false);
        self->serve(worker);
    });
}

void admission::tell_refused(std::size_t worker)
{
    std::error_code why;
    while (candidate* r = line_.take_refused(worker, why))
        r->on_refused(why, "");
}

void admission::watch_tokens(std::size_t worker)
{
    desk& at = desks_[worker];
    const auto due = line_.token_due();
    if (due >= at.tokens_at)
        return;
    at.tokens_at = due;
    if (!at.tokens)
        at.tokens = std::make_unique<asio::steady_timer>(*at.io);
    at.tokens->expires_at(due);
    at.tokens->async_wait([keep = weak_from_this(), &at, worker](const asio::error_code& ec) {
        const auto self = keep.lock();
        if (ec || !self)
            return;
        at.tokens_at = steady_clock::time_point::max();
        self->line_.release_tokens(steady_clock::now());
        self->watch_tokens(worker);
    });
}

void admission::sweep(std::size_t worker, steady_clock::time_point now)
{
    line_.sweep(worker, now, steady_clock::duration::max());
    serve(worker);
}

}  // namespace sluice::pool
