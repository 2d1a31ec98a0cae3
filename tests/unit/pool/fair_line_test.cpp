// tests/unit/pool/fair_line_test.cpp: shares, order and bounds under a virtual clock.
#include "pool/fair_line.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <random>

namespace sluice::pool {
namespace {

using namespace std::chrono_literals;
using time_point = steady_clock::time_point;

struct request : place {
    std::size_t tenant = 0;
    std::uint64_t number = 0;
};

// Seconds of this thread: what else the machine does costs none.
double thread_cpu()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Tenants that always have something waiting, some servers, one line.
class simulation {
public:
    struct profile {
        std::uint32_t weight = 1;
        std::function<cost(std::mt19937_64&)> takes;
        std::size_t clients = 8;
        service of = service::normal;
    };

    simulation(std::vector<profile> tenants, std::size_t servers)
        : profiles_(std::move(tenants)), servers_(servers)
    {
        for (std::size_t i = 0; i < profiles_.size(); ++i) {
            shares_.push_back(std::make_unique<fair_share>(time_, lines_));
            shares_.back()->set_weight(profiles_[i].weight);
            shares_.back()->set_class(profiles_[i].of);
            used.push_back(cost::zero());
            served.push_back(0);
            last_.push_back(0);
            longest.push_back(cost::zero());
            for (std::size_t k = 0; k < profiles_[i].clients; ++k)
                ask(i);
        }
    }

    void run(cost until)
    {
        while (now_ - time_point{} < until) {
            while (busy_.size() < servers_ && start()) {
            }
            ASSERT_FALSE(busy_.empty());
            const running done = busy_.top();
            busy_.pop();
            now_ = done.ends;
            shares_[done.tenant]->settle(done.charged, done.takes);
            used[done.tenant] += done.takes;
            ask(done.tenant);
        }
    }

    std::vector<cost> used;
    std::vector<std::uint64_t> served;
    std::vector<cost> longest;  // wait
    bool overtaken = false;

private:
    struct running {
        time_point ends;
        std::size_t tenant;
        cost charged;
        cost takes;
        bool operator<(const running& other) const { return ends > other.ends; }
    };

    void ask(std::size_t tenant)
    {
        auto& fresh = requests_.emplace_back();
        fresh.tenant = tenant;
        fresh.number = ++asked_;
        line_.push(shares_[tenant]->queue(0), fresh, now_);
    }

    bool start()
    {
        fair_queue* next = line_.best(now_);
        if (!next)
            return false;
        auto& first = static_cast<request&>(*next->first());
        const auto i = first.tenant;
        overtaken = overtaken || first.number < last_[i];
        last_[i] = first.number;
        longest[i] = std::max<cost>(longest[i], now_ - first.since());
        line_.served(*next, now_);
        line_.remove(first);
        ++served[i];
        const cost takes = profiles_[i].takes(random_);
        busy_.push({now_ + takes, i, shares_[i]->precharge(), takes});
        return true;
    }

    std::vector<profile> profiles_;
    const std::size_t servers_;
    fair_time time_;
    fair_line line_;
    std::vector<fair_line*> lines_{&line_};
    std::vector<std::unique_ptr<fair_share>> shares_;
    std::deque<request> requests_;
    std::priority_queue<running> busy_;
    std::vector<std::uint64_t> last_;
    std::uint64_t asked_ = 0;
    time_point now_{};
    std::mt19937_64 random_{1};
};

auto always(cost takes)
{
    return [takes](std::mt19937_64&) { return takes; };
}

auto spread(cost least, cost most)
{
    return [=](std::mt19937_64& random) {
        return cost(
            std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random));
    };
}

// One in fifty takes a hundred times as long.
auto bursty(cost usual)
{
    return [=](std::mt19937_64& random) { return random() % 50 == 0 ? usual * 100 : usual; };
}

void expect_shares(const simulation& ran, const std::vector<double>& weights)
{
    double all = 0, weight = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        all += static_cast<double>(ran.used[i].count());
        weight += weights[i];
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double share = static_cast<double>(ran.used[i].count()) / all;
        EXPECT_NEAR(share / (weights[i] / weight), 1.0, 0.01) << "tenant " << i;
    }
}

