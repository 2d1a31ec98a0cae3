// Leases, lines and permits, over one worker and over several threads, with backends that exist
// only in memory.
#include "pool/shard.hpp"

#include "proto/core/errc.hpp"

#include <gtest/gtest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <deque>
#include <future>
#include <thread>

namespace sluice::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::atomic<int> backends_alive{0};
std::atomic<int> backends_alive_most{0};

class memory_backend final : public backend {
public:
    explicit memory_backend(shard*& home) : home_(home)
    {
        const int alive = ++backends_alive;
        int most = backends_alive_most.load();
        while (alive > most && !backends_alive_most.compare_exchange_weak(most, alive)) {
        }
    }
    ~memory_backend() override { --backends_alive; }
    void depart() override { ++moves; }
    void arrive(std::size_t worker) override { at = worker; }
    void probe() override { ++probes; }

    std::size_t at = 0;
    int moves = 0;
    int probes = 0;
    std::atomic<int> users{0};

private:
    shard*& home_;
};

// Answers in the next turn of the shard's loop, or when told.
class memory_opener final : public opener {
public:
    void open(shard& target) override
    {
        ++asked;
        if (refuse) {
            asio::post(target.io(),
                       [keep = target.pool(), &target] { target.open_failed("no route"); });
            return;
        }
        if (hold)
            return;
        asio::post(target.io(), [this, keep = target.pool(), &target] {
            auto made = std::make_unique<memory_backend>(unused_);
            made->arrive(target.worker());
            target.opened(std::move(made));
        });
    }
    std::atomic<int> asked{0};
    std::atomic<bool> refuse{false};
    std::atomic<bool> hold{false};

private:
    shard* unused_ = nullptr;
};

struct client final : waiter {
    void on_backend(backend& granted) override
    {
        lease = &granted;
        order.push_back(number);
    }
    void on_refused(std::error_code code, const std::string& why) override
    {
        refused = code;
        cause = why;
    }
    bool on_offer(backend& shared, slot& right) override
    {
        if (!sharing)
            return false;
        joined = &shared;
        order.push_back(number);
        right.finish(steady_clock::now());
        return true;
    }
    bool holds_back() const override { return sharing && full; }
    client(int n, std::vector<int>& o) : number(n), order(o) {}
    static inline bool full = false;  // what is shared is enough
    bool sharing = false;
    backend* joined = nullptr;
    int number;
    std::vector<int>& order;
    backend* lease = nullptr;
    std::error_code refused;
    std::string cause;
};

class shard_test : public testing::Test {
protected:
    void make(limits with)
    {
        auto source = std::make_unique<memory_opener>();
        opening = source.get();
        pool = shared_pool::create("test", with, std::move(source), {&io});
    }
    void turn()
    {
        io.restart();
        io.poll();
    }
    shard& home() { return pool->at(0); }
    client& ask(bool sharing = false)
    {
        clients.emplace_back(static_cast<int>(clients.size()), order);
        client& one = clients.back();
        one.sharing = sharing;
        one.lease = home().acquire(one);
        return one;
    }
    void TearDown() override
    {
        client::full = false;
        clients.clear();
        if (pool)
            pool->close();
        turn();
        pool.reset();
        turn();
        EXPECT_EQ(backends_alive, 0);
    }

    asio::io_context io{1};
    std::shared_ptr<shared_pool> pool;
    memory_opener* opening = nullptr;
    std::vector<int> order;
    std::deque<client> clients;
};

TEST_F(shard_test, OpensNoMoreThanItsSizeAndServesInOrder)
{
    limits with;
    with.size = 2;
    make(with);
    for (int i = 0; i < 5; ++i)
        ask();
    turn();
    EXPECT_EQ(opening->asked, 2);
    EXPECT_EQ(order, (std::vector{0, 1}));
    home().give_back(*clients[0].lease);
    home().give_back(*clients[1].lease);
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
    EXPECT_EQ(clients[2].lease, clients[0].lease) << "handed over directly";
    EXPECT_EQ(home().waiting(), 1u);
    for (int i = 2; i < 4; ++i)
        home().give_back(*clients[static_cast<std::size_t>(i)].lease);
    EXPECT_EQ(order.back(), 4);
    home().give_back(*clients[4].lease);
    EXPECT_EQ(home().idle_count(), 2u);
    EXPECT_EQ(pool->open(), 2u);
}

