// drivers/api/backend.hpp: what a pool knows of one connection to a database.
//
// Layer: drivers. No engine, no protocol. Implemented by the lanes' links (gateway/relay).
// Thread: a backend belongs to one worker at a time; only depart() and arrive() change that.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sluice {

using steady_clock = std::chrono::steady_clock;

class backend {
public:
    backend() = default;
    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;
    // Closes the connection.
    virtual ~backend() = default;

    // Leaves its worker's loop; called on that worker, between leases.
    virtual void depart() = 0;
    // Joins the loop of worker number `worker`; called on that worker.
    virtual void arrive(std::size_t worker) = 0;
    // Called before an idle backend departs. True: it has something to finish first, and then calls
    // its shard's give_back or discard.
    virtual bool finish_first() { return false; }
    // Asks the server for a sign of life; the backend then calls its shard's give_back or discard.
    virtual void probe() = 0;

    // Kept by the pool.
    struct bookkeeping {
        steady_clock::time_point opened;
        steady_clock::time_point expires;  // past it the backend is not leased again
        steady_clock::time_point idle_since;
        std::size_t index = 0;    // in its shard's list of all
        std::uint32_t epoch = 0;  // of its pool when it was opened
        bool probing = false;
    } book;
};

}  // namespace sluice