TEST(FairLine, SharesFollowTheWeightsWhateverStatementsCost)
{
    for (const std::size_t servers : {1u, 4u, 8u}) {
        simulation equal({{1, always(20ms)}, {1, always(200us)}, {1, always(3ms)}}, servers);
        equal.run(60s);
        expect_shares(equal, {1, 1, 1});

        simulation weighted(
            {{1, spread(1ms, 40ms), 16}, {2, bursty(500us), 16}, {4, always(5ms), 16}}, servers);
        weighted.run(200s);
        expect_shares(weighted, {1, 2, 4});
        EXPECT_FALSE(weighted.overtaken);
    }
}

TEST(FairLine, SharesHoldForRandomMixes)
{
    std::mt19937_64 random(7);
    for (int round = 0; round < 20; ++round) {
        std::vector<simulation::profile> tenants;
        std::vector<double> weights;
        const std::size_t count = 2 + random() % 9;
        for (std::size_t i = 0; i < count; ++i) {
            const auto weight = static_cast<std::uint32_t>(1 + random() % 10);
            const cost usual(50'000 + static_cast<std::int64_t>(random() % 20'000'000));
            tenants.push_back({weight, spread(usual / 2, usual * 2), 40});
            weights.push_back(weight);
        }
        simulation ran(std::move(tenants), 1 + random() % 4);
        ran.run(300s);
        expect_shares(ran, weights);
        EXPECT_FALSE(ran.overtaken);
    }
}

TEST(FairLine, AQuietTenantWaitsForNoMoreThanTheStatementsThatRun)
{
    // 256 clients that ask for 20 ms each, and one that asks for 1 ms.
    simulation ran({{1, always(20ms), 256}, {1, always(1ms), 1}}, 8);
    ran.run(30s);
    EXPECT_LE(ran.longest[1], 20ms);
    EXPECT_GT(ran.longest[0], 300ms);
}

TEST(FairLine, LowerClassesAreServedLessButNeverStarve)
{
    simulation ran({{1, always(5ms), 64, service::high},
                    {1, always(5ms), 4, service::normal},
                    {1, always(5ms), 4, service::low}},
                   2);
    ran.run(20s);
    EXPECT_GT(ran.served[0], 10 * ran.served[1]);
    // Each class is due every tenth of a second.
    EXPECT_GE(ran.served[1], 180u);
    EXPECT_GE(ran.served[2], 180u);
    EXPECT_LE(ran.longest[2], 600ms);
}

TEST(FairLine, NobodySavesUpWhileIdle)
{
    fair_time time;
    fair_line line;
    const std::vector<fair_line*> lines{&line};
    fair_share busy(time, lines), late(time, lines);
    std::deque<request> requests;
    time_point now{};
    const auto push = [&](fair_share& who) {
        line.push(who.queue(0), requests.emplace_back(), now);
    };
    const auto serve = [&] {
        fair_queue* next = line.best(now);
        fair_share& who = next == &busy.queue(0) ? busy : late;
        line.served(*next, now);
        line.remove(*next->first());
        const auto charged = who.precharge();
        now += 10ms;
        who.settle(charged, 10ms);
        return &who;
    };
    for (int i = 0; i < 100; ++i) {
        push(busy);
        serve();
    }
    for (int i = 0; i < 20; ++i) {
        push(busy);
        push(late);
    }
    int of_late = 0;
    for (int i = 0; i < 20; ++i)
        of_late += serve() == &late;
    EXPECT_NEAR(of_late, 10, 1);
}

TEST(FairLine, WhoIsBlockedIsPassedByAndComesBackWithoutCredit)
{
    fair_time time;
    fair_line line;
    const std::vector<fair_line*> lines{&line};
    fair_share limited(time, lines), other(time, lines);
    request a, b, c;
    line.push(limited.queue(0), a, time_point{});
    line.push(other.queue(0), b, time_point{});
    limited.unlist();
    EXPECT_EQ(line.ready(), 1u);
    EXPECT_EQ(line.best(time_point{}), &other.queue(0));
    line.push(limited.queue(0), c, time_point{});
    EXPECT_EQ(line.ready(), 1u);
    line.remove(b);
    EXPECT_EQ(line.best(time_point{}), nullptr);
    limited.list();
    EXPECT_EQ(line.ready(), 2u);
    ASSERT_EQ(line.best(time_point{}), &limited.queue(0));
    EXPECT_EQ(limited.queue(0).first(), &a);
    line.remove(c);
    line.remove(a);
    EXPECT_EQ(line.ready(), 0u);
}

// Anything in any order: what is in the line is what was put there, in the order of each account.
TEST(FairLine, RandomOperationsKeepItsBooks)
{
    std::mt19937_64 random(3);
    fair_time time;
    fair_line first_line, second_line;
    const std::vector<fair_line*> lines{&first_line, &second_line};
    std::vector<std::unique_ptr<fair_share>> shares;
    for (int i = 0; i < 12; ++i) {
        shares.push_back(std::make_unique<fair_share>(time, lines));
        shares.back()->set_weight(static_cast<std::uint32_t>(1 + random() % 5));
    }
    std::deque<request> all(400);
    std::vector<std::size_t> free;
    std::map<fair_queue*, std::deque<request*>> expected;
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].tenant = i;  // here: where it is in `all`
        free.push_back(i);
    }
    time_point now{};
    for (int step = 0; step < 50'000; ++step) {
        now += std::chrono::microseconds(random() % 1000);
        const auto who = random() % shares.size();
        fair_share& share = *shares[who];
        const auto at = random() % 2;
        fair_queue& queue = share.queue(at);
        switch (random() % 8) {
            case 0:
            case 1:
            case 2:
                if (!free.empty()) {
                    request& fresh = all[free.back()];
                    free.pop_back();
                    lines[at]->push(queue, fresh, now);
                    expected[&queue].push_back(&fresh);
                }
                break;
            case 3:
            case 4:
                if (fair_queue* next = lines[at]->best(now)) {
                    auto& mine = expected[next];
                    ASSERT_EQ(next->first(), mine.front());
                    lines[at]->served(*next, now);
                    lines[at]->remove(*mine.front());
                    free.push_back(mine.front()->tenant);
                    mine.pop_front();
                }
                break;
            case 5:
                if (auto& mine = expected[&queue]; !mine.empty()) {
                    const auto k = static_cast<std::ptrdiff_t>(random() % mine.size());
                    lines[at]->remove(*mine[static_cast<std::size_t>(k)]);
                    free.push_back(mine[static_cast<std::size_t>(k)]->tenant);
                    mine.erase(mine.begin() + k);
                }
                break;
            case 6:
                share.settle(share.precharge(), cost(random() % 10'000'000));
                break;
            default:
                if (random() % 3 == 0)
                    share.set_class(static_cast<service>(random() % service_count));
                else if (share.blocked())
                    share.list();
                else
                    share.unlist();
        }
        std::array<std::size_t, 2> ready{};
        for (auto& each : shares) {
            std::size_t waiting = 0;
            for (std::size_t l = 0; l < 2; ++l) {
                const auto size = expected[&each->queue(l)].size();
                ASSERT_EQ(each->queue(l).size(), size);
                ASSERT_EQ(each->queue(l).listed(), size > 0 && !each->blocked());
                waiting += size;
                ready[l] += each->blocked() ? 0 : size;
            }
            ASSERT_EQ(each->waiting(), waiting);
        }
        ASSERT_EQ(first_line.ready(), ready[0]);
        ASSERT_EQ(second_line.ready(), ready[1]);
    }
}

