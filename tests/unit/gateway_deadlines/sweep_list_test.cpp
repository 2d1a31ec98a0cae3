// tests/unit/gateway_deadlines/sweep_list_test.cpp: everybody in the list is looked at once.
#include "gateway/deadlines/sweep_list.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>
#include <vector>

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;

struct one final : swept {
    int seen = 0;
    std::function<void()> also;
    void sweep(std::chrono::steady_clock::time_point) override
    {
        ++seen;
        if (also)
            also();
    }
};

TEST(SweepList, MembersMayLeaveWhileTheyAreLookedAt)
{
    sweep_list list;
    std::vector<one> all(5);
    for (auto& each : all)
        list.add(each);
    list.add(all[0]);  // is there already
    // The one that is looked at, the next and one that was seen leave.
    all[3].also = [&] {
        list.remove(all[3]);
        list.remove(all[2]);
        list.remove(all[4]);
    };
    list.sweep({});
    EXPECT_EQ(all[4].seen, 1);
    EXPECT_EQ(all[3].seen, 1);
    EXPECT_EQ(all[2].seen, 0);
    EXPECT_EQ(all[1].seen, 1);
    EXPECT_EQ(all[0].seen, 1);
    list.sweep({});
    EXPECT_EQ(all[3].seen, 1);
    EXPECT_EQ(all[0].seen, 2);
}

TEST(SweepList, HoldsWhatItWasGiven)
{
    sweep_list list;
    std::vector<one> all(20);
    std::set<std::size_t> inside;
    std::mt19937 random(7);
    for (int round = 0; round < 5000; ++round) {
        const auto i = random() % all.size();
        if (random() % 2) {
            list.add(all[i]);
            inside.insert(i);
        } else {
            list.remove(all[i]);
            inside.erase(i);
        }
        for (auto& each : all)
            each.seen = 0;
        list.sweep({});
        for (std::size_t k = 0; k < all.size(); ++k)
            ASSERT_EQ(all[k].seen, inside.contains(k) ? 1 : 0);
    }
}

TEST(SweepList, LooksMoreOftenForShortLimits)
{
    sweep_list list;
    list.note(0ms);
    list.note(5s);
    EXPECT_EQ(list.step(), 100ms);
    list.note(500ms);
    EXPECT_EQ(list.step(), 50ms);
    list.note(1ms);
    EXPECT_EQ(list.step(), 10ms);
    list.note(1h);
    EXPECT_EQ(list.step(), 10ms);
}

}  // namespace
}  // namespace sluice::gateway
