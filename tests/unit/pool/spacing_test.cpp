// tests/unit/pool/spacing_test.cpp: a quiet tenant beside long statements of one length, in a
// simulated pool with a virtual clock.
#include "pool/dispatcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <queue>
#include <random>
#include <vector>

namespace sluice::pool {
namespace {

using namespace std::chrono_literals;
using time_point = steady_clock::time_point;

// Backends, clients that ask again about `pause` after each answer, and one line between them.
class simulated_pool {
public:
    struct kind {
        std::size_t clients = 0;
        cost pause{0};
        std::function<cost(std::mt19937_64&)> takes;
    };

    simulated_pool(std::vector<kind> kinds, std::size_t size)
        : kinds_(std::move(kinds)),
          free_(size),
          line_(std::make_shared<scheduler>(),
                1,
                {100'000, std::chrono::hours(1), size},
                [](std::size_t) {}),
          waits(kinds_.size())
    {
        for (std::size_t k = 0; k < kinds_.size(); ++k) {
            const auto account = line_.account_of(std::make_shared<tenant>(
                std::to_string(k), std::make_shared<const tenant_limits>()));
            for (std::size_t i = 0; i < kinds_[k].clients; ++i) {
                client& one = clients_.emplace_back();
                one.of = k;
                one.enroll_with(account);
                events_.push({now_, &one, false});
            }
        }
    }

    void run(cost time)
    {
        const auto until = now_ + time;
        while (now_ < until && !events_.empty()) {
            const auto due = line_.token_due();
            if (due < events_.top().at) {
                now_ = due;
                line_.release_tokens(now_);
            } else {
                const event next = events_.top();
                events_.pop();
                now_ = next.at;
                next.ends ? answer(*next.who) : ask(*next.who);
            }
            serve();
        }
    }

private:
    struct client final : candidate {
        void on_refused(std::error_code, const std::string&) override { ADD_FAILURE(); }
        void enroll_with(const account_ref& account) { enroll(account); }
        std::size_t of = 0;
        slot right;
        time_point asked;
    };
    struct event {
        time_point at;
        client* who;
        bool ends;
        bool operator<(const event& other) const { return at > other.at; }
    };

    void ask(client& who)
    {
        who.asked = now_;
        ASSERT_FALSE(line_.push(who, 0, now_));
    }
    void answer(client& who)
    {
        who.right.finish(now_);
        ++free_;
        const auto pause = kinds_[who.of].pause.count();
        const cost about(pause > 0 ? pause / 2 + static_cast<std::int64_t>(
                                                     random_() % static_cast<std::uint64_t>(pause))
                                   : 0);
        events_.push({now_ + about, &who, false});
    }
    void serve()
    {
        while (free_ > 0) {
            auto turn = line_.next(0, now_);
            if (!turn.who)
                return;
            auto& who = static_cast<client&>(*turn.who);
            who.right = std::move(turn.right);
            --free_;
            waits[who.of].push_back(now_ - who.asked);
            events_.push({now_ + kinds_[who.of].takes(random_), &who, true});
        }
    }

    std::vector<kind> kinds_;
    std::size_t free_;
    dispatcher line_;
    std::deque<client> clients_;
    std::priority_queue<event> events_;
    time_point now_ = steady_clock::now();
    std::mt19937_64 random_{1};

public:
    std::vector<std::vector<cost>> waits;

    cost percentile(std::size_t of, double share)
    {
        auto& all = waits[of];
        std::sort(all.begin(), all.end());
        return all[static_cast<std::size_t>(static_cast<double>(all.size() - 1) * share)];
    }
};

TEST(Spacing, AShortStatementWaitsForTheNextOfManyNotForALongOne)
{
    const auto noise = [](std::mt19937_64&) { return cost(20'100us); };
    const auto brief = [](std::mt19937_64&) { return cost(300us); };
    simulated_pool pool({{256, 0ms, noise}, {4, 20ms, brief}}, 8);
    pool.run(2s);
    for (auto& each : pool.waits)
        each.clear();
    pool.run(20s);
    // All together would be 20 ms; every 2.5 ms one becomes free, and four may want it.
    EXPECT_LE(pool.percentile(1, 0.99), 5ms);
    EXPECT_LE(pool.percentile(1, 0.5), 2ms);
    const double most = 20.0 / 0.0201 * 8;
    EXPECT_GT(static_cast<double>(pool.waits[0].size()), 0.98 * most);
}

TEST(Spacing, CostsLittleWhenLengthsDiffer)
{
    const auto noise = [](std::mt19937_64& random) {
        return cost(static_cast<std::int64_t>(std::exponential_distribution<>(1.0 / 20e6)(random)));
    };
    const auto brief = [](std::mt19937_64&) { return cost(300us); };
    simulated_pool spaced({{256, 0ms, noise}, {4, 20ms, brief}}, 8);
    spaced.run(20s);
    const double most = 20.0 / 0.020 * 8;
    EXPECT_GT(static_cast<double>(spaced.waits[0].size()), 0.95 * most);
    EXPECT_LE(spaced.percentile(1, 0.99), 15ms);
}

TEST(Spacing, IsNothingWhileAllAreLong)
{
    const auto noise = [](std::mt19937_64&) { return cost(20ms); };
    simulated_pool pool({{64, 0ms, noise}, {64, 0ms, noise}}, 8);
    pool.run(10s);
    const double most = 10.0 / 0.02 * 8;
    EXPECT_GT(static_cast<double>(pool.waits[0].size() + pool.waits[1].size()), 0.999 * most);
}

}  // namespace
}  // namespace sluice::pool