// Decisions per second with 16 and with 16,384 tenants: a logarithm apart, not a factor of 1000.
TEST(FairLine, ADecisionTakesLogarithmicTime)
{
    const auto per_decision = [](std::size_t count) {
        fair_time time;
        fair_line line;
        const std::vector<fair_line*> lines{&line};
        std::deque<fair_share> shares;
        std::deque<request> requests(count);
        std::mt19937_64 random(5);
        for (std::size_t i = 0; i < count; ++i) {
            shares.emplace_back(time, lines);
            requests[i].tenant = i;
            line.push(shares[i].queue(0), requests[i], time_point{});
        }
        constexpr int decisions = 100'000;
        const auto begun = thread_cpu();
        for (int i = 0; i < decisions; ++i) {
            fair_queue* next = line.best(time_point{});
            auto& first = static_cast<request&>(*next->first());
            line.remove(first);
            auto& share = shares[first.tenant];
            share.settle(share.precharge(), cost(1000 + random() % 1000));
            line.push(share.queue(0), first, time_point{});
        }
        return (thread_cpu() - begun) / decisions;
    };
    const auto best_of_three = [&](std::size_t count) {
        return std::min({per_decision(count), per_decision(count), per_decision(count)});
    };
    const double few = best_of_three(16);
    EXPECT_LT(best_of_three(16'384), few * 40);
}

}  // namespace
}  // namespace sluice::pool
