// tests/unit/pool/shards_test.cpp: the shards of several workers, on real threads.
#include "unit/pool/shard_fixture.hpp"

#include <asio/executor_work_guard.hpp>

#include <thread>

namespace sluice::pool {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::minutes;

// Several workers, real threads: permits are exact, nobody starves, a backend has one user.
TEST(shards, LimitsAreExactAcrossWorkersAndNobodyStarves)
{
    constexpr int workers = 3;
    constexpr int clients_each = 20;
    constexpr int rounds = 300;
    backends_alive_most = 0;
    std::vector<std::unique_ptr<asio::io_context>> loops;
    std::vector<asio::io_context*> pointers;
    for (int i = 0; i < workers; ++i) {
        loops.push_back(std::make_unique<asio::io_context>(1));
        pointers.push_back(loops.back().get());
    }
    limits with;
    with.size = 4;
    with.queue_timeout = minutes(10);
    auto pool = shared_pool::create("test", with, std::make_unique<memory_opener>(), pointers);

    std::atomic<int> left{workers * clients_each};
    std::atomic<bool> shared_use{false};
    struct looping final : waiter {
        void begin()
        {
            if (backend* now = home->acquire(*this))
                on_backend(*now);
        }
        void on_backend(backend& granted) override
        {
            auto& used = static_cast<memory_backend&>(granted);
            if (used.users.fetch_add(1) != 0)
                *shared_use = true;
            asio::post(home->io(), [this, &used] {
                used.users.fetch_sub(1);
                home->give_back(used);
                if (++done < rounds)
                    asio::post(home->io(), [this] { begin(); });
                else
                    left->fetch_sub(1);
            });
        }
        void on_refused(std::error_code, const std::string&) override { *shared_use = true; }
        shard* home = nullptr;
        std::atomic<int>* left = nullptr;
        std::atomic<bool>* shared_use = nullptr;
        int done = 0;
    };
    std::deque<looping> all;
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
    std::vector<std::thread> threads;
    for (std::size_t w = 0; w < workers; ++w) {
        guards.push_back(asio::make_work_guard(*pointers[w]));
        for (int c = 0; c < clients_each; ++c) {
            looping& one = all.emplace_back();
            one.home = &pool->at(w);
            one.left = &left;
            one.shared_use = &shared_use;
            asio::post(*pointers[w], [&one] { one.begin(); });
        }
    }
    for (auto* loop : pointers)
        threads.emplace_back([loop] { loop->run(); });
    const auto deadline = steady_clock::now() + minutes(5);
    while (left > 0 && steady_clock::now() < deadline)
        std::this_thread::sleep_for(milliseconds(5));
    EXPECT_EQ(left, 0) << "somebody starved";
    EXPECT_FALSE(shared_use) << "a backend had two users, or a client was refused";
    EXPECT_LE(backends_alive_most, 4);
    EXPECT_EQ(pool->waiting(), 0u);
    pool->close();
    std::this_thread::sleep_for(milliseconds(50));
    guards.clear();
    for (auto* loop : pointers)
        asio::post(*loop, [loop] { loop->stop(); });
    for (auto& thread : threads)
        thread.join();
    pool.reset();
    loops.clear();
    EXPECT_EQ(backends_alive, 0);
}

}  // namespace
}  // namespace sluice::pool
