// pool/shard.hpp: one worker's part of a pool: its idle backends and its waiting requests.
//
// Layer: pool. Thread: the worker's, but for what is marked "any thread". Backends are owned here,
// leased or not; a lease is the right to use one, given back by give_back() or discard().
//
// A request that finds no idle backend waits in line (dispatcher.hpp). A backend that is given back
// goes straight to whoever is next, here or, when somebody elsewhere is far behind, on another
// worker.
// Bounds: backends by shared_pool's permits, waiters by max_queued, waiting by queue_timeout, and
// both by the limits of the waiters' tenants.
#pragma once

#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <asio/steady_timer.hpp>

#include "pool/pool.hpp"

namespace sluice::pool {

// A request without a backend; a member of whoever waits, which leaves the line in its destructor.
class waiter : public candidate {
public:
    virtual void on_backend(backend& granted) = 0;
    // May use `shared` beside whoever holds it: true, it does, and waits no longer; then it has
    // taken `right`, which ends with its request.
    virtual bool on_offer(backend& /*shared*/, slot& /*right*/) { return false; }
    // It will have an offer soon and waits for that, though a backend is idle: one more at work
    // would not serve it sooner.
    virtual bool holds_back() const { return false; }

protected:
    ~waiter() = default;
};

class shard {
public:
    shard(shared_pool& shared, asio::io_context& io, std::size_t worker);
    ~shard();

    // A backend at once, or null: then `w` waits and hears on_backend or on_refused later (the
    // latter also within this call, when the line is full).
    backend* acquire(waiter& w);
    void leave(waiter& w) noexcept;
    // This very backend, if it is idle here, needs no probe and `w` may have it now. It may be gone
    // already: only its address is looked at.
    bool take(const backend& wanted, const waiter& w);
    // The same for a moment, ahead of who waits and beside every limit: for a question about what
    // the statement before left on this backend alone.
    bool take_again(const backend& wanted);
    // Lets those who wait use `shared`, in their order: up to `most`, and up to the first who wants
    // a backend to itself. Who holds back counts on it.
    void offer(backend& shared, std::size_t most);
    // The right to run a request beside others on a backend that somebody else holds; empty: the
    // tenant has no room, the request has to wait.
    slot start_shared(const waiter& w, steady_clock::time_point now) noexcept;
    // The request that `held` was leased for goes on by itself: others' may join it there.
    slot detach_request(backend& held) noexcept;
    // One more backend would be of use, though nobody waits for it.
    void grow();

    // The end of a lease: the backend is idle and clean, respectively of no use any more.
    void give_back(backend& b);
    void discard(backend& b);

    // Answers of the opener.
    void opened(std::unique_ptr<backend> b);
    void open_failed(std::string cause);

    // Every 100 ms or so: timeouts, idle and old backends, `min`, connects after a pause.
    void sweep(steady_clock::time_point now);

    asio::io_context& io() noexcept { return io_; }
    std::size_t worker() const noexcept { return worker_; }
    std::shared_ptr<shared_pool> pool() { return shared_->shared_from_this(); }
    const limits& settings() const noexcept { return limits_; }

    std::size_t idle_count() const noexcept { return idle_published_.load(); }  // any thread
    std::size_t backends() const noexcept { return all_.size(); }
    const backend& backend_at(std::size_t i) const noexcept { return *all_[i].self; }
    // Requests that could be served if there were backends enough.
    std::size_t waiting() const noexcept { return shared_->line().ready(worker_); }

    void post_fill();   // any thread: a permit or an idle backend may be had, look again
    void post_close();  // any thread
    // any thread: what is connected now is closed when nobody uses it
    void post_retire();
    void post_limits(const limits& fresh);  // any thread

private:
    friend class shared_pool;

    struct owned {
        std::unique_ptr<backend> self;
        slot right;           // of the request it is leased for
        bool leased = false;  // counted as in flight
    };

    dispatcher& line() noexcept { return shared_->line(); }
    account& payer_of(const waiter& w) const noexcept;
    bool may_serve() const noexcept;
    bool usable(const backend& b, steady_clock::time_point now) const noexcept;
    void lease(backend& b, slot right) noexcept;
    void end_lease(backend& b, steady_clock::time_point now);
    bool grant_next(backend& b, steady_clock::time_point now);
    dispatcher::turn next_turn(steady_clock::time_point now);
    void serve(steady_clock::time_point now);
    void tell_refused();
    void watch_tokens();
    void fill(steady_clock::time_point now);
    void start_connect();
    void ask_others();
    void lend_to(shard& other);
    void send_to(shard& other, backend& b);
    void received(std::unique_ptr<backend> b);
    backend* best_idle(steady_clock::time_point now);
    void take_out(backend& idle) noexcept;
    void park(backend& b);
    void own(std::unique_ptr<backend> b);
    std::unique_ptr<backend> disown(backend& b) noexcept;
    void expire_idle(steady_clock::time_point now);
    void close_now();
    void retire_all();
    void schedule_end(backend& b);
    bool worn_out(const backend& b, steady_clock::time_point now) const noexcept;

    shared_pool* const shared_;
    asio::io_context& io_;
    const std::size_t worker_;
    limits limits_;

    std::vector<owned> all_;
    std::vector<backend*> idle_;  // the last used at the back: it is warm
    std::size_t coming_ = 0;      // connects and probes whose backend the line may count on
    bool closed_ = false;
    bool held_back_ = false;  // whoever is next waits, though backends may be idle
    std::atomic<std::size_t> idle_published_{0};
    std::atomic<bool> fill_posted_{false};
    std::unique_ptr<asio::steady_timer> tokens_;
    steady_clock::time_point tokens_at_ = steady_clock::time_point::max();  // what it is set to
    std::uint64_t random_;
};

}  // namespace sluice::pool
