// gateway/relay/latencies.hpp: how long the server takes for each shape of statement, learned.
//
// What is expected is near the best of late: falls quickly, rises slowly. Under load a statement
// also waits for processors, and its own cost is what decides whether another may queue behind it;
// one that now and then takes long is found by its age instead.
//
// Layer: gateway/relay. One per worker, its thread. Bounds: a fixed table; a digest that meets
// another in its place replaces it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace sluice::gateway {

using server_time = std::chrono::nanoseconds;

class latency_table {
public:
    // Negative: not known.
    server_time expected(std::uint64_t digest) const noexcept { return find(digest).time; }
    // What it takes on average while few others run (until that is known: what it took at first);
    // negative: not known.
    server_time unhindered(std::uint64_t digest) const noexcept { return find(digest).unhindered; }
    // `few`: others that run do not hinder it.
    void learn(std::uint64_t digest, server_time took, bool few = false) noexcept;

private:
    static constexpr std::size_t size = 2048;
    static constexpr unsigned average_of = 64;
    static constexpr server_time most = std::chrono::seconds(10);

    struct entry {
        std::uint64_t digest = 0;
        server_time time{-1};
        server_time unhindered{-1};
        unsigned samples = 0;  // of it, up to average_of
    };
    const entry& find(std::uint64_t digest) const noexcept
    {
        static constexpr entry unknown;
        const entry& found = entries_[digest % size];
        return found.digest == digest ? found : unknown;
    }

    std::array<entry, size> entries_;
};

}  // namespace sluice::gateway