TEST_F(shard_test, AnIdleBackendIsThereAtOnce)
{
    limits with;
    make(with);
    home().give_back(*(ask(), turn(), clients[0].lease));
    EXPECT_NE(ask().lease, nullptr);
    EXPECT_FALSE(clients[1].queued());
    home().give_back(*clients[1].lease);
}

TEST_F(shard_test, WhoHoldsBackWaitsForAnOfferThoughABackendIsIdle)
{
    limits with;
    with.size = 3;
    make(with);
    ask();
    ask();
    turn();
    home().give_back(*clients[1].lease);
    client::full = true;
    ask(true);
    ask(true);
    client& alone = ask();
    turn();
    EXPECT_EQ(home().waiting(), 3u) << "nobody is overtaken, either";
    EXPECT_EQ(home().idle_count(), 1u);
    EXPECT_EQ(opening->asked, 2) << "more backends would be idle, too";
    home().offer(*clients[0].lease, 8);
    EXPECT_EQ(clients[2].joined, clients[0].lease);
    EXPECT_EQ(clients[3].joined, clients[0].lease);
    turn();
    EXPECT_NE(alone.lease, nullptr) << "who would not share has the idle one then";
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
    home().give_back(*clients[0].lease);
    home().give_back(*alone.lease);
}

TEST_F(shard_test, WhoHeldBackGetsABackendWhenThereIsRoomForOneMore)
{
    limits with;
    with.size = 1;
    make(with);
    ask();
    turn();
    client::full = true;
    client& held = ask(true);
    home().give_back(*clients[0].lease);
    turn();
    EXPECT_EQ(held.lease, nullptr);
    EXPECT_EQ(home().idle_count(), 1u);
    client::full = false;
    home().post_fill();
    turn();
    EXPECT_EQ(held.lease, clients[0].lease);
    home().give_back(*held.lease);
}

TEST_F(shard_test, AFullLineRefusesAtOnce)
{
    limits with;
    with.size = 1;
    with.max_queued = 2;
    make(with);
    for (int i = 0; i < 3; ++i)
        ask();
    EXPECT_EQ(clients[2].refused, errc::pool_queue_full);
    turn();
    home().give_back(*clients[0].lease);
    home().give_back(*clients[1].lease);
}

TEST_F(shard_test, AWaiterThatLeavesIsPassedOver)
{
    limits with;
    with.size = 1;
    make(with);
    for (int i = 0; i < 3; ++i)
        ask();
    turn();
    home().leave(clients[1]);
    EXPECT_EQ(pool->waiting(), 1u);
    home().give_back(*clients[0].lease);
    EXPECT_EQ(order, (std::vector{0, 2}));
    home().give_back(*clients[2].lease);
}

TEST_F(shard_test, WaitingEndsAfterQueueTimeout)
{
    limits with;
    with.size = 1;
    with.queue_timeout = minutes(100);
    make(with);
    ask();
    turn();
    ask();
    home().sweep(steady_clock::now() + minutes(50));
    EXPECT_FALSE(clients[1].refused);
    home().sweep(steady_clock::now() + minutes(150));
    EXPECT_EQ(clients[1].refused, errc::pool_timeout);
    EXPECT_EQ(pool->waiting(), 0u);
    home().give_back(*clients[0].lease);
}

TEST_F(shard_test, ADatabaseThatIsDownIsSaidWithTheCauseAfterConnectTimeout)
{
    limits with;
    with.connect_timeout = seconds(10);
    make(with);
    opening->refuse = true;
    ask();
    turn();
    EXPECT_EQ(pool->open(), 0u) << "the permit came back";
    home().sweep(steady_clock::now() + seconds(2));
    EXPECT_FALSE(clients[0].refused);
    home().sweep(steady_clock::now() + seconds(15));
    EXPECT_EQ(clients[0].refused, errc::connect_failed);
    EXPECT_EQ(clients[0].cause, "no route");
    turn();
}

TEST_F(shard_test, ItRecoversByItselfWhenTheDatabaseIsBack)
{
    limits with;
    make(with);
    opening->refuse = true;
    const auto early = steady_clock::now();
    ask();
    turn();
    const int before = opening->asked;
    home().sweep(early);
    EXPECT_EQ(opening->asked, before) << "not before the pause is over";
    opening->refuse = false;
    home().sweep(steady_clock::now() + milliseconds(60));
    turn();
    ASSERT_NE(clients[0].lease, nullptr);
    home().give_back(*clients[0].lease);
}

