// pool/dispatcher.hpp: who waits for one pool, on all workers, and who is next.
//
// A request that finds room begins at once, without a lock (try_start). One that does not stands in
// its worker's line; next() names whose turn it is when something became free. All that waits is
// under one lock, the scheduler's, which all pools and tenants share: a tenant's limits hold over
// all pools, and a request that ends in one may let another in elsewhere. It is taken only while
// somebody waits, for some hundred nanoseconds.
//
// Layer: pool. Thread-safe, but: a request is pushed, removed and served on its own worker.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "pool/account.hpp"

namespace sluice::pool {

struct scheduler {
    std::mutex mutex;
};

// Why a request waits.
enum class wait_reason : std::uint8_t { tenant_limit, rate, pool_full, priority, connecting };
std::string_view name_of(wait_reason why) noexcept;

// A request that can wait; it leaves its line in its destructor.
class candidate : public place {
public:
    candidate() = default;

    // errc::pool_timeout, pool_queue_full, pool_closed, connect_failed, tenant_queue_full,
    // tenant_timeout, tenant_rate or overloaded; `cause` for people.
    virtual void on_refused(std::error_code code, const std::string& cause) = 0;
    // The number that logs and the admin console know its client by.
    virtual std::uint64_t client_id() const noexcept { return 0; }

    bool queued() const noexcept { return in_line(); }
    const account_ref& payer() const noexcept { return account_; }

protected:
    ~candidate();
    // Once, before it asks for anything; without it the pool's own account is used.
    void enroll(account_ref with) noexcept { account_ = std::move(with); }

private:
    friend class dispatcher;
    account_ref account_;
    steady_clock::time_point deadline_{};
    bool tenant_deadline_ = false;  // it is its tenant's, not the pool's
    std::error_code verdict_;       // refused, and to be told
};

class dispatcher {
public:
    // What waiting in the line costs at most.
    struct bounds {
        std::size_t max_queued = ~std::size_t{0};
        std::chrono::milliseconds queue_timeout{30'000};
        // What is handed out, if long requests shall not begin all at once: while short ones come,
        // too, those wait for less then.
        std::size_t places = 0;
    };
    struct turn {
        candidate* who = nullptr;
        slot right;
    };
    struct wait {
        std::shared_ptr<pool::tenant> tenant;
        std::uint64_t client = 0;
        wait_reason reason{};
        std::size_t worker = 0;
        std::chrono::nanoseconds waited{};
        std::size_t position = 0;  // inside its tenant, on its worker; 1: next
    };
    struct standing {
        std::shared_ptr<pool::tenant> tenant;
        std::size_t running = 0;
        std::size_t waiting = 0;
        cost lag{};       // used more than its share, compared with whoever is next
        cost estimate{};  // of one request
    };
    static constexpr std::size_t nobody = ~std::size_t{0};
    // A backend leaves its worker only for somebody whose clock is behind by more: a move costs
    // more than a statement. Inside a tenant: who came so much earlier.
    static constexpr cost fairness_slack = std::chrono::milliseconds(2);
    // Requests from this length on are spaced, while some of up to a quarter came of late.
    static constexpr cost spaced_least = std::chrono::milliseconds(4);
    static constexpr std::chrono::milliseconds short_memory{500};
    // Of the time that is handed out, the part that may be spent on that: one in so many.
    static constexpr int spacing_share = 50;

    // `wake` makes a worker look whether it can serve somebody; called under the lock.
    dispatcher(std::shared_ptr<scheduler> lock,
               std::size_t workers,
               bounds within,
               std::function<void(std::size_t worker)> wake);
    ~dispatcher();

    // For those that begin to wait from now on. Any thread.
    void set_bounds(bounds within);

    account_ref account_of(const std::shared_ptr<tenant>& who);
    // Of requests that name none.
    const account_ref& own() const noexcept { return own_; }

    // Begins a request at once, if its tenant may; whether anything is free is the caller's matter.
    slot try_start(account& who, steady_clock::time_point now) noexcept;

    // The request waits, or not: then the answer says why not.
    std::error_code push(candidate& r, std::size_t worker, steady_clock::time_point now);
    void remove(candidate& r) noexcept;

