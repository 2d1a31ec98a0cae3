// The pool's decisions, by table.
#include "pool/policy.hpp"

#include <gtest/gtest.h>

namespace sluice::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PoolPolicy, ConnectsAreStartedForWaitersThatNothingIsComingFor)
{
    struct row {
        std::size_t waiting, coming, room, expected;
    };
    for (const row& each : {row{0, 0, 5, 0},
                            row{3, 0, 5, 3},
                            row{3, 2, 5, 1},
                            row{3, 3, 5, 0},
                            row{3, 9, 5, 0},
                            row{9, 0, 4, 4},
                            row{9, 1, 0, 0}})
        EXPECT_EQ(connects_to_start(each.waiting, each.coming, each.room), each.expected)
            << each.waiting << ' ' << each.coming << ' ' << each.room;
}

TEST(PoolPolicy, ThePauseAfterFailuresDoublesUpToTwoSeconds)
{
    EXPECT_EQ(backoff(0), milliseconds(0));
    EXPECT_EQ(backoff(1), milliseconds(50));
    EXPECT_EQ(backoff(2), milliseconds(100));
    EXPECT_EQ(backoff(5), milliseconds(800));
    EXPECT_EQ(backoff(7), seconds(2));
    EXPECT_EQ(backoff(1'000'000), seconds(2));
}

TEST(PoolPolicy, LifetimesAreSpreadByAtMostATenth)
{
    for (std::uint64_t random = 0; random < 1000; ++random) {
        const auto lifetime = jittered(seconds(100), random * 7919);
        EXPECT_LE(lifetime, seconds(100));
        EXPECT_GT(lifetime, seconds(90));
    }
    EXPECT_NE(jittered(seconds(100), 1), jittered(seconds(100), 5'000));
    EXPECT_EQ(jittered(milliseconds(5), 77), milliseconds(5));
}

}  // namespace
}  // namespace sluice::pool
