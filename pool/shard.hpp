// pool/shard.hpp: one worker's part of a pool: its idle backends and its waiting requests.
//
// Layer: pool. Thread: the worker's, but for what is marked "any thread". Backends are owned here,
// leased or not; a lease is the right to use one, given back by give_back() or discard().
//
// A request that finds no idle backend waits in line. A backend that is given back goes straight
// to the head of the line, here or, when somebody waits longer there, on another worker.
// Bounds: backends by shared_pool's permits, waiters by max_queued, waiting by queue_timeout.
#pragma once

#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "pool/pool.hpp"

namespace sluice::pool {

// A request without a backend; a member of whoever waits, which leaves the line in its destructor.
class waiter {
public:
    waiter() = default;
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    virtual void on_backend(backend& granted) = 0;
    // May use `shared` beside whoever holds it: true, it does, and waits no longer.
    virtual bool on_offer(backend& /*shared*/) { return false; }
    // errc::pool_timeout, pool_queue_full, pool_closed or connect_failed; `cause` for people.
    virtual void on_refused(std::error_code code, const std::string& cause) = 0;

    bool queued() const noexcept { return queue_ != nullptr; }
    steady_clock::time_point since() const noexcept { return since_; }

protected:
    ~waiter();

private:
    friend class shard;
    shard* queue_ = nullptr;
    waiter* previous_ = nullptr;
    waiter* next_ = nullptr;
    steady_clock::time_point since_{};
};

class shard {
public:
    shard(shared_pool& shared, asio::io_context& io, std::size_t worker);
    ~shard();

    // A backend at once, or null: then `w` waits and hears on_backend or on_refused later (the
    // latter also within this call, when the line is full).
    backend* acquire(waiter& w);
    void leave(waiter& w) noexcept;
    // This very backend, if it is idle here and needs no probe. It may be gone already: only its
    // address is looked at.
    bool take(const backend& wanted);
    // Lets those who wait use `shared`, first come, first served: up to `most`, and up to the first
    // who wants a backend to itself.
    void offer(backend& shared, std::size_t most);
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
    const limits& settings() const noexcept { return shared_->limits(); }

    std::size_t idle_count() const noexcept { return idle_published_.load(); }  // any thread
    std::size_t backends() const noexcept { return all_.size(); }
    const std::vector<std::unique_ptr<backend>>& all() const noexcept { return all_; }
    std::size_t waiting() const noexcept { return line_size_; }

    // any thread; time_point::max() when nobody waits
    steady_clock::time_point oldest_wait() const noexcept { return oldest_published_.load(); }
    void post_fill();   // any thread: a permit or an idle backend may be had, look again
    void post_close();  // any thread
    // any thread: what is connected now is closed when nobody uses it
    void post_retire();

private:
    friend class shared_pool;

    void enqueue(waiter& w);
    void unlink(waiter& w) noexcept;
    void publish_oldest() noexcept;
    bool grant_next(backend& b);
    void fill(steady_clock::time_point now);
    void start_connect();
    void ask_others();
    void lend_to(shard& other);
    void send_to(shard& other, backend& b);
    void received(std::unique_ptr<backend> b);
    backend* take_idle(steady_clock::time_point now);
    void park(backend& b);
    void own(std::unique_ptr<backend> b);
    std::unique_ptr<backend> disown(backend& b) noexcept;
    void expire_waiters(steady_clock::time_point now);
    void expire_idle(steady_clock::time_point now);
    void close_now();
    void retire_all();
    bool worn_out(const backend& b, steady_clock::time_point now) const noexcept;

    shared_pool* const shared_;
    asio::io_context& io_;
    const std::size_t worker_;

    std::vector<std::unique_ptr<backend>> all_;
    std::vector<backend*> idle_;  // the last used at the back: it is warm
    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
    std::size_t line_size_ = 0;
    std::size_t coming_ = 0;  // connects and probes whose backend the line may count on
    bool closed_ = false;
    std::atomic<std::size_t> idle_published_{0};
    std::atomic<steady_clock::time_point> oldest_published_{steady_clock::time_point::max()};
    std::uint64_t random_;
};

}  // namespace sluice::pool
