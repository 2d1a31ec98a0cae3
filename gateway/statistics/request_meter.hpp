// gateway/statistics/request_meter.hpp: one client's requests, timed and counted: a member of its
// lane, called where a request begins, gets its backend and ends.
//
//   begin -> (wait) -> granted -> statement... -> finished
//
// Times are those of the loop's turns (poller::turn_time): no clock is asked. With requests sent
// before the one ahead was answered, the next is timed from that answer on.
//
// Layer: gateway. Thread: the client's worker.
#pragma once

#include <chrono>
#include <memory>

#include "gateway/log/log.hpp"
#include "gateway/statistics/registry.hpp"
#include "gateway/statistics/slow_statement.hpp"

namespace sluice::gateway::statistics {

using time_point = std::chrono::steady_clock::time_point;

// The request that runs, or the last one: what a slow-statement log needs.
struct request_record {
    time_point arrived;
    time_point granted;        // got its backend
    time_point finished;       // its reply was handed to the client's socket
    std::uint64_t digest = 0;  // of its last statement; 0: not known
    std::uint64_t rows = 0;
    std::uint64_t error = 0;  // packed(): the last one it was answered with
    std::uint32_t statements = 0;

    nanoseconds waited() const noexcept { return granted - arrived; }
    nanoseconds on_backend() const noexcept { return finished - granted; }
};

class request_meter {
public:
    request_meter() = default;
    request_meter(const request_meter&) = delete;
    request_meter& operator=(const request_meter&) = delete;
    ~request_meter() { leave(); }

    void count_in(const place& where) noexcept { to_ = where; }

    // A request's first bytes are here; again while it lasts: nothing.
    void begin(time_point now) noexcept
    {
        if (state_ == state::none)
            begin_now(now);
    }
    bool open() const noexcept { return state_ != state::none; }
    // It waits for a backend; after granted(): for another one.
    void wait() noexcept;
    // It has one.
    void granted(time_point now) noexcept
    {
        if (state_ == state::begun || state_ == state::waiting)
            grant_now(now);
    }
    // A statement that will be sent, at once or later. `text` is copied when it is new.
    void know(std::uint64_t digest, std::string_view text, sql::dialect d);
    // Whether look() does anything.
    bool watched() const noexcept { return slow_ != nullptr; }
    // The same for its trace alone, where nobody asks what it is.
    void look(std::string_view text) noexcept
    {
        if (slow_)
            slow_->look(text);
    }
    // One of the request's statements was sent. Digest 0: not known.
    void statement(std::uint64_t digest) noexcept;
    // What has a finished() of its own was sent whole; with fewer calls than finished() has: one.
    void sent() noexcept;
    void rows(std::uint64_t count) noexcept { record_.rows += count; }
    // The client was answered with an error: the server's code, or the gateway's own.
    void error(std::string_view code) noexcept;
    void refused(client_error code) noexcept;
    void shared() noexcept
    {
        if (to_.traffic)
            to_.traffic->multiplexed.add();
    }
    void prepared(bool hit) noexcept
    {
        if (to_.pool)
            (hit ? to_.pool->prepared_hits : to_.pool->prepared_misses).add();
    }
    void pinned(const char* reason) noexcept
    {
        if (to_.pool)
            to_.pool->pins.add(reason);
    }
    // Its reply is complete; if more was sent(), the next one runs. Returns what it was.
    const request_record& finished(time_point now, bool in_transaction) noexcept;
    // The client does not take its bytes; it has taken all of them.
    void stalled(time_point now) noexcept
    {
        if (slow_)
            slow_->stall(now);
    }
    void took(time_point now)
    {
        if (slow_)
            slow_->took(to_, now);
    }
    // After finished(), when the replies were handed to the socket; `held_back`: not all of them.
    void settled(time_point now, bool held_back)
    {
        if (slow_)
            slow_->settle(to_, held_back, now);
    }
    // It ended without having had a backend.
    void gave_up(time_point now) noexcept;
    // Nobody answered it, and it is sent once more.
    void taken_back() noexcept;
    // It ends without a reply that counts: its backend or its client is gone.
    void leave() noexcept;

    const request_record& record() const noexcept { return record_; }
    bool waiting() const noexcept { return state_ == state::waiting; }

private:
    enum class state : std::uint8_t { none, begun, waiting, running };

    void begin_now(time_point now) noexcept;
    void begin_slow() noexcept;
    void grant_now(time_point now) noexcept;
    void enter(state next) noexcept;
    void note_statements(nanoseconds took, bool timed) noexcept;

    place to_;
    request_record record_;
    std::unique_ptr<slow_statement> slow_;  // null: nothing is slow
    time_point transaction_began_;
    std::uint32_t same_ = 0;  // statements of record_.digest that are not counted yet
    std::uint32_t owed_ = 0;
    std::uint32_t unsent_ = 0;  // statements since the last sent()
    std::uint64_t runs_ = 0;    // bit i: number i of what is owed has statements
    bool ran_ = false;          // a statement, in this transaction
    state state_ = state::none;
    bool in_transaction_ = false;
};

}  // namespace sluice::gateway::statistics
