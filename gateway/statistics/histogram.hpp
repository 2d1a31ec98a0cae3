// gateway/statistics/histogram.hpp: how often something took how long, in buckets whose width
// grows with the time: `1 << SubBits` of them for each doubling, from 2^First to 2^Last ns.
//
// What is shorter counts in the first bucket, what is longer in the last. Quantiles are as exact as
// a bucket is narrow: with SubBits = 2 within 12%.
//
// Layer: gateway. Thread: as counter.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>

#include "gateway/statistics/counter.hpp"

namespace sluice::gateway::statistics {

using nanoseconds = std::chrono::nanoseconds;

template <unsigned First, unsigned Last, unsigned SubBits>
struct buckets {
    static constexpr std::size_t per_doubling = std::size_t{1} << SubBits;
    static constexpr std::size_t count = 2 + (Last - First) * per_doubling;
    static_assert(First >= SubBits);

    static std::size_t index(nanoseconds took) noexcept
    {
        const auto ns = static_cast<std::uint64_t>(std::max<nanoseconds::rep>(took.count(), 0));
        const auto doubling = static_cast<unsigned>(std::bit_width(ns | 1)) - 1;
        if (doubling < First)
            return 0;
        if (doubling >= Last)
            return count - 1;
        const auto part = (ns >> (doubling - SubBits)) & (per_doubling - 1);
        return 1 + (doubling - First) * per_doubling + part;
    }
    // Bucket i holds what is at least lower(i) and less than lower(i + 1).
    static std::uint64_t lower(std::size_t i) noexcept
    {
        if (i == 0)
            return 0;
        const auto doubling = First + (i - 1) / per_doubling;
        const auto part = (i - 1) % per_doubling;
        return (per_doubling + part) << (doubling - SubBits);
    }
};

// What a histogram held when it was read; sums of several are histograms, too.
template <class Buckets>
struct histogram_values {
    std::array<std::uint64_t, Buckets::count> counts{};
    std::uint64_t sum = 0;  // ns

    histogram_values& operator+=(const histogram_values& other) noexcept
    {
        for (std::size_t i = 0; i < counts.size(); ++i)
            counts[i] += other.counts[i];
        sum += other.sum;
        return *this;
    }
    std::uint64_t count() const noexcept
    {
        std::uint64_t all = 0;
        for (const auto each : counts)
            all += each;
        return all;
    }
    // Of what took less than 2^`doubling` ns.
    std::uint64_t count_below(unsigned doubling) const noexcept
    {
        std::uint64_t all = 0;
        for (std::size_t i = 0; i + 1 < counts.size(); ++i) {
            if (Buckets::lower(i + 1) > std::uint64_t{1} << doubling)
                break;
            all += counts[i];
        }
        return all;
    }
    // Which time the fraction `q` of all stayed below; zero when there are none.
    nanoseconds quantile(double q) const noexcept
    {
        const auto wanted = q * static_cast<double>(count());
        double seen = 0;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            const auto here = static_cast<double>(counts[i]);
            if (here > 0 && seen + here >= wanted) {
                const auto from = static_cast<double>(Buckets::lower(i));
                const auto to =
                    i + 1 < counts.size() ? static_cast<double>(Buckets::lower(i + 1)) : from;
                const auto part = std::clamp((wanted - seen) / here, 0.0, 1.0);
                return nanoseconds(static_cast<nanoseconds::rep>(from + (to - from) * part));
            }
            seen += here;
        }
        return nanoseconds{0};
    }
};

template <class Buckets>
class basic_histogram {
public:
    using values = histogram_values<Buckets>;

    void record(nanoseconds took, std::uint64_t times = 1) noexcept
    {
        counts_[Buckets::index(took)].add(times);
        sum_.add(static_cast<std::uint64_t>(std::max<nanoseconds::rep>(took.count(), 0)) * times);
    }
    void clear() noexcept
    {
        for (auto& each : counts_)
            each.clear();
        sum_.clear();
    }
    values read() const noexcept
    {
        values all;
        for (std::size_t i = 0; i < counts_.size(); ++i)
            all.counts[i] = counts_[i].read();
        all.sum = sum_.read();
        return all;
    }

private:
    std::array<counter, Buckets::count> counts_;
    counter sum_;
};

// From 16 µs to 137 s; 900 bytes.
using histogram = basic_histogram<buckets<14, 37, 2>>;
using times = histogram::values;
// From 33 µs to 34 s, coarser; 340 bytes.
using small_histogram = basic_histogram<buckets<15, 35, 1>>;
using small_times = small_histogram::values;

}  // namespace sluice::gateway::statistics
