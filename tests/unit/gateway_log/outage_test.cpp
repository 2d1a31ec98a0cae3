// tests/unit/gateway_log/outage_test.cpp: how often a repeated line is due.
#include "gateway/log/outage.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway::log {
namespace {

using std::chrono::seconds;

outage::clock::time_point at(int second)
{
    return outage::clock::time_point{} + seconds(1000 + second);
}

TEST(RareLine, TheFirstAndThenOneForMany)
{
    rare_line line;
    EXPECT_EQ(line.count(at(0)), 1u);
    for (int i = 1; i < 10; ++i)
        EXPECT_EQ(line.count(at(i)), 0u);
    EXPECT_EQ(line.count(at(10)), 10u);
    EXPECT_EQ(line.count(at(11)), 0u);
    EXPECT_EQ(line.count(at(60)), 2u);
}

TEST(Outage, IsSummedUpWhenItEnds)
{
    outage of;
    EXPECT_FALSE(of.succeeded(at(0)));
    EXPECT_EQ(of.failed(at(1)), 1u);
    EXPECT_EQ(of.failed(at(2)), 0u);
    EXPECT_EQ(of.failed(at(12)), 2u);
    const auto over = of.succeeded(at(13));
    ASSERT_TRUE(over);
    EXPECT_EQ(over->lasted, seconds(12));
    EXPECT_EQ(over->attempts, 3u);
    EXPECT_FALSE(of.succeeded(at(14)));
}

TEST(Outage, ThatComesAndGoesIsWrittenAsRarely)
{
    outage of;
    EXPECT_EQ(of.failed(at(0)), 1u);
    EXPECT_TRUE(of.succeeded(at(1)));
    for (int i = 2; i < 10; i += 2) {
        EXPECT_EQ(of.failed(at(i)), 0u);
        EXPECT_FALSE(of.succeeded(at(i + 1)));
    }
    EXPECT_EQ(of.failed(at(10)), 5u);
    EXPECT_TRUE(of.succeeded(at(11)));
}

}  // namespace
}  // namespace sluice::gateway::log
