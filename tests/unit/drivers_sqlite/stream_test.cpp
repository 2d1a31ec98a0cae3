// tests/unit/drivers_sqlite/stream_test.cpp: suspended results, cancelling, limits, closing.
#include "unit/drivers_sqlite/fixture.hpp"

#include <malloc.h>

namespace sluice::sqlite {
namespace {

const char* const endless =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c";
const char* const spinning =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c";

std::string up_to(int rows)
{
    return "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < " +
           std::to_string(rows) + ") SELECT n FROM c";
}

std::shared_ptr<rows_kept> pausing(std::int64_t every)
{
    auto sink = std::make_shared<rows_kept>();
    sink->pause_every = every;
    return sink;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Debian's GCC comes without <sanitizer/allocator_interface.h>.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

// What is allocated now. Resident memory would count what sanitizers keep of freed blocks.
std::size_t allocated_bytes()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return __sanitizer_get_current_allocated_bytes();
#else
    const auto now = mallinfo2();
    return now.uordblks + now.hblkhd;
#endif
}

TEST_F(SqliteTest, RowLimitsAndPausesSuspendAResult)
{
    open();
    auto c = connect();
    auto sink = pausing(4);
    auto done = c.run(up_to(10), {}, sink, 3);
    EXPECT_EQ(done.suspended, suspension::row_limit);
    EXPECT_EQ(done.rows, 3);
    const auto portal = done.portal;
    EXPECT_EQ(c.ask("SELECT 'between'"), "between");
    done = c.resume(portal);
    EXPECT_EQ(done.suspended, suspension::paused);
    EXPECT_EQ(done.rows, 1);
    EXPECT_EQ(c.resume(portal).rows, 4);
    done = c.resume(portal);
    EXPECT_EQ(done.suspended, suspension::none);
    EXPECT_EQ(done.rows, 2);
    EXPECT_EQ(sink->rows.back()[0], "10");
    EXPECT_EQ(state(c.resume(portal)), "34000");
    EXPECT_GOOD(c.close(portal));
}

TEST_F(SqliteTest, SuspendedResultsBlockNobody)
{
    with_.readers = 1;
    with_.queue_timeout = 10s;
    open();
    auto c = connect();
    c.run("CREATE TABLE t(n)");
    std::vector<std::unique_ptr<client>> slow;
    std::vector<portal_id> portals;
    for (int i = 0; i < 8; ++i) {
        slow.push_back(std::make_unique<client>(*database_, loop_));
        portals.push_back(slow.back()->run(endless, {}, pausing(2)).portal);
    }
    EXPECT_EQ(database_->stats().suspended, 8);
    for (int i = 0; i < 20; ++i) {
        EXPECT_GOOD(c.run("INSERT INTO t VALUES (1)"));
        EXPECT_EQ(c.ask("SELECT count(*) FROM t"), std::to_string(i + 1));
    }
    EXPECT_EQ(slow[3]->resume(portals[3]).rows, 2);
    EXPECT_GOOD(slow[3]->close(portals[3]));
    EXPECT_EQ(database_->stats().suspended, 7);
    slow.clear();
    EXPECT_TRUE(soon([&] { return database_->stats().suspended == 0; }));
}

TEST_F(SqliteTest, HandlesAreBoundedAndComeBack)
{
    with_.readers = 2;
    with_.max_handles = 3;
    with_.queue_timeout = 1s;
    open();
    std::vector<std::unique_ptr<client>> slow;
    for (int i = 0; i < 3; ++i) {
        slow.push_back(std::make_unique<client>(*database_, loop_));
        EXPECT_NE(slow.back()->run(endless, {}, pausing(1)).portal, 0u);
    }
    auto c = connect();
    EXPECT_EQ(c.state_of("SELECT 1"), "53400");
    slow.pop_back();
    EXPECT_EQ(c.ask("SELECT 1"), "1");
    EXPECT_LE(database_->stats().handles, 4);
}

TEST_F(SqliteTest, AResultThatNobodyFetchesIsClosed)
{
    with_.suspend_timeout = 100ms;
    open();
    auto c = connect();
    const auto done = c.run(endless, {}, pausing(1));
    EXPECT_TRUE(soon([&] { return database_->stats().suspended == 0; }));
    const auto late = c.resume(done.portal);
    EXPECT_EQ(state(late), "57014");
    EXPECT_NE(late.error->message.find("suspend_timeout"), std::string::npos);
    EXPECT_GOOD(c.close(done.portal));
}

TEST_F(SqliteTest, AWriteWhoseRowsNobodyFetchesIsUndone)
{
    with_.idle_transaction_timeout = 1s;
    open();
    auto a = connect();
    auto b = connect();
    a.run("CREATE TABLE t(n)");
    const auto done = a.run("INSERT INTO t VALUES (1), (2), (3) RETURNING n", {}, pausing(1));
    EXPECT_EQ(done.suspended, suspension::paused);
    EXPECT_GOOD(b.run("INSERT INTO t VALUES (4)"));
    EXPECT_EQ(state(a.resume(done.portal)), "57014");
    EXPECT_EQ(b.ask("SELECT group_concat(n) FROM t"), "4");
    const auto closed = a.run("INSERT INTO t VALUES (5), (6) RETURNING n", {}, nullptr, 1);
    EXPECT_GOOD(a.close(closed.portal));
    EXPECT_EQ(b.ask("SELECT group_concat(n) FROM t"), "4,5,6");
}

TEST_F(SqliteTest, MemoryStaysFlatHoweverLongTheResult)
{
    open();
    auto c = connect();
    auto sink = pausing(1000);
    sink->keep = false;
    const std::string sql =
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000) "
        "SELECT printf('%01000d', n) FROM c";
    auto done = c.run(sql, {}, sink);
    const auto before = allocated_bytes();
    while (done.suspended == suspension::paused)
        done = c.resume(done.portal);
    EXPECT_GOOD(done);
    EXPECT_EQ(sink->bytes, 100000u * 1000u);
    EXPECT_LT(allocated_bytes(), before + (16u << 20));
}

TEST_F(SqliteTest, CancelsWhatRunsAndWhatWaits)
{
    open();
    auto a = connect();
    auto b = connect();
    a.run("CREATE TABLE t(n)");
    auto running = a.start(spinning);
    std::this_thread::sleep_for(50ms);
    a.raw().cancel();
    EXPECT_EQ(state(client::take(std::move(running))), "57014");
    EXPECT_EQ(a.ask("SELECT 1"), "1") << "the next statement is not hit";

    EXPECT_GOOD(a.begin({.immediate = true}));
    auto waiting = b.start("INSERT INTO t VALUES (1)");
    std::this_thread::sleep_for(20ms);
    b.raw().cancel();
    EXPECT_EQ(state(client::take(std::move(waiting))), "57014");
    b.raw().cancel();
    EXPECT_GOOD(a.commit());
    EXPECT_GOOD(b.run("INSERT INTO t VALUES (2)"));
    EXPECT_EQ(b.ask("SELECT group_concat(n) FROM t"), "2");
}

TEST_F(SqliteTest, StatementTimeoutsEndReadsAndWrites)
{
    open();
    auto c = connect();
    c.run("CREATE TABLE t(n)");
    EXPECT_EQ(state(client::take(c.start(spinning, {}, nullptr, 0, 50ms))), "57014");
    const std::string write = "INSERT INTO t " + std::string(endless);
    const auto late = client::take(c.start(write, {}, nullptr, 0, 50ms));
    EXPECT_EQ(state(late), "57014");
    EXPECT_NE(late.error->message.find("timeout"), std::string::npos);
    EXPECT_EQ(c.ask("SELECT count(*) FROM t"), "0");
}

TEST_F(SqliteTest, TheQueueIsBounded)
{
    with_.max_queued = 2;
    open();
    auto holder = connect();
    EXPECT_GOOD(holder.run("CREATE TABLE t(n)"));
    EXPECT_GOOD(holder.begin({.immediate = true}));
    std::vector<std::unique_ptr<client>> clients;
    std::vector<std::future<outcome>> coming;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<client>(*database_, loop_));
        coming.push_back(clients.back()->start("INSERT INTO t VALUES (1)"));
    }
    EXPECT_EQ(state(client::take(std::move(coming[3]))), "53400");
    EXPECT_EQ(state(client::take(std::move(coming[2]))), "53400");
    EXPECT_GOOD(holder.commit());
    EXPECT_GOOD(client::take(std::move(coming[0])));
    EXPECT_GOOD(client::take(std::move(coming[1])));
}

