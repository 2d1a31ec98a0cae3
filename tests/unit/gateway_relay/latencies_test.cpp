// tests/unit/gateway_relay/latencies_test.cpp: what is learned of statements' times.
#include "gateway/relay/latencies.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(Latencies, UnknownIsNegative)
{
    latency_table table;
    EXPECT_LT(table.expected(7), server_time::zero());
}

TEST(Latencies, FallsQuicklyAndRisesSlowly)
{
    latency_table table;
    table.learn(7, milliseconds(8));
    for (int i = 0; i < 10; ++i)
        table.learn(7, microseconds(100));
    EXPECT_LT(table.expected(7), microseconds(120));
    EXPECT_GE(table.expected(7), microseconds(100));
    table.learn(7, milliseconds(8));
    EXPECT_LT(table.expected(7), microseconds(130)) << "one that was slow says little";
    for (int i = 0; i < 10'000; ++i)
        table.learn(7, milliseconds(8));
    EXPECT_GT(table.expected(7), milliseconds(7)) << "what stays slow is learned";
}

// What is expected follows the best of late; what a statement takes unhindered is the average of
// when few others ran, however long it takes, or how often, while many do.
TEST(Latencies, UnhinderedIsTheAverageWhileFewRun)
{
    latency_table table;
    EXPECT_LT(table.unhindered(7), server_time::zero());
    table.learn(7, milliseconds(5));
    EXPECT_EQ(table.unhindered(7), milliseconds(5)) << "until it is known";
    for (int i = 0; i < 1000; ++i)
        table.learn(7, microseconds(i % 2 ? 50 : 150), true);
    EXPECT_NEAR(static_cast<double>(table.unhindered(7).count()), 100e3, 10e3);
    const auto known = table.unhindered(7);
    for (int i = 0; i < 10'000; ++i)
        table.learn(7, microseconds(i % 2 ? 20 : 900));
    EXPECT_EQ(table.unhindered(7), known);
    EXPECT_LT(table.expected(7), known);
}

// One that is first met while many run: an average of the first, in which one bad start is little.
TEST(Latencies, UnhinderedBeginsAsAnAverage)
{
    latency_table table;
    table.learn(7, milliseconds(3));
    for (int i = 0; i < 500; ++i)
        table.learn(7, microseconds(100));
    EXPECT_LT(table.unhindered(7), microseconds(150));
    EXPECT_GT(table.unhindered(7), microseconds(100));
}

TEST(Latencies, ADigestInAnothersPlaceTakesItOver)
{
    latency_table table;
    table.learn(5, microseconds(50));
    table.learn(5 + 2048, milliseconds(3));
    EXPECT_LT(table.expected(5), server_time::zero());
    EXPECT_EQ(table.expected(5 + 2048), milliseconds(3));
}

TEST(Latencies, StaysBounded)
{
    latency_table table;
    table.learn(5, std::chrono::hours(1));
    EXPECT_LE(table.expected(5), std::chrono::seconds(10));
}

}  // namespace
}  // namespace sluice::gateway
