// drivers/io/poller.hpp: readiness of the sockets on the request path, one poller per worker.
//
// Asio's own socket operations cost an EAGAIN read (or an epoll_ctl) per request and want a buffer
// while they wait. Here a socket is registered once, edge-triggered, and its owner is called with
// what the kernel said: no system call per request but the reads and writes themselves, and an
// idle client owns no buffer. The poller's epoll descriptor is waited for by the worker's
// io_context, so everything else stays plain Asio.
//
// Layer: drivers. Thread: all functions on the thread that runs the io_context.
// Contract for owners: an event means "try until would_block or a short read"; an owner that stops
// early asks for another call with again().
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include <asio/detail/epoll_reactor.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <sys/epoll.h>

#include "proto/core/bytes.hpp"

namespace sluice {

class pollable {
public:
    // `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR. May remove and destroy
    // itself or any other pollable.
    virtual void on_ready(std::uint32_t events) = 0;
    // Asked for by at_turn_end(): all that this turn brought has been looked at.
    virtual void on_turn_end() {}

protected:
    ~pollable() = default;
};

class poller {
public:
    explicit poller(asio::io_context& io);
    ~poller();
    poller(const poller&) = delete;
    poller& operator=(const poller&) = delete;

    // Readable events from now on; throws std::system_error when the kernel refuses.
    void add(int fd, pollable& owner);
    // Also (or no longer) writable events: after a write that would have blocked.
    void want_write(int fd, pollable& owner, bool on);
    // No event is delivered afterwards, also none of the batch that is being delivered.
    void remove(int fd, pollable& owner) noexcept;
    // One more on_ready(EPOLLIN) in the next turn, though the kernel has no news.
    void again(pollable& owner);

    // One on_turn_end() when all events of this turn are delivered; at once outside of a turn.
    void at_turn_end(pollable& owner);

    // When the current turn began, or the last one: good enough for what is measured in
    // microseconds, without asking the clock for every event.
    std::chrono::steady_clock::time_point turn_time() const noexcept { return turn_time_; }

    // Also right outside of turns: in what a timer or a post began.
    std::chrono::steady_clock::time_point time() const noexcept
    {
        return in_turn_ ? turn_time_ : std::chrono::steady_clock::now();
    }

    void stop();

    asio::io_context& io() noexcept { return io_; }

    // For one read: valid until the next owner is called. Nobody keeps a view of it.
    std::span<std::byte> scratch() noexcept { return {scratch_.data(), scratch_.size()}; }

private:
    // Lives in Asio's reactor for as long as the poller does and never completes. The public
    // async_wait would cost an epoll_ctl for every time this thread sleeps (Asio 1.22 starts it
    // without speculation); Asio's own signal_set waits in the same way.
    class wake_up final : public asio::detail::reactor_op {
    public:
        explicit wake_up(poller& owner);

    private:
        static status perform(asio::detail::reactor_op* self);
        poller& owner_;
    };

    void run();
    void turn(int count);
    void deliver(int count);
    void deliver_again();

    static constexpr int batch_max = 256;
    static constexpr int turns_max = 8;  // then Asio's other handlers get the word

    asio::io_context& io_;
    asio::detail::epoll_reactor& reactor_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    asio::detail::epoll_reactor::per_descriptor_data in_reactor_ = nullptr;
    wake_up wake_up_{*this};
    int epoll_;
    std::array<epoll_event, batch_max> events_;
    int next_ = 0;  // in events_, while a batch is delivered
    int count_ = 0;
    std::vector<pollable*> again_;
    std::vector<pollable*> again_now_;
    std::vector<pollable*> at_end_;
    bool in_turn_ = false;
    std::chrono::steady_clock::time_point turn_time_ = std::chrono::steady_clock::now();
    std::vector<std::byte> scratch_;
};

}  // namespace sluice
