// A paused SQLite database's gate, and what averages are reckoned from.
#include "gateway/admin/gate.hpp"

#include <gtest/gtest.h>

#include "gateway/admin/stats_history.hpp"

namespace sluice::gateway::admin {
namespace {

TEST(Gate, CountsWhoIsInside)
{
    gate way(2);
    way.enter(0);
    way.enter(1);
    way.close();
    EXPECT_EQ(way.inside(), 2u);
    way.leave(0);
    way.leave(1);
    EXPECT_EQ(way.inside(), 0u);
}

TEST(Gate, OpeningWakesWhoWaitsOnceAndForgetsWhoLeft)
{
    asio::io_context io;
    gate way(1);
    way.close();
    int woken = 0;
    int gone = 0;
    way.wait(&woken, io, [&] { ++woken; });
    way.wait(&gone, io, [&] { ++gone; });
    EXPECT_EQ(way.waiting(), 2u);
    way.forget(&gone);
    io.poll();
    EXPECT_EQ(woken, 0);
    way.open();
    io.restart();
    io.poll();
    EXPECT_EQ(woken, 1);
    EXPECT_EQ(gone, 0);
    EXPECT_EQ(way.waiting(), 0u);
    // Too late to wait: at once.
    way.wait(&woken, io, [&] { ++woken; });
    io.restart();
    io.poll();
    EXPECT_EQ(woken, 2);
}

TEST(StatsHistory, AveragesAreOfAboutAMinute)
{
    using std::chrono::seconds;
    stats_history before;
    const auto start = stats_history::clock::now();
    const auto ask = [&](int at) {
        return before.before(start + seconds(at), std::make_shared<stats_history::totals>());
    };
    EXPECT_EQ(ask(1).of, nullptr) << "since the start";
    EXPECT_EQ(ask(30).of, nullptr);
    const auto later = ask(95);
    ASSERT_NE(later.of, nullptr);
    EXPECT_EQ(later.at, start + seconds(30));
    // Somebody who looks all the time does not push the minute out.
    for (int i = 100; i < 400; ++i)
        ask(i);
    const auto age = start + seconds(400) - ask(400).at;
    EXPECT_GE(age, seconds(55));
    EXPECT_LE(age, seconds(75));
}

}  // namespace
}  // namespace sluice::gateway::admin