TEST_F(shard_test, ADiscardedBackendIsReplacedForWhoWaits)
{
    limits with;
    with.size = 1;
    make(with);
    ask();
    turn();
    ask();
    home().discard(*clients[0].lease);
    turn();
    turn();
    EXPECT_EQ(opening->asked, 2);
    ASSERT_NE(clients[1].lease, nullptr);
    home().give_back(*clients[1].lease);
}

TEST_F(shard_test, ABackendThatIdledLongIsProbedBeforeUse)
{
    limits with;
    with.probe_after = milliseconds(0);
    make(with);
    home().give_back(*(ask(), turn(), clients[0].lease));
    auto& probed = static_cast<memory_backend&>(*clients[0].lease);
    EXPECT_EQ(ask().lease, nullptr);
    EXPECT_EQ(probed.probes, 1);
    home().give_back(probed);
    EXPECT_EQ(clients[1].lease, &probed);
    EXPECT_EQ(opening->asked, 1) << "no second backend for the same request";
    home().give_back(probed);
}

TEST_F(shard_test, IdleBackendsCloseDownToMin)
{
    limits with;
    with.min = 1;
    with.idle_timeout = minutes(10);
    make(with);
    for (int i = 0; i < 3; ++i)
        ask();
    turn();
    for (auto& each : clients)
        home().give_back(*each.lease);
    home().sweep(steady_clock::now() + minutes(5));
    EXPECT_EQ(home().idle_count(), 3u);
    for (int i = 0; i < 3; ++i) {
        home().sweep(steady_clock::now() + minutes(15));
        turn();
    }
    EXPECT_EQ(home().idle_count(), 1u);
}

TEST_F(shard_test, MinIsKeptOpenOnceThePoolIsInUse)
{
    limits with;
    with.min = 3;
    make(with);
    home().give_back(*(ask(), turn(), clients[0].lease));
    home().sweep(steady_clock::now());
    turn();
    EXPECT_EQ(home().idle_count(), 3u);
}

TEST_F(shard_test, OldBackendsAreClosed)
{
    limits with;
    with.lifetime = std::chrono::hours(1);
    with.idle_timeout = std::chrono::hours(9);
    make(with);
    home().give_back(*(ask(), turn(), clients[0].lease));
    home().sweep(steady_clock::now() + minutes(50));
    EXPECT_EQ(home().idle_count(), 1u);
    home().sweep(steady_clock::now() + minutes(61));
    turn();
    EXPECT_EQ(pool->open(), 0u);
}

TEST_F(shard_test, APausedPoolComesToRestAndGoesOnWithEverybodyWhoWaited)
{
    limits with;
    with.size = 2;
    make(with);
    ask();
    turn();
    client& working = clients[0];
    ask();
    turn();
    home().give_back(*clients[1].lease);
    pool->pause();
    EXPECT_EQ(ask().lease, nullptr);
    turn();
    EXPECT_EQ(home().idle_count(), 0u) << "idle backends are closed";
    EXPECT_EQ(pool->open(), 1u);
    home().give_back(*working.lease);
    turn();
    EXPECT_EQ(pool->open(), 0u);
    home().sweep(steady_clock::now());
    turn();
    EXPECT_EQ(clients[2].lease, nullptr);
    EXPECT_EQ(pool->open(), 0u) << "nothing is opened meanwhile";
    pool->resume();
    turn();
    ASSERT_NE(clients[2].lease, nullptr);
    EXPECT_FALSE(clients[2].refused);
}

TEST_F(shard_test, APauseThatEndsAtOnceLeavesNobodyWaiting)
{
    limits with;
    with.size = 2;
    make(with);
    home().give_back(*(ask(), turn(), clients[0].lease));
    pool->pause();
    ask();
    pool->resume();
    turn();
    EXPECT_NE(clients[1].lease, nullptr);
}

TEST_F(shard_test, PausingDoesNotStopTheQueueTimeout)
{
    limits with;
    with.queue_timeout = milliseconds(50);
    make(with);
    pool->pause();
    ask();
    home().sweep(steady_clock::now() + milliseconds(60));
    EXPECT_EQ(clients[0].refused, errc::pool_timeout);
}

