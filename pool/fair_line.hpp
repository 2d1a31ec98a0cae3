// pool/fair_line.hpp: who is next: start-time fair queueing by weight, in classes of priority.
//
// Every account (a tenant's with one pool) has a clock, its virtual time: what it was charged,
// divided by its weight. Next is the account whose clock shows least; inside an account, whoever
// came first. An account that begins to wait again has its clock set to the line's, so that nobody
// saves up or owes what was used while there was enough for all. (Goyal, Vin, Cheng: Start-time
// Fair Queueing, 1996; DESIGN §5.)
//
//   account 1 --- * fair_queue * --- 1 fair_line        one queue in the line of each worker
//
// Costs are known only afterwards: a request is charged with what its account's take on average
// when it leaves the line, and that is corrected when it has ended.
//
// Layer: pool. No locks, no clock: whoever owns the lines has one lock around all of it.
// A decision takes O(log accounts).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "drivers/api/backend.hpp"
#include "pool/overload.hpp"

namespace sluice::pool {

using cost = std::chrono::nanoseconds;

class fair_line;
class fair_queue;

// A place in a line.
class place {
public:
    place() = default;
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    bool in_line() const noexcept { return queue_ != nullptr; }
    steady_clock::time_point since() const noexcept { return since_; }
    fair_queue* queue() const noexcept { return queue_; }
    place* next() const noexcept { return next_; }  // behind it

protected:
    ~place() = default;

private:
    friend class fair_queue;
    friend class fair_line;
    fair_queue* queue_ = nullptr;
    place* previous_ = nullptr;
    place* next_ = nullptr;
    steady_clock::time_point since_{};
};

// Classes in the order in which they are served.
enum class service : std::uint8_t { reserved, high, normal, low };
inline constexpr std::size_t service_count = 4;

// What the lines of one pool have in common.
struct fair_time {
    std::array<std::int64_t, service_count> now{};               // how far each class is
    std::array<steady_clock::time_point, service_count> turn{};  // when one of it was served last
    std::array<std::size_t, service_count> listed{};             // queues that wait in it
};

// The waiting requests of one account in one line.
class fair_queue {
public:
    bool empty() const noexcept { return first_ == nullptr; }
    std::size_t size() const noexcept { return size_; }
    place* first() const noexcept { return first_; }
    place* last() const noexcept { return last_; }
    std::size_t worker() const noexcept { return worker_; }  // whose line it is in
    // May be served, as far as its account is concerned.
    bool listed() const noexcept { return at_ != unlisted; }

    sojourn_control control;  // of its waiting time

private:
    friend class fair_line;
    friend class fair_share;
    static constexpr std::size_t unlisted = ~std::size_t{0};

    void append(place& p, steady_clock::time_point now) noexcept;
    void unlink(place& p) noexcept;

    fair_line* line_ = nullptr;
    class fair_share* share_ = nullptr;
    std::size_t worker_ = 0;
    place* first_ = nullptr;
    place* last_ = nullptr;
    std::size_t size_ = 0;
    std::size_t at_ = unlisted;  // in its line's heap
};

// An account's side: its clock and its queues.
class fair_share {
public:
    // One queue for each of `lines`, which outlive it.
    fair_share(fair_time& time, const std::vector<fair_line*>& lines);
    fair_share(const fair_share&) = delete;
    fair_share& operator=(const fair_share&) = delete;

    fair_queue& queue(std::size_t line) noexcept { return queues_[line]; }
    std::size_t lines() const noexcept { return queues_.size(); }
    std::size_t waiting() const noexcept { return waiting_; }

    void set_weight(std::uint32_t weight) noexcept { weight_ = weight > 0 ? weight : 1; }
    // Moves what waits to the other class.
    void set_class(service of);
    service service_class() const noexcept { return class_; }

    // All queues join their lines, or leave them though somebody waits: the account is at a limit.
    void list();
    void unlist() noexcept;
    bool blocked() const noexcept { return blocked_; }

    // A request leaves its line to be served: what it is charged with for now.
    cost precharge() noexcept;
    // It was not served after all.
    void undo(cost charged) noexcept { advance(-(charged.count() / weight_)); }
    // It has taken `used`.
    void settle(cost charged, cost used);
    // How far ahead of its class it is: it used more than its share of late.
    cost lag() const noexcept { return cost(clock_ - time_.now[static_cast<std::size_t>(class_)]); }
    cost estimate() const noexcept { return estimate_; }

private:
    friend class fair_line;
    friend class fair_queue;
    void advance(std::int64_t by) noexcept;
    void activate() noexcept;

    fair_time& time_;
    std::vector<fair_queue> queues_;
    std::size_t waiting_ = 0;
    std::uint32_t weight_ = 1;
    service class_ = service::normal;
    bool blocked_ = false;
    std::int64_t clock_ = 0;
    cost estimate_{0};
};

class fair_line {
public:
    // A class that waited for so long has its turn, on whatever line, though better ones wait.
    static constexpr std::chrono::milliseconds ageing{100};

    fair_line() = default;
    fair_line(const fair_line&) = delete;
    fair_line& operator=(const fair_line&) = delete;

    void push(fair_queue& to, place& p, steady_clock::time_point now);
    void remove(place& p) noexcept;

    // Whose turn it is; null: nobody's.
    fair_queue* best(steady_clock::time_point now) const noexcept;
    // best() was served.
    void served(const fair_queue& who, steady_clock::time_point now) noexcept;

    // Whether `theirs` in another line should be served before `mine` by what is here, which has to
    // be moved for that: `slack` makes up for the cost.
    static bool before(const fair_queue& theirs,
                       const fair_queue& mine,
                       cost slack,
                       steady_clock::time_point now) noexcept;

    std::size_t queues() const noexcept;                   // with somebody who may be served
    std::size_t ready() const noexcept { return ready_; }  // requests in them

private:
    friend class fair_share;
    using heap = std::vector<fair_queue*>;

    heap& heap_of(const fair_queue& q) noexcept;
    void insert(fair_queue& q, steady_clock::time_point now);
    void erase(fair_queue& q) noexcept;
    void moved(fair_queue& q) noexcept;  // its clock was changed
    static bool aged(const fair_queue& q, steady_clock::time_point now) noexcept;
    static void up(heap& h, std::size_t at) noexcept;
    static void down(heap& h, std::size_t at) noexcept;

    std::array<heap, service_count> heaps_;
    steady_clock::time_point now_{};
    std::size_t ready_ = 0;
};

}  // namespace sluice::pool
