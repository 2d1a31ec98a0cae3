// tests/unit/drivers_sqlite/inline_test.cpp: reads inside an event loop: which, and what they see.

#include "unit/drivers_sqlite/inline_fixture.hpp"

namespace sluice::sqlite {

TEST_F(InlineTest, PointReadsRunInsideTheLoop)
{
    open();
    auto a = connect();
    EXPECT_GOOD(a.run("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)"));
    EXPECT_GOOD(a.run("INSERT INTO t VALUES (1, 'one'), (2, 'two')"));
    EXPECT_EQ(now(a, "SELECT v FROM t WHERE id = ?1", {std::int64_t{2}}), "two");
    EXPECT_EQ(now(a, "SELECT v FROM t WHERE id = ?1", {std::int64_t{1}}), "one");
    EXPECT_EQ(database_->stats().inline_reads, 2u);
}

TEST_F(InlineTest, WhatMayTakeLongIsLeftToWorkersAndNothingIsKeptOfIt)
{
    open();
    auto a = connect();
    EXPECT_GOOD(a.run("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)"));
    EXPECT_GOOD(
        a.run("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5000) "
              "INSERT INTO t SELECT n, 'text' FROM c"));
    EXPECT_GOOD(a.run("CREATE VIRTUAL TABLE f USING fts5(x)"));
    for (const char* sql : {"SELECT v FROM t",                // too many steps
                            "SELECT v FROM t",                // known by now
                            "SELECT count(*) FROM t",         // the whole table in one step
                            "SELECT hex(zeroblob(1000000))",  // a costly function
                            "SELECT max(v) FROM t WHERE v LIKE '%x%'",
                            "SELECT x FROM f",                     // a virtual table
                            "SELECT value FROM json_each('[1]')",  // one that is a function
                            "SELECT * FROM pragma_integrity_check",
                            "PRAGMA integrity_check",
                            "INSERT INTO t VALUES (9999, 'n')",
                            "WITH x(n) AS (SELECT 9998) INSERT INTO t SELECT n, 'n' FROM x",
                            "SELECT v FROM nowhere",
                            "SELECT 1; SELECT 2"})
        EXPECT_EQ(now(a, sql), "worker") << sql;
    EXPECT_EQ(a.ask("SELECT count(*) FROM t"), "5000");
    EXPECT_EQ(database_->stats().inline_reads, 0u);
    EXPECT_EQ(now(a, "SELECT v FROM t WHERE id = 4999"), "text");
}

TEST_F(InlineTest, SeesWhatWasAcknowledgedAndNoOpenTransaction)
{
    open();
    auto a = connect();
    auto b = connect();
    EXPECT_GOOD(a.run("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER)"));
    EXPECT_GOOD(a.run("INSERT INTO t VALUES (1, 0)"));
    for (int i = 1; i <= 200; ++i) {
        EXPECT_GOOD(a.run("UPDATE t SET n = n + 1"));
        const auto seen = now(b, "SELECT n FROM t WHERE id = 1");
        EXPECT_EQ(seen == "worker" ? b.ask("SELECT n FROM t WHERE id = 1") : seen,
                  std::to_string(i));
    }
    EXPECT_GOOD(a.begin());
    EXPECT_EQ(now(a, "SELECT n FROM t WHERE id = 1"), "200");  // it has nothing of its own yet
    EXPECT_GOOD(a.run("UPDATE t SET n = -1"));
    EXPECT_EQ(now(a, "SELECT n FROM t WHERE id = 1"), "worker");  // its own writes are elsewhere
    EXPECT_EQ(a.ask("SELECT n FROM t WHERE id = 1"), "-1");
    EXPECT_EQ(now(b, "SELECT n FROM t WHERE id = 1"), "200");
    EXPECT_GOOD(a.rollback());
    EXPECT_GOOD(a.begin({.level = isolation::repeatable_read}));
    EXPECT_EQ(now(a, "SELECT n FROM t WHERE id = 1"), "worker");  // its snapshot is its own
    EXPECT_EQ(a.ask("SELECT n FROM t WHERE id = 1"), "200");
}

TEST_F(InlineTest, FollowsTheSchema)
{
    open();
    auto a = connect();
    EXPECT_GOOD(a.run("CREATE TABLE t(x INTEGER)"));
    EXPECT_GOOD(a.run("INSERT INTO t VALUES (7)"));
    EXPECT_EQ(now(a, "SELECT * FROM t"), "7");
    EXPECT_GOOD(a.run("ALTER TABLE t RENAME TO old"));
    EXPECT_EQ(now(a, "SELECT * FROM t"), "worker");
    EXPECT_GOOD(a.run("CREATE TABLE t(y TEXT, z TEXT)"));
    EXPECT_GOOD(a.run("INSERT INTO t VALUES ('new', 'er')"));
    EXPECT_EQ(now(a, "SELECT * FROM t"), "new");
    EXPECT_GOOD(a.run("DROP TABLE t"));
    EXPECT_GOOD(a.run("CREATE VIRTUAL TABLE t USING fts5(w)"));
    EXPECT_EQ(now(a, "SELECT w FROM t"), "worker");
}

}  // namespace sluice::sqlite
