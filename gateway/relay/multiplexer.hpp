// gateway/relay/multiplexer.hpp: which connection several clients share at the moment (statement
// multiplexing): one worker's part of one pool.
//
// A request that only reads, outside of a transaction, may be written to a connection behind other
// clients' requests that are still being answered. The server answers in order; each reply ends at
// its own ReadyForQuery. What is written within one turn of the loop goes out in one send, what
// comes back is read in one.
//
// What arrives in one turn of the loop is dealt out in small batches: the first request takes an
// idle connection, or when there is none the one with the least to do, and those after it follow it
// there while that is expected to take no more than batch_time. So a loop with little to do gives
// every request a connection of its own, and one with much to do spares itself and the server
// system calls and wake-ups, when a request waits for its turn in any case.
//
// There are no more shared connections at a time than serve best (width): beyond, each one more
// makes all of them slower, wakes one process more for as many statements, and statements overtake
// each other because the server's processes take turns. It is found as a pool's size is
// (pool/gradient.hpp), from what statements take beside what each of them takes while few
// connections are shared. Requests that find those connections full wait in the pool's line, and
// get there in their order.
//
// Nobody gets behind a statement that is known to take long; from behind one that runs longer than
// it should, requests are taken back and run elsewhere.
//
// Layer: gateway/relay. Thread: its worker's. Bounds: requests_max per connection, expected time
// of what is ahead, yield_after while others wait for a connection of their own.
#pragma once

#include <vector>

#include <asio/steady_timer.hpp>

#include "gateway/relay/latencies.hpp"
#include "pool/gradient.hpp"
#include "pool/shard.hpp"

namespace sluice::gateway {

class pg_link;
class session_settings;

class multiplexer {
public:
    // What a batch may take, together.
    static constexpr server_time batch_time = std::chrono::milliseconds(1);
    static constexpr unsigned batch_most = 8;
    // Times are measured from outside: with many server processes on few processors a short
    // statement seems long, until batches let fewer of them run at once. So one batch in so many is
    // begun though it seems too long, and what is learned from it decides about the next.
    static constexpr unsigned try_every = 8;
    static constexpr unsigned try_most = 4;
    // Ahead of a request when no connection is idle.
    static constexpr server_time queued_wait = std::chrono::milliseconds(4);
    // A statement that takes longer gets a connection of its own.
    static constexpr server_time shared_most = std::chrono::milliseconds(1);
    // Said of a statement that nobody shall go behind.
    static constexpr server_time alone = queued_wait;
    static constexpr std::size_t requests_max = 8;
    static constexpr std::size_t refill_below = 4;
    // What is at the head for so long holds up those behind it.
    static constexpr std::chrono::milliseconds head_most{10};
    // Shared at a time, however slow more of them seem to be.
    static constexpr std::size_t width_min = 4;
    // How long a connection is shared on while others wait for one of their own.
    static constexpr std::chrono::milliseconds yield_after{2};

    multiplexer(pool::shard& shard, latency_table& latencies);

    // A connection with these settings that takes a request of `expected` length now; null: none.
    pg_link* pick(const session_settings& settings,
                  server_time expected,
                  steady_clock::time_point now);

    // As many as serve best are shared, and go on: whoever finds no place waits for one there.
    bool full(steady_clock::time_point now) const noexcept;
    // `count` statements that take `unhindered`, together, where few others run, have taken `took`.
    void answered(std::size_t count,
                  server_time unhindered,
                  server_time took,
                  steady_clock::time_point now) noexcept;
    // Nobody follows on one of the links any more: there may be room for another one.
    void closed();

    // Lets those who wait in line follow, up to a batch of them.
    void fill(pg_link& link);
    // It was leased for a request that others may follow.
    void add(pg_link& link, steady_clock::time_point now);
    void remove(pg_link& link) noexcept;
    // Something waits behind something else: look after it in time.
    void watch();

    latency_table& latencies() noexcept { return latencies_; }
    // So few are shared that what statements take is what they take unhindered.
    bool measuring() const noexcept { return width_.measuring(); }

private:
    bool fits_batch(server_time expected) const noexcept;
    void begin_batch(pg_link* link, steady_clock::time_point now) noexcept;

    pool::shard& shard_;
    latency_table& latencies_;
    std::vector<pg_link*> links_;  // shared now
    pool::gradient width_;
    asio::steady_timer timer_;
    bool watching_ = false;
    pg_link* current_ = nullptr;  // where this turn's batch goes
    unsigned batch_ = 0;          // requests in it
    unsigned batches_ = 0;
    steady_clock::time_point turn_;
};

}  // namespace sluice::gateway
