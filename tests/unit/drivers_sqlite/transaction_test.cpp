// tests/unit/drivers_sqlite/transaction_test.cpp: lazy BEGIN, the writer's lease, isolation.
#include "unit/drivers_sqlite/fixture.hpp"

namespace sluice::sqlite {
namespace {

transaction_options at(isolation level)
{
    return {.level = level};
}

TEST_F(SqliteTest, AnIdleTransactionThatReadBlocksNoWriter)
{
    with_.queue_timeout = 10s;
    open();
    auto reader = connect();
    auto writer = connect();
    EXPECT_GOOD(writer.run("CREATE TABLE t(n)"));
    EXPECT_GOOD(reader.begin());
    EXPECT_EQ(reader.ask("SELECT count(*) FROM t"), "0");
    EXPECT_GOOD(writer.run("INSERT INTO t VALUES (1)"));
    EXPECT_EQ(reader.ask("SELECT count(*) FROM t"), "1") << "READ COMMITTED: a fresh snapshot";
    EXPECT_EQ(reader.raw().status(), transaction_status::open);
    EXPECT_GOOD(reader.commit());
    EXPECT_EQ(reader.raw().status(), transaction_status::none);
    EXPECT_EQ(database_->stats().transactions, 0u);
}

TEST_F(SqliteTest, ATransactionSeesItsOwnWritesAndOthersDoNot)
{
    open();
    auto a = connect();
    auto b = connect();
    a.run("CREATE TABLE t(n)");
    EXPECT_GOOD(a.begin());
    EXPECT_GOOD(a.run("INSERT INTO t VALUES (1)"));
    EXPECT_EQ(a.ask("SELECT count(*) FROM t"), "1");
    EXPECT_EQ(b.ask("SELECT count(*) FROM t"), "0");
    auto waiting = b.start("INSERT INTO t VALUES (2)");
    EXPECT_EQ(waiting.wait_for(100ms), std::future_status::timeout);
    EXPECT_GOOD(a.run("CREATE TABLE u(x)"));
    EXPECT_EQ(a.describe("SELECT x FROM u").statement->columns.size(), 1u);
    EXPECT_GOOD(a.rollback());
    EXPECT_GOOD(client::take(std::move(waiting)));
    EXPECT_EQ(a.ask("SELECT group_concat(n) FROM t"), "2");
    EXPECT_EQ(a.state_of("SELECT * FROM u"), "42P01");
}

TEST_F(SqliteTest, SavepointsBeforeTheFirstWriteAreReplayed)
{
    open();
    auto c = connect();
    c.run("CREATE TABLE t(n)");
    EXPECT_EQ(state(c.savepoint("x")), "25P01");
    EXPECT_GOOD(c.begin());
    EXPECT_GOOD(c.savepoint("a"));
    EXPECT_GOOD(c.savepoint("dropped"));
    EXPECT_GOOD(c.release("dropped"));
    EXPECT_EQ(state(c.release("dropped")), "3B001");
    EXPECT_GOOD(c.run("INSERT INTO t VALUES (1)"));
    EXPECT_GOOD(c.savepoint("a"));
    EXPECT_GOOD(c.run("INSERT INTO t VALUES (2)"));
    EXPECT_GOOD(c.rollback_to("a"));
    EXPECT_EQ(c.ask("SELECT group_concat(n) FROM t"), "1");
    EXPECT_GOOD(c.release("a"));
    EXPECT_GOOD(c.rollback_to("a"));
    EXPECT_EQ(c.ask("SELECT count(*) FROM t"), "0");
    EXPECT_GOOD(c.run("INSERT INTO t VALUES (3)"));
    EXPECT_GOOD(c.commit());
    EXPECT_EQ(c.ask("SELECT group_concat(n) FROM t"), "3");
}

TEST_F(SqliteTest, RepeatableReadKeepsItsSnapshotAndConflicts)
{
    open();
    auto a = connect();
    auto b = connect();
    a.run("CREATE TABLE t(n)");
    EXPECT_GOOD(a.begin(at(isolation::repeatable_read)));
    EXPECT_EQ(a.ask("SELECT count(*) FROM t"), "0");
    EXPECT_GOOD(b.run("INSERT INTO t VALUES (1)"));
    EXPECT_EQ(a.ask("SELECT count(*) FROM t"), "0");
    EXPECT_EQ(a.state_of("INSERT INTO t VALUES (2)"), "40001");
    EXPECT_GOOD(b.run("INSERT INTO t VALUES (3)")) << "the failed upgrade holds nothing";
    EXPECT_GOOD(a.rollback());

    EXPECT_GOOD(a.begin(at(isolation::serializable)));
    EXPECT_EQ(a.ask("SELECT count(*) FROM t"), "2");
    EXPECT_GOOD(a.savepoint("s"));
    EXPECT_GOOD(a.run("WITH x AS (SELECT 4 AS n) INSERT INTO t SELECT n FROM x"));
    EXPECT_GOOD(a.rollback_to("s"));
    EXPECT_GOOD(a.run("INSERT INTO t VALUES (5)"));
    EXPECT_EQ(b.ask("SELECT count(*) FROM t"), "2");
    EXPECT_GOOD(a.commit());
    EXPECT_EQ(b.ask("SELECT group_concat(n) FROM t"), "1,3,5");
    EXPECT_GOOD(b.run("INSERT INTO t VALUES (6)"));
}

TEST_F(SqliteTest, ReadOnlyTransactionsRefuseWrites)
{
    open();
    auto c = connect();
    c.run("CREATE TABLE t(n)");
    for (const auto level : {isolation::read_committed, isolation::serializable}) {
        EXPECT_GOOD(c.begin({.level = level, .read_only = true}));
        EXPECT_EQ(c.ask("SELECT count(*) FROM t"), "0");
        EXPECT_EQ(c.state_of("INSERT INTO t VALUES (1)"), "25006");
        EXPECT_GOOD(c.rollback());
    }
}

TEST_F(SqliteTest, AWaitForTheWriterEnds)
{
    with_.queue_timeout = 1s;
    open();
    auto a = connect();
    auto b = connect();
    a.run("CREATE TABLE t(n)");
    EXPECT_GOOD(a.begin({.immediate = true}));
    const auto late = b.run("INSERT INTO t VALUES (1)");
    EXPECT_EQ(state(late), "55P03");
    EXPECT_EQ(state(b.begin({.immediate = true})), "55P03");
    EXPECT_EQ(b.raw().status(), transaction_status::none);
    EXPECT_EQ(b.ask("SELECT count(*) FROM t"), "0") << "reading goes on";
    EXPECT_GOOD(a.commit());
    EXPECT_GOOD(b.run("INSERT INTO t VALUES (1)"));
}

TEST_F(SqliteTest, AnIdleHolderLosesTheWriter)
{
    with_.idle_transaction_timeout = 150ms;
    open();
    auto a = connect();
    auto b = connect();
    a.run("CREATE TABLE t(n)");
    EXPECT_GOOD(a.begin());
    EXPECT_GOOD(a.run("INSERT INTO t VALUES (1)"));
    EXPECT_GOOD(b.run("INSERT INTO t VALUES (2)"));
    EXPECT_EQ(a.raw().status(), transaction_status::lost);
    EXPECT_EQ(a.state_of("INSERT INTO t VALUES (3)"), "25P03");
    EXPECT_EQ(state(a.commit()), "25P03");
    EXPECT_GOOD(a.rollback());
    EXPECT_EQ(a.ask("SELECT group_concat(n) FROM t"), "2");
}

TEST_F(SqliteTest, AnErrorLeavesTheTransactionARollbackByTheEngineEndsIt)
{
    open();
    auto a = connect();
    auto b = connect();
    a.run("CREATE TABLE t(n UNIQUE)");
    EXPECT_GOOD(a.begin());
    EXPECT_GOOD(a.run("INSERT INTO t VALUES (1)"));
    EXPECT_EQ(a.state_of("INSERT INTO t VALUES (1)"), "23505");
    EXPECT_EQ(a.raw().status(), transaction_status::open);
    const auto lost = a.run("INSERT OR ROLLBACK INTO t VALUES (1)");
    EXPECT_EQ(state(lost), "23505");
    EXPECT_EQ(lost.transaction, transaction_status::lost);
    EXPECT_GOOD(b.run("INSERT INTO t VALUES (2)")) << "the lease is free";
    EXPECT_EQ(a.state_of("SELECT 1"), "25P02");
    EXPECT_GOOD(a.rollback());
    EXPECT_EQ(a.ask("SELECT group_concat(n) FROM t"), "2");
}

TEST_F(SqliteTest, ADeferredForeignKeyFailsTheCommit)
{
    open();
    auto c = connect();
    c.run("CREATE TABLE p(id INTEGER PRIMARY KEY)");
    c.run("CREATE TABLE t(f REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
    EXPECT_GOOD(c.begin());
    EXPECT_GOOD(c.run("INSERT INTO t VALUES (1)"));
    EXPECT_EQ(state(c.commit()), "23503");
    EXPECT_EQ(c.raw().status(), transaction_status::none);
    EXPECT_EQ(c.ask("SELECT count(*) FROM t"), "0");
    EXPECT_GOOD(c.run("INSERT INTO p VALUES (1)"));
}

TEST_F(SqliteTest, ACountersSumIsExact)
{
    open();
    auto first = connect();
    first.run("CREATE TABLE c(n)");
    first.run("INSERT INTO c VALUES (0)");
    std::vector<std::unique_ptr<client>> clients;
    for (int i = 0; i < 64; ++i)
        clients.push_back(std::make_unique<client>(*database_, loop_));
    for (int round = 0; round < 10; ++round) {
        std::vector<std::future<outcome>> coming;
        for (auto& c : clients)
            coming.push_back(c->start("UPDATE c SET n = n + 1"));
        for (auto& one : coming)
            EXPECT_GOOD(client::take(std::move(one)));
    }
    EXPECT_EQ(first.ask("SELECT n FROM c"), "640");
}

TEST_F(SqliteTest, ConcurrentTransactionsOfManyThreads)
{
    open();
    auto first = connect();
    first.run("CREATE TABLE c(id INTEGER PRIMARY KEY, n)");
    first.run("INSERT INTO c VALUES (1, 1000), (2, 1000)");
    std::atomic<int> conflicts{0};
    const auto work = [&](int seed) {
        client c(*database_, loop_);
        for (int i = 0; i < 30; ++i) {
            const bool repeatable = (i + seed) % 3 == 0;
            c.begin(at(repeatable ? isolation::repeatable_read : isolation::read_committed));
            c.ask("SELECT sum(n) FROM c");
            const auto taken = c.run("UPDATE c SET n = n - 1 WHERE id = 1");
            if (taken.error) {
                EXPECT_EQ(taken.error->sqlstate, "40001");
                ++conflicts;
                c.rollback();
                continue;
            }
            EXPECT_GOOD(c.run("UPDATE c SET n = n + 1 WHERE id = 2"));
            EXPECT_EQ(c.ask("SELECT sum(n) FROM c"), "2000");
            EXPECT_GOOD(i % 5 == 0 ? c.rollback() : c.commit());
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i)
        threads.emplace_back(work, i);
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(first.ask("SELECT sum(n) FROM c"), "2000");
}

TEST_F(SqliteTest, AClientReadsWhatItWrote)
{
    with_.readers = 4;
    open();
    auto first = connect();
    first.run("CREATE TABLE t(k, n)");
    const auto work = [&](std::int64_t key) {
        client c(*database_, loop_);
        for (int i = 1; i <= 50; ++i) {
            EXPECT_GOOD(c.run("INSERT INTO t VALUES ($1, 0)", {key}));
            EXPECT_EQ(c.ask("SELECT count(*) FROM t WHERE k = $1", {key}), std::to_string(i));
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back(work, i);
    for (auto& thread : threads)
        thread.join();
}

TEST_F(SqliteTest, AClosedSessionIsRolledBack)
{
    open();
    auto b = connect();
    b.run("CREATE TABLE t(n)");
    {
        auto a = connect();
        EXPECT_GOOD(a.begin());
        EXPECT_GOOD(a.run("INSERT INTO t VALUES (1)"));
        auto r = connect();
        EXPECT_GOOD(r.begin(at(isolation::repeatable_read)));
        EXPECT_EQ(r.ask("SELECT count(*) FROM t"), "0");
    }
    EXPECT_GOOD(b.run("INSERT INTO t VALUES (2)"));
    EXPECT_EQ(b.ask("SELECT group_concat(n) FROM t"), "2");
}

TEST_F(SqliteTest, OldSnapshotsEndWhenTheLogOutgrowsItsBound)
{
    with_.checkpoint_frames = 10;
    with_.log_frames_max = 40;
    open();
    auto writer = connect();
    EXPECT_GOOD(writer.run("CREATE TABLE t(pad)"));
    EXPECT_GOOD(writer.run("INSERT INTO t SELECT zeroblob(100) FROM (VALUES (1), (2), (3))"));
    auto repeatable = connect();
    EXPECT_GOOD(repeatable.begin(at(isolation::repeatable_read)));
    EXPECT_EQ(repeatable.ask("SELECT count(*) FROM t"), "3");
    auto slow = connect();
    auto kept = std::make_shared<rows_kept>();
    const auto part = slow.run("SELECT pad FROM t", {}, kept, 1);
    ASSERT_EQ(part.suspended, suspension::row_limit);
    auto busy = connect();
    auto running = busy.start(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT count(*) FROM n, t");
    std::string state;
    const auto until = std::chrono::steady_clock::now() + 60s;
    // Writers go on meanwhile; short reads do, too.
    while (running.wait_for(0ms) != std::future_status::ready &&
           std::chrono::steady_clock::now() < until) {
        EXPECT_GOOD(writer.run("INSERT INTO t VALUES (zeroblob(10000))"));
        EXPECT_NE(writer.ask("SELECT count(*) FROM t"), "0");
    }
    const auto ended = busy.take(std::move(running));
    ASSERT_TRUE(ended.error);
    EXPECT_EQ(ended.error->sqlstate, "72000");
    for (state = "00000"; state == "00000" && std::chrono::steady_clock::now() < until;) {
        state = repeatable.state_of("SELECT count(*) FROM t");
        std::this_thread::sleep_for(20ms);
    }
    EXPECT_EQ(state, "72000");
    const auto rest = slow.resume(part.portal);
    ASSERT_TRUE(rest.error);
    EXPECT_EQ(rest.error->sqlstate, "72000");
    // Nobody is in the way any more: the log is copied and begins anew.
    EXPECT_GOOD(repeatable.rollback());
    EXPECT_TRUE(soon([&] {
        EXPECT_GOOD(writer.run("INSERT INTO t VALUES (zeroblob(10))"));
        return database_->stats().wal_frames < 40;
    }));
    EXPECT_GOOD(slow.run("SELECT count(*) FROM t"));
}

}  // namespace
}  // namespace sluice::sqlite
