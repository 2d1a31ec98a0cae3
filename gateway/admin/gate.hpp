// gateway/admin/gate.hpp: where clients of a SQLite database wait while it is paused.
//
// A client goes in with its first message outside of a transaction and comes out when it is between
// transactions and has nothing to do. It first counts itself and then looks whether the gate is
// closed; who closes it looks at the counts afterwards. So at zero no statement runs, and none will
// before the gate is opened.
//
// Layer: gateway. Thread-safe; going in and out costs one uncontended atomic of the worker's own.
// Bounds: one entry per waiting client.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include <asio/io_context.hpp>

namespace sluice::gateway::admin {

class gate {
public:
    explicit gate(std::size_t workers) : counts_(new count[workers]), workers_(workers) {}

    bool closed() const noexcept { return closed_.load(); }
    void close() noexcept { closed_.store(true); }
    // Wakes everybody who waits, each on its own loop.
    void open();

    void enter(std::size_t worker) noexcept { counts_[worker].now.fetch_add(1); }
    void leave(std::size_t worker) noexcept { counts_[worker].now.fetch_sub(1); }
    std::size_t inside() const noexcept;

    // `wake` is called once, on `io`, when the gate opens; unless forget(who) comes first, on the
    // same thread as this.
    void wait(const void* who, asio::io_context& io, std::function<void()> wake);
    void forget(const void* who);
    std::size_t waiting() const;

private:
    struct alignas(64) count {
        std::atomic<std::size_t> now{0};
    };
    struct waiter {
        asio::io_context* io = nullptr;
        std::function<void()> wake;
    };

    std::atomic<bool> closed_{false};
    std::unique_ptr<count[]> counts_;
    const std::size_t workers_;
    mutable std::mutex mutex_;
    std::unordered_map<const void*, waiter> waiters_;
};

}  // namespace sluice::gateway::admin
