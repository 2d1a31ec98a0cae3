// drivers/sqlite/cost_table.hpp: which statements are known to be slow, or to break a group.
//
// Layer: drivers. Any thread; a lost update only costs a wrong guess, and a guess is forgotten
// after a while. Fixed size: two texts in one place push each other out.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

namespace sluice::sqlite {

class cost_table {
public:
    using clock = std::chrono::steady_clock;

    void mark(std::string_view sql, std::chrono::milliseconds for_how_long) noexcept
    {
        const auto hash = std::hash<std::string_view>{}(sql);
        place(hash).store(pack(hash, now_ms() + for_how_long.count()), std::memory_order_relaxed);
        used_.store(true, std::memory_order_relaxed);
    }
    bool marked(std::string_view sql) const noexcept
    {
        if (!used_.load(std::memory_order_relaxed))
            return false;
        const auto hash = std::hash<std::string_view>{}(sql);
        const auto entry = places_[hash % places_.size()].load(std::memory_order_relaxed);
        return (entry ^ pack(hash, 0)) >> time_bits == 0 &&
               static_cast<std::int64_t>(entry & time_mask) > now_ms();
    }

private:
    static constexpr int time_bits = 42;  // milliseconds since the machine started: 139 years
    static constexpr std::uint64_t time_mask = (std::uint64_t{1} << time_bits) - 1;

    static std::int64_t now_ms() noexcept
    {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
                   clock::now().time_since_epoch())
            .count();
    }
    static std::uint64_t pack(std::uint64_t hash, std::int64_t until) noexcept
    {
        return (hash & ~time_mask) | (static_cast<std::uint64_t>(until) & time_mask);
    }
    std::atomic<std::uint64_t>& place(std::uint64_t hash) noexcept
    {
        return places_[hash % places_.size()];
    }

    std::array<std::atomic<std::uint64_t>, 1024> places_{};
    std::atomic<bool> used_ = false;
};

}  // namespace sluice::sqlite
