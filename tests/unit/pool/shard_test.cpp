// tests/unit/pool/shard_test.cpp: leases, lines and permits of one worker.
#include "unit/pool/shard_fixture.hpp"

#include "proto/core/errc.hpp"

namespace sluice::pool {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

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
    const auto& book = clients[3].lease->book;
    const auto lifetime = [&book] { return book.expires - book.opened; };
    with.lifetime = minutes(100);
    pool->set_limits(with);
    turn();
    EXPECT_GT(lifetime(), minutes(89)) << "up to a tenth shorter";
    EXPECT_LE(lifetime(), minutes(100));
    home().give_back(*clients[3].lease);
    EXPECT_EQ(home().idle_count(), 1u);
    with.lifetime = milliseconds(1);
    pool->set_limits(with);
    turn();
    EXPECT_EQ(lifetime(), seconds(1)) << "a second is granted to every backend";
    home().sweep(book.opened + milliseconds(999));
    EXPECT_EQ(home().idle_count(), 1u);
    home().sweep(book.opened + seconds(1));
    EXPECT_EQ(home().idle_count(), 0u);
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

}  // namespace
}  // namespace sluice::pool