TEST_F(shard_test, AfterAReconnectEveryBackendIsAnother)
{
    limits with;
    with.size = 3;
    make(with);
    ask();
    turn();
    ask();
    turn();
    home().give_back(*clients[1].lease);
    EXPECT_EQ(pool->outdated(), 0u);
    pool->reconnect();
    EXPECT_EQ(pool->outdated(), 2u);
    turn();
    EXPECT_EQ(pool->outdated(), 1u) << "the one in use is left";
    EXPECT_EQ(ask().lease, nullptr);
    turn();
    ASSERT_NE(clients[2].lease, nullptr) << "a new one";
    home().give_back(*clients[0].lease);
    turn();
    EXPECT_EQ(pool->outdated(), 0u);
    EXPECT_EQ(pool->open(), 1u);
    home().give_back(*clients[2].lease);
    EXPECT_EQ(home().idle_count(), 1u) << "the new one stays";
}

// Several workers, real threads: permits are exact, nobody starves, a backend has one user.
TEST_F(shard_test, LimitsChangeUnderItsClients)
{
    limits with;
    with.size = 1;
    make(with);
    for (int i = 0; i < 4; ++i)
        ask();
    turn();
    EXPECT_EQ(order, (std::vector{0}));
    with.size = 3;
    pool->set_limits(with);
    turn();
    EXPECT_EQ(order, (std::vector{0, 1, 2})) << "who waits gets the room";
    EXPECT_EQ(pool->limits().size, 3u);
    with.size = 1;
    pool->set_limits(with);
    turn();
    EXPECT_EQ(pool->open(), 3u) << "nobody loses what it uses";
    home().give_back(*clients[0].lease);
    home().give_back(*clients[1].lease);
    turn();
    EXPECT_EQ(pool->open(), 1u);
    EXPECT_EQ(home().waiting(), 1u);
    home().give_back(*clients[2].lease);
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3})) << "the last one goes on";
    with.lifetime = milliseconds(1);
    pool->set_limits(with);
    turn();
    home().give_back(*clients[3].lease);
    turn();
    EXPECT_EQ(home().idle_count(), 1u) << "a second is granted to every backend";
}

TEST_F(shard_test, SizeIsFoundFromANewStartWhenItsBoundsChange)
{
    limits with;
    with.size = 20;
    make(with);
    EXPECT_FALSE(pool->finds_its_size());
    EXPECT_EQ(pool->in_flight_limit(), 20u);
    with.find_size = true;
    with.size = 40;
    pool->set_limits(with);
    EXPECT_TRUE(pool->finds_its_size());
    EXPECT_LE(pool->in_flight_limit(), 40u);
    pool->sample(milliseconds(1), steady_clock::now());
    with.find_size = false;
    with.size = 3;
    pool->set_limits(with);
    EXPECT_FALSE(pool->finds_its_size());
    EXPECT_EQ(pool->in_flight_limit(), 3u);
    pool->sample(milliseconds(1), steady_clock::now());  // of a statement that began before
    EXPECT_EQ(pool->in_flight_limit(), 3u);
}

TEST_F(shard_test, TheQueueGetsOtherBounds)
{
    limits with;
    with.size = 1;
    with.max_queued = 1;
    make(with);
    ask();
    turn();
    ask();
    ask();
    EXPECT_EQ(home().waiting(), 1u) << "the third is refused";
    with.max_queued = 3;
    pool->set_limits(with);
    turn();
    ask();
    ask();
    turn();
    EXPECT_EQ(home().waiting(), 3u);
}

TEST_F(shard_test, AShrunkPoolClosesIdleBackendsAndNoMoreThanThose)
{
    limits with;
    with.size = 5;
    make(with);
    for (int i = 0; i < 5; ++i)
        ask();
    turn();
    for (auto& each : clients)
        home().give_back(*each.lease);
    EXPECT_EQ(home().idle_count(), 5u);
    with.size = 2;
    pool->set_limits(with);
    turn();
    home().sweep(steady_clock::now());
    turn();
    EXPECT_EQ(home().idle_count(), 2u);
    EXPECT_EQ(pool->open(), 2u);
}

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
