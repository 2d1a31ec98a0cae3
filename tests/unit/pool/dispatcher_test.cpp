// tests/unit/pool/dispatcher_test.cpp: tenants' limits in the lines of several workers, and places.
#include "pool/dispatcher.hpp"

#include <gtest/gtest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <deque>
#include <map>
#include <random>
#include <thread>

#include "pool/admission.hpp"
#include "proto/core/errc.hpp"

namespace sluice::pool {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<tenant> tenant_with(std::string name, auto change)
{
    auto limits = std::make_shared<tenant_limits>();
    change(*limits);
    return std::make_shared<tenant>(std::move(name), std::move(limits));
}

struct asking final : candidate {
    void on_refused(std::error_code code, const std::string&) override { refused = code; }
    void of(const account_ref& account) { enroll(account); }
    std::error_code refused;
};

class lines : public testing::Test {
protected:
    static constexpr std::size_t workers = 2;

    asking& ask(const std::shared_ptr<tenant>& who, std::size_t worker = 0)
    {
        asking& fresh = all.emplace_back();
        fresh.of(line.account_of(who));
        if (const auto why = line.push(fresh, worker, now))
            fresh.refused = why;
        return fresh;
    }
    void tell(std::size_t worker = 0)
    {
        std::error_code why;
        while (candidate* r = line.take_refused(worker, why))
            r->on_refused(why, "");
    }

