// gateway/log/outage.hpp: what repeats while something is down is written once, then now and then
// with a count.
//
// Layer: gateway. Thread-safe; used on paths that failed, and by one load on those that did not.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace sluice::gateway::log {

// A line that may be due often.
class rare_line {
public:
    using clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds pause{10};

    // Counts one occasion. Not zero: write the line; it stands for so many since the last.
    std::uint64_t count(clock::time_point now);

private:
    std::mutex mutex_;
    std::uint64_t unwritten_ = 0;
    std::optional<clock::time_point> written_;
};

// Connects that fail until one succeeds. One that comes and goes is written as rarely.
class outage {
public:
    using clock = rare_line::clock;

    // Not zero: write a line; it stands for so many attempts.
    std::uint64_t failed(clock::time_point now);

    struct summary {
        std::chrono::milliseconds lasted{};
        std::uint64_t attempts = 0;
    };
    // Set when this ends an outage that was written of.
    std::optional<summary> succeeded(clock::time_point now);

    // The same, with the lines. `pool`: its name.
    void connect_failed(std::string_view pool, std::string_view why);
    void connected(std::string_view pool);

private:
    std::atomic<bool> down_{false};
    std::mutex mutex_;
    rare_line line_;
    clock::time_point began_;
    std::uint64_t attempts_ = 0;
    bool told_ = false;
};

}  // namespace sluice::gateway::log
