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