    std::vector<std::size_t> woken;
    dispatcher line{
        std::make_shared<scheduler>(), workers, {10'000, 10s}, [this](std::size_t worker) {
            woken.push_back(worker);
        }};
    steady_clock::time_point now = steady_clock::now();
    std::deque<asking> all;
};

TEST_F(lines, ATenantAtItsLimitDoesNotBlockOthers)
{
    const auto limited = tenant_with("limited", [](auto& l) { l.max_concurrent = 1; });
    const auto other = tenant_with("other", [](auto&) {});
    asking& first = ask(limited);
    asking& second = ask(limited);
    asking& third = ask(other);
    auto one = line.next(0, now);
    ASSERT_EQ(one.who, &first);
    auto two = line.next(0, now);
    EXPECT_EQ(two.who, &third);
    EXPECT_EQ(line.next(0, now).who, nullptr);
    EXPECT_FALSE(line.contended());
    const auto waits = line.list_waiting(10, false);
    ASSERT_EQ(waits.size(), 1u);
    EXPECT_EQ(waits[0].tenant, limited);
    EXPECT_EQ(waits[0].reason, wait_reason::tenant_limit);
    one.right.finish(now + 1ms);
    EXPECT_EQ(woken, std::vector<std::size_t>{0});
    EXPECT_EQ(line.next(0, now).who, &second);
}

TEST_F(lines, ALimitHoldsOverAllWorkersAndWakesWhoCameFirst)
{
    const auto limited = tenant_with("limited", [](auto& l) { l.max_concurrent = 1; });
    slot running = line.try_start(*line.account_of(limited), now);
    ASSERT_TRUE(running);
    EXPECT_FALSE(line.try_start(*line.account_of(limited), now));
    ask(limited, 1);
    now += 1ms;
    ask(limited, 0);
    EXPECT_EQ(line.ready(0) + line.ready(1), 0u);
    running.finish(now);
    EXPECT_EQ(woken, std::vector<std::size_t>{1});
    EXPECT_EQ(line.next(1, now).who, &all[0]);
}

TEST_F(lines, QueuesAreBounded)
{
    const auto short_queue = tenant_with("short", [](auto& l) {
        l.max_queued = 2;
        l.queue_timeout = 100ms;
    });
    ask(short_queue);
    ask(short_queue);
    EXPECT_EQ(ask(short_queue).refused, errc::tenant_queue_full);
    EXPECT_EQ(short_queue->refused(limit::queued), 1u);
    // Who has waited too long is not handed anything.
    now += 150ms;
    EXPECT_EQ(line.next(0, now).who, nullptr);
    tell();
    EXPECT_EQ(all[0].refused, errc::tenant_timeout);
    EXPECT_EQ(all[1].refused, errc::tenant_timeout);
    EXPECT_EQ(short_queue->queued(), 0u);
    EXPECT_EQ(line.waiting(), 0u);
}

TEST_F(lines, TheRateIsWaitedForAndTheNextTokenIsKnown)
{
    const auto slow = tenant_with("slow", [](auto& l) {
        l.max_rate = 10;
        l.burst = 1;
    });
    ask(slow);
    ask(slow);
    auto first = line.next(0, now);
    EXPECT_EQ(first.who, &all[0]);
    EXPECT_EQ(line.next(0, now).who, nullptr);
    EXPECT_EQ(line.token_due(), now + 100ms);
    EXPECT_EQ(line.list_waiting(1, false).at(0).reason, wait_reason::rate);
    line.release_tokens(now + 100ms);
    EXPECT_EQ(line.next(0, now + 100ms).who, &all[1]);
    EXPECT_EQ(line.token_due(), steady_clock::time_point::max());
}

TEST_F(lines, WhatIsReservedComesBeforeEverybodyElse)
{
    const auto noisy = tenant_with("noisy", [](auto& l) { l.priority = priority::high; });
    const auto sure = tenant_with("sure", [](auto& l) {
        l.min_reserved = 1;
        l.priority = priority::low;
    });
    for (int i = 0; i < 5; ++i)
        ask(noisy);
    asking& reserved = ask(sure);
    asking& more = ask(sure);
    auto one = line.next(0, now);
    EXPECT_EQ(one.who, &reserved);
    for (int i = 0; i < 5; ++i)
        EXPECT_NE(line.next(0, now).who, &more);
    EXPECT_EQ(line.next(0, now).who, &more);
}

TEST_F(lines, AStandingQueueIsCutFromItsEnd)
{
    const auto noisy = tenant_with("noisy", [](auto& l) { l.target_delay = 20ms; });
    for (int i = 0; i < 300; ++i)
        ask(noisy);
    for (std::size_t i = 0; noisy->queued() > 8; ++i) {
        ASSERT_LT(i, 60u);
        now += 5ms;
        auto turn = line.next(0, now);
        ASSERT_EQ(turn.who, &all[i]);
        turn.right.finish(now);
        tell();
    }
    EXPECT_EQ(all.back().refused, errc::overloaded);
    EXPECT_GT(noisy->refused(limit::overload), 200u);
    // While it lasts, who comes is refused at once.
    for (int i = 0; i < 20; ++i)
        ask(noisy);
    EXPECT_EQ(all.back().refused, errc::overloaded);
}

TEST_F(lines, RaisedLimitsLetInWhoWaits)
{
    const auto limited = tenant_with("limited", [](auto& l) { l.max_concurrent = 1; });
    slot running = line.try_start(*line.account_of(limited), now);
    ask(limited);
    auto more = std::make_shared<tenant_limits>();
    more->max_concurrent = 2;
    limited->replace_limits(more);
    line.sweep(0, now, steady_clock::duration::max());
    EXPECT_EQ(woken, std::vector<std::size_t>{0});
    EXPECT_EQ(line.next(0, now).who, &all[0]);
}

TEST_F(lines, WhoGoesAwayLeavesNothingBehind)
{
    const auto limited = tenant_with("limited", [](auto& l) { l.max_concurrent = 1; });
    slot running = line.try_start(*line.account_of(limited), now);
    for (int i = 0; i < 10; ++i)
        ask(limited, static_cast<std::size_t>(i % 2));
    all.clear();
    EXPECT_EQ(line.waiting(), 0u);
    EXPECT_EQ(limited->queued(), 0u);
    running.finish(now);
    EXPECT_TRUE(line.try_start(*line.account_of(limited), now));
}

TEST_F(lines, APriorityThatWaitedLongHasItsTurnOnWhateverWorkerItWaits)
{
    const auto high = tenant_with("high", [](auto& l) { l.priority = priority::high; });
    const auto low = tenant_with("low", [](auto& l) { l.priority = priority::low; });
    ask(low, 0);
    for (int i = 0; i < 10; ++i)
        ask(high, 1);
    EXPECT_EQ(line.whose_turn(0, now), 1u);
    EXPECT_EQ(line.explain(all[0], false)->reason, wait_reason::priority);
    now += fair_line::ageing;
    EXPECT_EQ(line.whose_turn(0, now), 0u);
    EXPECT_EQ(line.whose_turn(1, now), 0u);
    EXPECT_EQ(line.next(0, now).who, &all[0]);
}

TEST_F(lines, WhyEachWaitsIsKnown)
{
    const auto limited = tenant_with("limited", [](auto& l) { l.max_concurrent = 1; });
    slot running = line.try_start(*line.account_of(limited), now);
    asking& first = ask(limited);
    asking& second = ask(limited);
    EXPECT_EQ(line.explain(first, false)->reason, wait_reason::tenant_limit);
    EXPECT_EQ(line.explain(second, false)->position, 2u);
    EXPECT_EQ(line.explain(second, false)->tenant, limited);
    running.finish(now);
    EXPECT_EQ(line.explain(first, false)->reason, wait_reason::pool_full);
    EXPECT_EQ(line.explain(first, true)->reason, wait_reason::connecting);
    line.remove(first);
    EXPECT_FALSE(line.explain(first, false));
}

// Anything in any order: nobody is above its limit, nobody is overtaken by its own tenant's, and
// nobody waits who could be served.
TEST_F(lines, RandomRequestsKeepTheLimitsAndLeaveNobodyBehind)
{
    std::mt19937_64 random(11);
    struct running {
        slot right;
        std::size_t tenant;
    };
    std::vector<std::shared_ptr<tenant>> tenants;
    for (std::size_t i = 0; i < 12; ++i)
        tenants.push_back(tenant_with(std::to_string(i), [&](auto& l) {
            l.max_concurrent = i % 4;
            l.weight = static_cast<std::uint32_t>(1 + i % 3);
            l.priority = static_cast<priority>(i % 3);
            l.min_reserved = i % 5 == 0 ? 1 : 0;
            l.max_queued = 30;
        }));
    std::vector<running> busy;
    std::map<std::pair<std::size_t, std::size_t>, std::deque<asking*>> expected;
    std::map<const tenant*, std::size_t> number;
    for (std::size_t i = 0; i < tenants.size(); ++i)
        number[tenants[i].get()] = i;
    for (int step = 0; step < 30'000; ++step) {
        now += std::chrono::microseconds(random() % 500);
        const std::size_t who = random() % tenants.size();
        const std::size_t at = random() % workers;
        switch (random() % 8) {
            case 0:
            case 1:
            case 2:
            case 3:
                if (asking& fresh = ask(tenants[who], at); fresh.refused)
                    EXPECT_EQ(fresh.refused, errc::tenant_queue_full);
                else
                    expected[{who, at}].push_back(&fresh);
                break;
            case 4:
            case 5:
                if (auto turn = line.next(at, now); turn.who) {
                    auto& who_came = static_cast<asking&>(*turn.who);
                    const auto mine = number.at(&who_came.payer()->of());
                    auto& queue = expected[{mine, at}];
                    ASSERT_EQ(&who_came, queue.front());
                    queue.pop_front();
                    busy.push_back({std::move(turn.right), mine});
                } else {
                    for (std::size_t i = 0; i < tenants.size(); ++i)
                        ASSERT_TRUE((expected[{i, at}].empty()) || !tenants[i]->has_room());
                }
                break;
            case 6:
                if (auto& queue = expected[{who, at}]; !queue.empty()) {
                    line.remove(*queue.back());
                    queue.pop_back();
                }
                break;
            default:
                for (int i = 0; i < 2 && !busy.empty(); ++i) {
                    const auto k = random() % busy.size();
                    busy[k].right.finish(now);
                    std::swap(busy[k], busy.back());
                    busy.pop_back();
                }
        }
        std::vector<std::size_t> count(tenants.size());
        for (const auto& each : busy)
            ++count[each.tenant];
        for (std::size_t i = 0; i < tenants.size(); ++i) {
            const auto most = tenants[i]->limits().max_concurrent;
            ASSERT_EQ(tenants[i]->running(), count[i]);
            ASSERT_TRUE(most == 0 || count[i] <= most);
            const auto waiting = expected[{i, 0}].size() + expected[{i, 1}].size();
            ASSERT_EQ(tenants[i]->queued(), waiting);
        }
    }
    busy.clear();
}

TEST_F(lines, FiveThousandTenantsAreServedAndForgotten)
{
    std::vector<std::shared_ptr<tenant>> tenants;
    for (int i = 0; i < 5'000; ++i)
        tenants.push_back(tenant_with(std::to_string(i), [](auto& l) { l.max_concurrent = 1; }));
    for (const auto& each : tenants) {
        ask(each);
        asking& second = all.emplace_back();
        second.of(all[all.size() - 2].payer());
        (void)line.push(second, 1, now);
    }
    std::size_t served = 0;
    for (std::size_t worker = 0; worker < workers; ++worker) {
        while (auto turn = line.next(worker, now).who)
            served += turn != nullptr;
    }
    EXPECT_EQ(served, 10'000u);
    all.clear();
    EXPECT_EQ(line.list_accounts().size(), 5'000u);
    line.sweep(0, now, steady_clock::duration::max());
    EXPECT_EQ(line.list_accounts().size(), 0u);
    EXPECT_EQ(tenants[0].use_count(), 1);
}

// Eight tenants with limits 1 to 8 and many guests on two loops: never above, and used fully.
TEST(Admission, LimitsAreExactOverWorkers)
{
    std::vector<std::unique_ptr<asio::io_context>> loops;
    std::vector<asio::io_context*> pointers;
    for (int i = 0; i < 2; ++i) {
        loops.push_back(std::make_unique<asio::io_context>(1));
        pointers.push_back(loops.back().get());
    }
    const auto places = admission::create(20, {100'000, 60s}, pointers, nullptr);
    struct watched {
        std::shared_ptr<tenant> who;
        std::atomic<std::size_t> inside{0}, most{0};
    };
    std::deque<watched> tenants(8);
    for (std::size_t i = 0; i < 8; ++i)
        tenants[i].who =
            tenant_with("t" + std::to_string(i), [&](auto& l) { l.max_concurrent = i + 1; });
    std::atomic<int> left{0};
    std::atomic<std::size_t> total{0}, total_most{0};
    struct looping final : admission::guest {
        void begin()
        {
            if (places->enter(*this, worker))
                on_admitted();
        }
        void on_admitted() override
        {
            note(of->inside, of->most);
            note(*total, *total_most);
            asio::post(*io, [this] {
                asio::post(*io, [this] {
                    of->inside.fetch_sub(1);
                    total->fetch_sub(1);
                    places->leave(*this, worker);
                    if (++done < 200)
                        asio::post(*io, [this] { begin(); });
                    else
                        left->fetch_sub(1);
                });
            });
        }
        void on_refused(std::error_code, const std::string&) override { ADD_FAILURE(); }
        void of_tenant(watched& who)
        {
            of = &who;
            enroll(places->line().account_of(who.who));
        }
        static void note(std::atomic<std::size_t>& count, std::atomic<std::size_t>& most)
        {
            const auto now = count.fetch_add(1) + 1;
            auto seen = most.load();
            while (seen < now && !most.compare_exchange_weak(seen, now)) {
            }
        }
        std::shared_ptr<admission> places;
        asio::io_context* io = nullptr;
        std::size_t worker = 0;
        watched* of = nullptr;
        std::atomic<int>* left = nullptr;
        std::atomic<std::size_t>*total = nullptr, *total_most = nullptr;
        int done = 0;
    };
    std::deque<looping> all;
    for (std::size_t i = 0; i < 400; ++i) {
        looping& one = all.emplace_back();
        one.places = places;
        one.worker = i % 2;
        one.io = pointers[one.worker];
        one.left = &left;
        one.total = &total;
        one.total_most = &total_most;
        one.of_tenant(tenants[(i / 2) % 8]);
        ++left;
        asio::post(*one.io, [&one] { one.begin(); });
    }
    std::vector<std::thread> threads;
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
    for (auto* loop : pointers) {
        guards.push_back(asio::make_work_guard(*loop));
        threads.emplace_back([loop] { loop->run(); });
    }
    const auto deadline = steady_clock::now() + 300s;
    while (left > 0 && steady_clock::now() < deadline)
        std::this_thread::sleep_for(2ms);
    EXPECT_EQ(left, 0) << "somebody starved";
    guards.clear();
    for (auto* loop : pointers)
        loop->stop();
    for (auto& each : threads)
        each.join();
    for (std::size_t i = 0; i < 8; ++i)
        EXPECT_EQ(tenants[i].most, i + 1) << "tenant " << i;
    EXPECT_LE(total_most, 20u);
    EXPECT_EQ(places->inside(), 0u);
    places->stop();
    all.clear();
}

}  // namespace
}  // namespace sluice::pool
