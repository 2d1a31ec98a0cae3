// pool/account.hpp: one tenant's account with one pool, and the right of one request to run.
//
// Layer: pool. Thread: see the members; what is not atomic is under the scheduler's lock
// (dispatcher.hpp).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "pool/fair_line.hpp"
#include "pool/tenant.hpp"

namespace sluice::pool {

class dispatcher;

class account {
public:
    account(dispatcher& home,
            std::shared_ptr<tenant> of,
            fair_time& time,
            const std::vector<fair_line*>& lines);

    tenant& of() noexcept { return *of_; }
    const tenant& of() const noexcept { return *of_; }
    dispatcher& home() noexcept { return home_; }
    // Requests of it that run here; any thread.
    std::size_t running() const noexcept { return running_.load(); }

private:
    friend class dispatcher;
    friend class slot;
    enum class block : std::uint8_t { none, limit, rate, pace };

    dispatcher& home_;
    const std::shared_ptr<tenant> of_;
    fair_share share_;
    block blocked_by_ = block::none;
    block last_block_ = block::none;       // the one before, too
    steady_clock::time_point token_at_{};  // when the last block by rate or pace ends
    std::atomic<std::size_t> running_{0};
    std::atomic<std::size_t> queued_{0};  // waiting, on all workers
    std::atomic<std::size_t> slots_{0};   // not charged yet
};

// Keeps an account, though its pool may be gone.
using account_ref = std::shared_ptr<account>;

// A request that runs: counted for its tenant until release(), charged with charge(). What is not
// done explicitly the destructor does, with the time since the start.
class slot {
public:
    slot() = default;
    slot(slot&& other) noexcept { swap(other); }
    slot& operator=(slot&& other) noexcept
    {
        swap(other);
        return *this;
    }
    ~slot()
    {
        if (of_)
            finish(steady_clock::now());
    }
    explicit operator bool() const noexcept { return of_ != nullptr; }
    account* of() const noexcept { return of_; }

    // The request has ended: whoever waits for that is let in.
    void release() noexcept;
    // What it used; then the slot is empty.
    void charge(cost used) noexcept;
    void finish(steady_clock::time_point now) noexcept;
    // It did not run after all.
    void take_back() noexcept;

private:
    friend class dispatcher;
    slot(account& of, cost charged, steady_clock::time_point now) noexcept
        : of_(&of), charged_(charged), started_(now), running_(true)
    {
    }
    void swap(slot& other) noexcept
    {
        std::swap(of_, other.of_);
        std::swap(charged_, other.charged_);
        std::swap(started_, other.started_);
        std::swap(running_, other.running_);
    }
    void forget() noexcept;

    account* of_ = nullptr;
    cost charged_{0};
    steady_clock::time_point started_{};
    bool running_ = false;
};

}  // namespace sluice::pool
