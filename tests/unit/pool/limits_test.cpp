// tests/unit/pool/limits_test.cpp: a tenant's permits and tokens, overload, size = "auto".
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>

#include "pool/gradient.hpp"
#include "pool/overload.hpp"
#include "pool/tenant.hpp"

namespace sluice::pool {
namespace {

using namespace std::chrono_literals;
using time_point = steady_clock::time_point;

std::shared_ptr<const tenant_limits> limits_with(auto change)
{
    auto made = std::make_shared<tenant_limits>();
    change(*made);
    return made;
}

TEST(RateBucket, GivesTheBurstAtOnceAndTheRateFromThenOn)
{
    rate_bucket bucket;
    time_point now = time_point{} + 100s;
    int taken = 0;
    while (bucket.take(now, 100, 7))
        ++taken;
    EXPECT_EQ(taken, 7);
    EXPECT_EQ(bucket.ready_at(100, 7), now + 10ms);
    for (int i = 0; i < 10'000; ++i) {
        now += 1ms;
        taken += bucket.take(now, 100, 7);
    }
    EXPECT_NEAR(taken, 1007, 1);
}

TEST(RateBucket, NeverGivesMoreThanRateTimesTimePlusBurst)
{
    std::mt19937_64 random(11);
    for (int round = 0; round < 50; ++round) {
        const double rate = 0.5 + static_cast<double>(random() % 5000);
        const auto burst = static_cast<std::uint32_t>(1 + random() % 50);
        rate_bucket bucket;
        const time_point begun = time_point{} + 1000s;
        time_point now = begun;
        double taken = 0;
        for (int i = 0; i < 2000; ++i) {
            now += std::chrono::microseconds(random() % 5000);
            taken += bucket.take(now, rate, burst);
            const double seconds = std::chrono::duration<double>(now - begun).count();
            ASSERT_LE(taken, seconds * rate + burst + 1e-6 + 1);
        }
    }
}

TEST(Tenant, IsNeverAboveItsLimitWhateverThreadsDo)
{
    tenant of("acme", limits_with([](auto& l) { l.max_concurrent = 5; }));
    std::atomic<std::size_t> inside{0}, most{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                if (of.try_start(time_point{}) != tenant::start::started)
                    continue;
                const auto now = inside.fetch_add(1) + 1;
                auto seen = most.load();
                while (seen < now && !most.compare_exchange_weak(seen, now)) {
                }
                inside.fetch_sub(1);
                of.finish();
            }
        });
    }
    for (auto& each : threads)
        each.join();
    EXPECT_LE(most.load(), 5u);
    EXPECT_EQ(of.running(), 0u);
}

TEST(Tenant, ChangedLimitsHoldForWhatComesNext)
{
    tenant of("acme", limits_with([](auto& l) { l.max_concurrent = 2; }));
    EXPECT_EQ(of.try_start(time_point{}), tenant::start::started);
    EXPECT_EQ(of.try_start(time_point{}), tenant::start::started);
    EXPECT_EQ(of.try_start(time_point{}), tenant::start::at_limit);
    of.replace_limits(limits_with([](auto& l) { l.max_concurrent = 3; }));
    EXPECT_EQ(of.try_start(time_point{}), tenant::start::started);
    of.replace_limits(limits_with([](auto& l) { l.max_concurrent = 1; }));
    EXPECT_FALSE(of.has_room());
    of.finish();
    of.finish();
    EXPECT_FALSE(of.has_room());
    of.finish();
    EXPECT_TRUE(of.has_room());
}

TEST(Tenant, DryRunCountsAndRefusesNothing)
{
    tenant of("acme", limits_with([](auto& l) {
                  l.max_concurrent = l.max_clients = l.max_queued = 1;
                  l.max_rate = 1;
                  l.burst = 1;
                  l.dry_run = true;
              }));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(of.try_start(time_point{} + 10s), tenant::start::started);
        EXPECT_TRUE(of.enter_client());
        EXPECT_TRUE(of.enter_queue());
    }
    EXPECT_EQ(of.would_refuse(limit::concurrent), 2u);
    EXPECT_EQ(of.would_refuse(limit::rate), 2u);
    EXPECT_EQ(of.would_refuse(limit::clients), 2u);
    EXPECT_EQ(of.would_refuse(limit::queued), 2u);
    EXPECT_EQ(of.refused(limit::clients), 0u);
}

TEST(Overload, AStandingQueueIsCutToWhatIsServedWithinTheTarget)
{
    sojourn_control control;
    time_point now = time_point{} + 1s;
    // One is served every 2 ms, after 500 ms.
    for (int i = 0; i < 200; ++i, now += 2ms)
        control.served(500ms, 20ms, now);
    EXPECT_TRUE(control.overloaded());
    EXPECT_EQ(control.allowed(20ms), 10u);
    // The queue was cut.
    for (int i = 0; i < 200; ++i, now += 2ms)
        control.served(8ms, 20ms, now);
    EXPECT_FALSE(control.overloaded());
}

TEST(Overload, AQueueThatEmptiesNowAndThenIsGood)
{
    sojourn_control control;
    time_point now = time_point{} + 1s;
    for (int i = 0; i < 500; ++i, now += 2ms)
        control.served(i % 20 == 0 ? 0ms : 60ms, 20ms, now);
    EXPECT_FALSE(control.overloaded());
}

// A server with `cores`: each statement needs `work` of one of them.
std::size_t settle_on(double cores, steady_clock::duration work, gradient::bounds within)
{
    gradient control(within);
    time_point now = time_point{} + 1s;
    std::mt19937_64 random(2);
    for (int i = 0; i < 60'000; ++i) {
        const auto n = static_cast<double>(control.limit());
        const double slower = std::max(1.0, n / cores);
        const double noise = 0.7 + static_cast<double>(random() % 600) / 1000;
        const auto took = std::chrono::duration_cast<steady_clock::duration>(work * slower * noise);
        now += std::chrono::duration_cast<steady_clock::duration>(
            std::chrono::duration<double>(work) * slower / n);
        control.sample(took, control.limit(), now);
    }
    return control.limit();
}

TEST(Gradient, FindsWhatAServerCanWorkOn)
{
    const auto two = settle_on(2, 5ms, {2, 64});
    EXPECT_GE(two, 3u);
    EXPECT_LE(two, 8u);
    const auto sixteen = settle_on(16, 5ms, {2, 64});
    EXPECT_GE(sixteen, 16u);
    EXPECT_LE(sixteen, 32u);
}

TEST(Gradient, StaysWithinItsBounds)
{
    EXPECT_EQ(settle_on(64, 1ms, {4, 10}), 10u);
    EXPECT_LE(settle_on(0.1, 1ms, {4, 10}), 10u);
    EXPECT_GE(settle_on(0.1, 1ms, {4, 10}), 4u);
}

TEST(Gradient, DoesNotGrowWhileItsLimitIsNotReached)
{
    gradient control({2, 64});
    time_point now = time_point{} + 1s;
    for (int i = 0; i < 10'000; ++i, now += 1ms)
        control.sample(1ms, 1, now);
    EXPECT_EQ(control.limit(), 3u);
}

}  // namespace
}  // namespace sluice::pool
