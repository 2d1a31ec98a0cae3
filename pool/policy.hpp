// pool/policy.hpp: the pool's decisions as pure functions of numbers.
//
// Layer: pool. No state, no clock: times come in as arguments.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "drivers/api/backend.hpp"

namespace sluice::pool {

struct limits {
    std::size_t size = 20;            // backends at most, over all workers
    std::size_t min = 0;              // kept open while the pool is in use
    bool find_size = false;           // use no more than serves best, between min and size
    std::size_t max_queued = 10'000;  // waiting requests at most, over all workers
    std::size_t max_connecting = 4;   // connects under way at most, over all workers
    std::chrono::milliseconds queue_timeout{30'000};
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds idle_timeout{600'000};
    std::chrono::milliseconds lifetime{3'600'000};
    std::chrono::milliseconds probe_after{30'000};
};

// How many connects a shard should start now.
//   waiting: requests of this shard without a backend; coming: connects and probes under way for
//   them; room: permits and connect slots that are free.
std::size_t connects_to_start(std::size_t waiting, std::size_t coming, std::size_t room) noexcept;

// The pause before the next connect after `failures` in a row: doubled from 50 ms up to 2 s, so
// that a database that comes back is in use again within two seconds.
std::chrono::milliseconds backoff(std::size_t failures) noexcept;

// The lifetime of one backend: up to a tenth shorter than configured, spread by `random`, so that
// backends opened together do not all end together.
std::chrono::milliseconds jittered(std::chrono::milliseconds lifetime,
                                   std::uint64_t random) noexcept;

}  // namespace sluice::pool