    // Requests of this worker that could be served now, if anything were free; any thread.
    std::size_t ready(std::size_t worker) const noexcept { return ready_[worker].load(); }
    bool contended() const noexcept { return ready_total_.load() > 0; }
    std::size_t waiting() const noexcept { return waiting_.load(); }
    std::size_t waiting(std::size_t worker) const noexcept { return on_[worker].load(); }

    // Which worker may use what became free on `worker`; nobody: none.
    std::size_t whose_turn(std::size_t worker, steady_clock::time_point now);
    // A worker other than this one with somebody who could be served.
    std::size_t ready_except(std::size_t worker, steady_clock::time_point now);

    // Whose turn it is on this worker. Taken out of the line (next) or still in it, to be removed
    // or its slot taken back (peek). Null: nobody's. Who is to be refused comes by take_refused().
    turn next(std::size_t worker, steady_clock::time_point now);
    turn peek(std::size_t worker, steady_clock::time_point now);

    // Requests whose time is over, or that `hopeless` says so of; every 100 ms or so. Looks at
    // limits that may have been changed, too.
    void sweep(std::size_t worker, steady_clock::time_point now, steady_clock::duration hopeless);
    // One of this worker's that was refused since, out of the line; null: none.
    candidate* take_refused(std::size_t worker, std::error_code& why);
    void refuse_all(std::size_t worker, std::error_code why);

    // When somebody who waits for its rate may go on; max(): nobody does.
    steady_clock::time_point token_due() const noexcept { return token_due_.load(); }
    void release_tokens(steady_clock::time_point now);

    // For people: `most` of those that wait, and every account. `connecting`: no backend is open.
    std::vector<wait> list_waiting(std::size_t most, bool connecting) const;
    std::chrono::nanoseconds longest_wait(steady_clock::time_point now) const;
    // Why this one waits; none: it does not.
    std::optional<wait> explain(const candidate& r, bool connecting) const;
    std::vector<standing> list_accounts() const;

private:
    friend class slot;
    using guard = std::scoped_lock<std::mutex>;

    candidate& front(fair_queue& q) const noexcept { return static_cast<candidate&>(*q.first()); }
    account& payer_of(const candidate& r) noexcept;
    void refresh(account& who);
    fair_queue* viable(std::size_t worker, steady_clock::time_point now);
    void block_at_limit(account& who);
    void block_until(account& who, account::block why, steady_clock::time_point at);
    void note_long(cost estimate, steady_clock::time_point now) noexcept;
    steady_clock::time_point paced(const account& who, steady_clock::time_point now);
    void unblock(account& who);
    void let_in(tenant& who);
    void wake_for(account& who);
    void refuse(candidate& r, std::error_code why);
    void unlink(candidate& r) noexcept;
    std::error_code overdue(const candidate& r) const noexcept;
    void control(account& who, fair_queue& q, candidate& served, steady_clock::time_point now);
    turn grant(std::size_t worker, steady_clock::time_point now, bool take_out);
    void publish(steady_clock::time_point now) noexcept;
    void publish_tokens() noexcept;
    wait_reason reason_of(const account& who, bool connecting) const noexcept;

    const std::shared_ptr<scheduler> lock_;
    bounds within_;
    const std::function<void(std::size_t)> wake_;

    fair_time time_;
    std::vector<std::unique_ptr<fair_line>> lines_;
    std::vector<fair_line*> line_list_;
    std::map<const tenant*, account_ref> accounts_;
    account_ref own_;
    std::unique_ptr<fair_share> refused_;  // whose queues hold who was refused and not told yet
    std::set<std::pair<steady_clock::time_point, account*>> for_tokens_;
    steady_clock::time_point short_at_{};  // when a short request ended last
    steady_clock::time_point long_at_{};   // when a long one began last
    cost spacing_left_{0};
    cost widest_{0};         // gap between two beginnings of long ones, in this round of all places
    cost widest_before_{0};  // ... in the one before
    std::size_t round_ = 0;  // long ones that began in it

    std::vector<std::atomic<std::size_t>> ready_;
    std::vector<std::atomic<std::size_t>> on_;
    std::vector<std::atomic<std::size_t>> to_tell_;
    std::atomic<std::size_t> ready_total_{0};
    std::atomic<std::size_t> waiting_{0};
    std::atomic<steady_clock::time_point> contended_since_{};
    std::atomic<steady_clock::time_point> token_due_{steady_clock::time_point::max()};
};

}  // namespace sluice::pool
