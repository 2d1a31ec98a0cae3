// tests/bench/scheduling.cpp: what choosing who is next costs, in CPU, without sockets or servers.
//
// Usage: TENANTS WAITING. Prints {"free", "waiting"} as JSON: nanoseconds of a request that finds
// room, and of one that waits in line behind WAITING others of TENANTS tenants.
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "pool/dispatcher.hpp"

namespace {

using namespace sluice;
using namespace sluice::pool;

struct waiting_client final : candidate {
    void on_refused(std::error_code, const std::string&) override { std::abort(); }
    void of(const account_ref& account) { enroll(account); }
};

double cpu_seconds()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

int main(int count, char** words)
{
    if (count != 3)
        return 2;
    const auto tenants = static_cast<std::size_t>(std::atol(words[1]));
    const auto waiting = static_cast<std::size_t>(std::atol(words[2]));
    constexpr std::size_t backends = 8;
    constexpr int rounds = 1'000'000;
    dispatcher line(std::make_shared<scheduler>(),
                    2,
                    {waiting + backends, std::chrono::hours(24)},
                    [](std::size_t) {});
    std::vector<account_ref> accounts;
    for (std::size_t i = 0; i < tenants; ++i) {
        auto limits = std::make_shared<tenant_limits>();
        limits->max_concurrent = 1'000;
        limits->weight = static_cast<std::uint32_t>(1 + i % 4);
        accounts.push_back(
            line.account_of(std::make_shared<tenant>("t" + std::to_string(i), std::move(limits))));
    }
    double begun = cpu_seconds();
    for (int i = 0; i < rounds; ++i) {
        const auto now = steady_clock::now();
        slot right = line.try_start(*accounts[static_cast<std::size_t>(i) % tenants], now);
        right.finish(now);
    }
    const double free = (cpu_seconds() - begun) / rounds;

    std::deque<waiting_client> clients(waiting);
    auto now = steady_clock::now();
    for (std::size_t i = 0; i < waiting; ++i) {
        clients[i].of(accounts[i % tenants]);
        (void)line.push(clients[i], 0, now);
    }
    struct running {
        slot right;
        candidate* who = nullptr;
    };
    std::vector<running> busy(backends);
    begun = cpu_seconds();
    for (int i = 0; i < rounds; ++i) {
        now += std::chrono::microseconds(50);
        running& done = busy[static_cast<std::size_t>(i) % backends];
        if (done.who) {
            done.right.finish(now);
            (void)line.push(*done.who, 0, now);
        }
        if (line.whose_turn(0, now) != 0)
            return 1;
        auto next = line.next(0, now);
        done.right = std::move(next.right);
        done.who = next.who;
        // As its callers do once for each request.
        (void)steady_clock::now();
    }
    const double in_line = (cpu_seconds() - begun) / rounds;
    std::printf("{\"free\": %.1f, \"waiting\": %.1f}\n", free * 1e9, in_line * 1e9);
}
