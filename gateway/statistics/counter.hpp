// gateway/statistics/counter.hpp: numbers that one thread writes and any thread reads.
//
// No lock and no read-modify-write: the writer stores what it loaded plus one, at the cost of an
// ordinary increment. A reader sees each number as it was a moment ago.
//
// Layer: gateway. Thread: written by one, the worker's; read by any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::gateway::statistics {

class counter {
public:
    void add(std::uint64_t n = 1) noexcept { value_.store(read() + n, std::memory_order_relaxed); }
    // Acquire: what is read after it is no older (statement_table looks twice at an entry's key).
    std::uint64_t read() const noexcept { return value_.load(std::memory_order_acquire); }
    void clear() noexcept { value_.store(0, std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

// What goes up and down.
class gauge {
public:
    void add(std::int64_t n) noexcept { value_.store(read() + n, std::memory_order_relaxed); }
    void set(std::int64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
    std::int64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

// A word of up to eight bytes as a number, for count_table: SQLSTATEs, error numbers.
constexpr std::uint64_t packed(std::string_view word) noexcept
{
    std::uint64_t value = 0;
    for (const char c : word.substr(0, 8))
        value = value << 8 | static_cast<unsigned char>(c);
    return value;
}
inline std::string unpacked(std::uint64_t value)
{
    std::string word;
    for (int shift = 56; shift >= 0; shift -= 8) {
        if (const char c = static_cast<char>(value >> shift & 0xff))
            word += c;
    }
    return word;
}

// Counts per key, for keys that are few but not known beforehand. The first `Size` get a place of
// their own, the rest are counted together.
template <class Key, std::size_t Size>
class count_table {
public:
    void add(Key key, std::uint64_t n = 1) noexcept
    {
        for (auto& each : slots_) {
            const Key there = each.key.load(std::memory_order_relaxed);
            if (there != key && there != Key{})
                continue;
            each.count.add(n);
            if (there == Key{})
                each.key.store(key, std::memory_order_release);
            return;
        }
        other_.add(n);
    }

    template <class Visitor>
    void for_each(const Visitor& visit) const
    {
        for (const auto& each : slots_) {
            const Key key = each.key.load(std::memory_order_acquire);
            if (key == Key{})
                return;
            visit(key, each.count.read());
        }
    }
    std::uint64_t other() const noexcept { return other_.read(); }

private:
    struct slot {
        std::atomic<Key> key{};
        counter count;
    };
    std::array<slot, Size> slots_;
    counter other_;
};

using code_counts = count_table<std::uint64_t, 64>;  // of packed() words
using reason_counts = count_table<const char*, 24>;  // of constants

}  // namespace sluice::gateway::statistics
