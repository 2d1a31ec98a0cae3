// pool/shard.cpp: the line of waiting requests and the way of a backend to the next of them.
#include "pool/shard.hpp"

#include <algorithm>
#include <random>

#include <asio/post.hpp>

#include "proto/core/errc.hpp"

namespace sluice::pool {

shard::shard(shared_pool& shared, asio::io_context& io, std::size_t worker)
    : shared_(&shared),
      io_(io),
      worker_(worker),
      limits_(shared.limits()),
      random_(std::random_device{}())
{
}

shard::~shard() = default;

account& shard::payer_of(const waiter& w) const noexcept
{
    return w.payer() ? *w.payer() : *shared_->line().own();
}

backend* shard::acquire(waiter& w)
{
    if (closed_) {
        w.on_refused(errc::pool_closed, "the pool is closed");
        return nullptr;
    }
    const auto now = steady_clock::now();
    // Who waits and could be served comes first.
    if (!idle_.empty() && waiting() == 0 && !shared_->paused() && !w.holds_back()) {
        backend* const idle = best_idle(now);
        if (idle && shared_->take_flight()) {
            if (slot right = line().try_start(payer_of(w), now)) {
                take_out(*idle);
                lease(*idle, std::move(right));
                return idle;
            }
            shared_->end_flight();
        }
    }
    if (const auto why = line().push(w, worker_, now)) {
        w.on_refused(why, "");
        return nullptr;
    }
    // What it waits for may have come just before it was seen to wait.
    if (!idle_.empty() && waiting() > 0 && may_serve())
        post_fill();
    watch_tokens();
    fill(now);
    return nullptr;
}

// Null when none is idle, or when the best one has to prove first that it lives.
backend* shard::best_idle(steady_clock::time_point now)
{
    while (!idle_.empty()) {
        backend& b = *idle_.back();
        if (worn_out(b, now)) {
            discard(b);
            continue;
        }
        if (now - b.book.idle_since < settings().probe_after)
            return &b;
        take_out(b);
        b.book.probing = true;
        ++coming_;
        b.probe();
        return nullptr;
    }
    return nullptr;
}

void shard::take_out(backend& idle) noexcept
{
    idle_.erase(std::next(std::find(idle_.rbegin(), idle_.rend(), &idle)).base());
    idle_published_.store(idle_.size());
}

bool shard::take(const backend& wanted, const waiter& w)
{
    const auto found = std::find(idle_.rbegin(), idle_.rend(), &wanted);
    if (found == idle_.rend() || waiting() > 0)
        return false;
    backend& b = **found;
    const auto now = steady_clock::now();
    if (worn_out(b, now) || now - b.book.idle_since >= settings().probe_after ||
        !shared_->take_flight())
        return false;
    slot right = line().try_start(payer_of(w), now);
    if (!right) {
        shared_->end_flight();
        return false;
    }
    take_out(b);
    lease(b, std::move(right));
    return true;
}

bool shard::take_again(const backend& wanted)
{
    const auto found = std::find(idle_.rbegin(), idle_.rend(), &wanted);
    if (found == idle_.rend() || shared_->paused() || worn_out(**found, steady_clock::now()))
        return false;
    take_out(**found);
    return true;
}

slot shard::start_shared(const waiter& w, steady_clock::time_point now) noexcept
{
    return line().try_start(payer_of(w), now);
}

slot shard::detach_request(backend& held) noexcept
{
    return std::move(all_[held.book.index].right);
}

bool shard::may_serve() const noexcept
{
    return !shared_->paused() && shared_->has_flight_room();
}

void shard::leave(waiter& w) noexcept
{
    if (w.queued())
        line().remove(w);
}

// The caller has counted it as in flight.
void shard::lease(backend& b, slot right) noexcept
{
    owned& book = all_[b.book.index];
    book.right = std::move(right);
    book.leased = true;
}

void shard::end_lease(backend& b, steady_clock::time_point now)
{
    owned& book = all_[b.book.index];
    if (std::exchange(book.leased, false))
        shared_->end_flight();
    slot ended = std::move(book.right);
    if (ended)
        ended.finish(now);
}

void shard::give_back(backend& b)
{
    const auto now = steady_clock::now();
    end_lease(b, now);
    if (b.book.probing) {
        b.book.probing = false;
        --coming_;
    }
    if (closed_ || worn_out(b, now) || shared_->too_large()) {
        discard(b);
        return;
    }
    b.book.idle_since = now;
    if (line().contended() && may_serve()) {
        const auto where = line().whose_turn(worker_, now);
        watch_tokens();
        if (where == worker_ && grant_next(b, now))
            return;
        if (where != worker_ && where != dispatcher::nobody) {
            if (!b.finish_first())
                send_to(shared_->at(where), b);
            return;
        }
    }
    park(b);
}

bool shard::grant_next(backend& b, steady_clock::time_point now)
{
    if (!shared_->take_flight())
        return false;
    auto turn = next_turn(now);
    const bool granted = turn.who != nullptr;
    if (granted) {
        lease(b, std::move(turn.right));
        static_cast<waiter*>(turn.who)->on_backend(b);
    } else {
        shared_->end_flight();
    }
    tell_refused();
    watch_tokens();
    return granted;
}

// Whose turn it is to have a backend, out of the line; nobody's, too, while the next holds back.
dispatcher::turn shard::next_turn(steady_clock::time_point now)
{
    auto turn = line().peek(worker_, now);
    held_back_ = false;
    if (!turn.who)
        return turn;
    auto& w = static_cast<waiter&>(*turn.who);
    held_back_ = w.holds_back();
    if (held_back_) {
        turn.right.take_back();
        return {};
    }
    leave(w);
    return turn;
}

// What is idle is for those who wait, as far as limits allow.
void shard::serve(steady_clock::time_point now)
{
    while (!closed_ && !idle_.empty() && waiting() > 0 && may_serve()) {
        backend* const b = best_idle(now);
        if (!b)
            return;
        take_out(*b);
        if (grant_next(*b, now))
            continue;
        idle_.push_back(b);
        idle_published_.store(idle_.size());
        return;
    }
}

void shard::park(backend& b)
{
    idle_.push_back(&b);
    idle_published_.store(idle_.size());
    // Somebody may have begun to wait elsewhere just before the count above was visible.
    if (!line().contended() || !may_serve())
        return;
    const auto other = line().ready_except(worker_, b.book.idle_since);
    if (other != dispatcher::nobody)
        lend_to(shared_->at(other));
}

// Callbacks for those whom the line has refused.
void shard::tell_refused()
{
    std::error_code why;
    while (candidate* r = line().take_refused(worker_, why)) {
        const bool unreachable = why == errc::connect_failed;
        r->on_refused(why, unreachable ? shared_->last_failure() : std::string());
    }
}

// Somebody waits for its rate: look again when it may go on.
void shard::watch_tokens()
{
    const auto due = line().token_due();
    if (due >= tokens_at_ || closed_)
        return;
    tokens_at_ = due;
    if (!tokens_)
        tokens_ = std::make_unique<asio::steady_timer>(io_);
    tokens_->expires_at(due);
    tokens_->async_wait(
        [this, of = std::weak_ptr<shared_pool>(pool())](const asio::error_code& ec) {
            const auto keep = of.lock();
            if (ec || !keep)
                return;
            tokens_at_ = steady_clock::time_point::max();
            line().release_tokens(steady_clock::now());
            watch_tokens();
        });
}

void shard::discard(backend& b)
{
    end_lease(b, steady_clock::now());
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
    shared_->ending_.fetch_add(1);
    // Later, because callers may still be inside the backend's own functions; and the permit is
    // free only when the server's connection is.
    asio::post(io_, [keep = pool(), this, dead = disown(b)]() mutable {
        const auto epoch = dead->book.epoch;
        dead.reset();
        shared_->end_epoch(epoch);
        shared_->ending_.fetch_sub(1);
        shared_->return_permit();
    });
}

void shard::opened(std::unique_ptr<backend> b)
{
    shared_->return_connect_slot();
    shared_->connect_succeeded();
    shared_->working_.fetch_add(1);
    --coming_;
    b->book.opened = steady_clock::now();
    schedule_end(*b);
    shared_->begin_epoch(*b);
    backend& fresh = *b;
    own(std::move(b));
    give_back(fresh);
    fill(steady_clock::now());  // a connect slot is free again
}

void shard::schedule_end(backend& b)
{
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    // Whatever the lifetime, whoever waits for this backend gets it once.
    b.book.expires =
        b.book.opened + std::max<steady_clock::duration>(
                            jittered(settings().lifetime, random_ >> 33), std::chrono::seconds(1));
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
    // Where backends are idle nobody waits for one, or whoever is next holds back.
    if (closed_ || waiting() == 0 || !idle_.empty() || !may_serve() || !shared_->may_connect(now))
        return;
    for (auto wanted = connects_to_start(waiting(), coming_, settings().max_connecting); wanted > 0;
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
    const auto now = steady_clock::now();
    for (; most > 0 && waiting() > 0 && !shared_->paused(); --most) {
        auto turn = line().peek(worker_, now);
        if (!turn.who)
            break;
        waiter& w = static_cast<waiter&>(*turn.who);
        if (!w.on_offer(shared, turn.right)) {
            turn.right.take_back();
            // Next is somebody who would not share: there may be something for him.
            if (!idle_.empty() && !w.holds_back())
                post_fill();
            break;
        }
        // Its line is older than whatever it asks for next.
        leave(w);
    }
    tell_refused();
    watch_tokens();
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
    if ((waiting() > 0 && !held_back_) || idle_.empty() || closed_)
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
    // While no backend is open and connects fail, the cause is worth more to a client than the rest
    // of queue_timeout.
    // Nothing is tried while the pool is paused: failures are old then.
    const bool hopeless = shared_->working() == 0 && shared_->connects_fail() && !shared_->paused();
    line().sweep(
        worker_, now, hopeless ? settings().connect_timeout : steady_clock::duration::max());
    tell_refused();
    watch_tokens();
    expire_idle(now);
    serve(now);
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

void shard::expire_idle(steady_clock::time_point now)
{
    const auto open = shared_->open();
    std::size_t spare = open > settings().min ? open - settings().min : 0;
    // Oldest use first, as idle_ is a stack.
    for (std::size_t i = 0; i < idle_.size();) {
        backend& b = *idle_[i];
        const bool stale = spare > 0 && now - b.book.idle_since >= settings().idle_timeout;
        if (stale || now >= b.book.expires || shared_->too_large()) {
            discard(b);
            spare -= spare > 0;
        } else {
            ++i;
        }
    }
}

void shard::post_fill()
{
    if (fill_posted_.exchange(true))
        return;
    asio::post(io_, [keep = pool(), this] {
        fill_posted_.store(false);
        const auto now = steady_clock::now();
        serve(now);
        fill(now);
        watch_tokens();
    });
}

void shard::post_close()
{
    asio::post(io_, [keep = pool(), this] { close_now(); });
}

void shard::close_now()
{
    closed_ = true;
    tokens_.reset();
    while (!idle_.empty())
        discard(*idle_.back());
    line().refuse_all(worker_, errc::pool_closed);
    tell_refused();
}

void shard::post_limits(const limits& fresh)
{
    asio::post(io_, [keep = pool(), this, fresh] {
        const bool other_lifetime = limits_.lifetime != fresh.lifetime;
        limits_ = fresh;
        const auto now = steady_clock::now();
        for (auto& each : all_) {
            // Whose time is over already stays so.
            if (other_lifetime && each.self->book.expires > now)
                schedule_end(*each.self);
        }
        serve(now);
        fill(now);
    });
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
        each.self->book.expires = std::min(each.self->book.expires, now);
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
    all_.push_back({std::move(b), slot(), false});
}

std::unique_ptr<backend> shard::disown(backend& b) noexcept
{
    const auto index = b.book.index;
    auto self = std::move(all_[index].self);
    if (index + 1 != all_.size()) {
        all_[index] = std::move(all_.back());
        all_[index].self->book.index = index;
    }
    all_.pop_back();
    return self;
}

}  // namespace sluice::pool
