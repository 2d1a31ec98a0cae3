// tests/unit/gateway_statistics/histogram_test.cpp: buckets, sums, quantiles.
#include "gateway/statistics/histogram.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway::statistics {
namespace {

using namespace std::chrono_literals;
using fine = buckets<14, 37, 2>;

TEST(Buckets, EveryTimeLiesWithinItsBucket)
{
    for (std::uint64_t ns = 1; ns < (std::uint64_t{1} << 38); ns += ns / 7 + 1) {
        const auto i = fine::index(nanoseconds(ns));
        ASSERT_LT(i, fine::count);
        EXPECT_LE(fine::lower(i), ns);
        if (i + 1 < fine::count) {
            EXPECT_LT(ns, fine::lower(i + 1));
        }
    }
}

TEST(Buckets, BoundsRiseAndDoublingsAreAmongThem)
{
    for (std::size_t i = 1; i < fine::count; ++i)
        EXPECT_GT(fine::lower(i), fine::lower(i - 1));
    for (unsigned doubling = 14; doubling <= 37; ++doubling) {
        const auto i = fine::index(nanoseconds(std::int64_t{1} << doubling));
        EXPECT_EQ(fine::lower(i), std::uint64_t{1} << doubling);
    }
}

TEST(Buckets, TakeWhatCannotBe)
{
    EXPECT_EQ(fine::index(-5s), 0u);
    EXPECT_EQ(fine::index(0s), 0u);
    EXPECT_EQ(fine::index(nanoseconds::max()), fine::count - 1);
}

TEST(Histogram, CountsSumsAndQuantiles)
{
    histogram all;
    for (int i = 1; i <= 1000; ++i)
        all.record(std::chrono::microseconds(i * 100));
    const auto read = all.read();
    EXPECT_EQ(read.count(), 1000u);
    EXPECT_EQ(read.sum, 1000ull * 1001 / 2 * 100'000);
    const auto near = [](nanoseconds found, double wanted_ms) {
        EXPECT_NEAR(static_cast<double>(found.count()) / 1e6, wanted_ms, wanted_ms * 0.13);
    };
    near(read.quantile(0.5), 50);
    near(read.quantile(0.95), 95);
    near(read.quantile(0.99), 99);
}

TEST(Histogram, CumulativeCountsAreExactAtDoublings)
{
    histogram all;
    all.record(nanoseconds((1 << 20) - 1), 3);
    all.record(nanoseconds(1 << 20), 2);
    all.record(1000s);
    const auto read = all.read();
    EXPECT_EQ(read.count_below(20), 3u);
    EXPECT_EQ(read.count_below(21), 5u);
    EXPECT_EQ(read.count_below(37), 5u);
    EXPECT_EQ(read.count(), 6u);
}

TEST(Histogram, AnEmptyOneHasNoQuantiles)
{
    EXPECT_EQ(times{}.quantile(0.99), 0ns);
    EXPECT_EQ(times{}.count(), 0u);
}

TEST(Histogram, ValuesAddUp)
{
    histogram a;
    histogram b;
    a.record(1ms, 3);
    b.record(2ms, 4);
    auto sum = a.read();
    sum += b.read();
    EXPECT_EQ(sum.count(), 7u);
    EXPECT_EQ(sum.sum, 11'000'000u);
}

}  // namespace
}  // namespace sluice::gateway::statistics
