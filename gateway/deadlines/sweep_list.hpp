// gateway/deadlines/sweep_list.hpp: the clients of a worker that may run out of time, looked at by
// the worker's one timer.
//
// A client is in the list while it has a backend. Entering and leaving is a few stores; no timer
// and no allocation. What is over is noticed within step(): 100 ms, and a tenth of the shortest
// limit that any client has had, if that is less (10 ms at least).
//
// Layer: gateway/deadlines. Thread: its worker's.
#pragma once

#include <algorithm>
#include <chrono>

namespace sluice::gateway {

class swept {
public:
    // May leave the list, or have others leave it.
    virtual void sweep(std::chrono::steady_clock::time_point now) = 0;

protected:
    ~swept() = default;

private:
    friend class sweep_list;
    swept* before_ = nullptr;  // itself: first in its list; null: in none
    swept* next_ = nullptr;
};

class sweep_list {
public:
    static constexpr std::chrono::milliseconds coarse{100};
    static constexpr std::chrono::milliseconds fine{10};

    void add(swept& one) noexcept
    {
        if (one.before_)
            return;
        one.before_ = &one;
        one.next_ = first_;
        if (first_)
            first_->before_ = &one;
        first_ = &one;
    }

    void remove(swept& one) noexcept
    {
        if (!one.before_)
            return;
        if (cursor_ == &one)
            cursor_ = one.next_;
        if (one.next_)
            one.next_->before_ = one.before_ == &one ? one.next_ : one.before_;
        if (one.before_ == &one)
            first_ = one.next_;
        else
            one.before_->next_ = one.next_;
        one.before_ = one.next_ = nullptr;
    }

    void sweep(std::chrono::steady_clock::time_point now)
    {
        cursor_ = first_;
        while (cursor_) {
            swept& one = *cursor_;
            cursor_ = one.next_;
            one.sweep(now);
        }
    }

    // A client with this limit is there. 0: it has none.
    void note(std::chrono::milliseconds limit) noexcept
    {
        if (limit.count() > 0)
            step_ = std::min(step_, std::max(limit / 10, fine));
    }
    std::chrono::milliseconds step() const noexcept { return step_; }

private:
    swept* first_ = nullptr;
    swept* cursor_ = nullptr;  // the next one to be looked at
    std::chrono::milliseconds step_ = coarse;
};

}  // namespace sluice::gateway