TEST_F(SqliteTest, ClosingEndsEverythingAndLeavesNoLog)
{
    open();
    auto a = connect();
    auto b = connect();
    auto c = connect();
    auto d = connect();
    auto e = connect();
    EXPECT_GOOD(a.run("CREATE TABLE t(n)"));
    EXPECT_GOOD(a.begin());
    EXPECT_GOOD(a.run("INSERT INTO t VALUES (1)"));
    auto waiting = b.start("INSERT INTO t VALUES (2)");
    auto running = c.start(spinning);
    const auto suspended = d.run(endless, {}, pausing(1));
    EXPECT_GOOD(e.begin({.level = isolation::serializable}));
    EXPECT_EQ(e.ask("SELECT count(*) FROM t"), "0");
    std::this_thread::sleep_for(30ms);
    const auto began = std::chrono::steady_clock::now();
    database_->close(50ms);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
    EXPECT_EQ(state(client::take(std::move(waiting))), "57P01");
    EXPECT_EQ(state(client::take(std::move(running))), "57P01");
    EXPECT_NE(state(d.resume(suspended.portal)), "00000");
    EXPECT_NE(a.state_of("SELECT 1"), "00000");
    EXPECT_NE(e.state_of("SELECT 1"), "00000");
    EXPECT_EQ(b.state_of("SELECT 1"), "57P01");
    EXPECT_FALSE(std::filesystem::exists(with_.path + "-wal"));
    open();
    EXPECT_EQ(connect().ask("SELECT count(*) FROM t"), "0");
}

TEST_F(SqliteTest, SessionsMayEndWhileTheirStatementsRun)
{
    open();
    connect().run("CREATE TABLE t(n)");
    std::vector<std::future<outcome>> coming;
    for (int i = 0; i < 40; ++i) {
        auto c = connect();
        coming.push_back(i % 2 ? c.start(spinning) : c.start("INSERT INTO t VALUES (1)"));
    }
    for (auto& one : coming) {
        const auto done = client::take(std::move(one));
        EXPECT_TRUE(state(done) == "57014" || state(done) == "00000") << state(done);
    }
}

TEST_F(SqliteTest, TheLogIsCheckpointed)
{
    open();
    auto c = connect();
    c.run("CREATE TABLE t(b)");
    // The log begins anew after a while, instead of growing with all that is written.
    int frames = 0;
    EXPECT_TRUE(soon([&] {
        EXPECT_GOOD(c.run("INSERT INTO t VALUES (zeroblob(200000))"));
        const auto before = std::exchange(frames, database_->stats().wal_frames);
        return frames < before;
    }));
    EXPECT_GE(database_->stats().checkpoints, 1u);
    EXPECT_EQ(c.ask("PRAGMA integrity_check"), "ok");
}

}  // namespace
}  // namespace sluice::sqlite
