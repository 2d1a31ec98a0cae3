// tests/unit/gateway_translate/simple_test.cpp: the simple protocol on a SQLite file.
#include "unit/gateway_translate/fake_client.hpp"

namespace sluice::gateway {
namespace {

class Simple : public ::testing::Test {
protected:
    std::string ask(std::string_view text) { return show(client.query(text)); }

    scratch_database database;
    fake_client client{database.get()};
};

TEST_F(Simple, GreetsLikePostgreSQL)
{
    std::string names;
    for (const auto& each : client.greeting)
        if (each.type == 'S')
            names += each.body.substr(0, each.body.find('\0')) + " ";
    for (const auto* name : {"server_version",
                             "client_encoding",
                             "DateStyle",
                             "TimeZone",
                             "integer_datetimes",
                             "standard_conforming_strings"})
        EXPECT_NE(names.find(name), std::string::npos) << name;
    ASSERT_GE(client.greeting.size(), 2u);
    EXPECT_EQ(client.greeting[client.greeting.size() - 2].type, 'K');
    EXPECT_EQ(client.greeting.back().type, 'Z');
}

TEST_F(Simple, OneStatement)
{
    EXPECT_EQ(ask("SELECT 1 AS one, 'a' AS two"), "T(one:20,two:25) D(1,a) C(SELECT 1) Z(I)");
    EXPECT_EQ(ask("SELECT count(*) FROM sqlite_schema"), "T(count:20) D(0) C(SELECT 1) Z(I)");
    EXPECT_EQ(ask(""), "I Z(I)");
    EXPECT_EQ(ask(" ; -- nothing\n"), "I Z(I)");
}

TEST_F(Simple, TagsAndTypes)
{
    EXPECT_EQ(ask("CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(20), ok BOOLEAN, "
                  "price NUMERIC(10,2), at TIMESTAMP, raw BLOB, x REAL)"),
              "C(CREATE TABLE) Z(I)");
    EXPECT_EQ(ask("INSERT INTO t VALUES (1,'a',true,12.5,'2024-01-01T10:00:00',x'00ff',0.1),"
                  "(2,NULL,false,3,NULL,NULL,NULL)"),
              "C(INSERT 0 2) Z(I)");
    EXPECT_EQ(ask("SELECT * FROM t ORDER BY id"),
              "T(id:20,name:1043,ok:16,price:1700,at:1114,raw:17,x:701) "
              "D(1,a,t,12.50,2024-01-01 10:00:00,\\x00ff,0.1) D(2,NULL,f,3.00,NULL,NULL,NULL) "
              "C(SELECT 2) Z(I)");
    EXPECT_EQ(ask("UPDATE t SET name = 'b'"), "C(UPDATE 2) Z(I)");
    EXPECT_EQ(ask("DELETE FROM t WHERE id = 2 RETURNING id, name"),
              "T(id:20,name:1043) D(2,b) C(DELETE 1) Z(I)");
    EXPECT_EQ(ask("SELECT id FROM t WHERE id > 100"), "T(id:20) C(SELECT 0) Z(I)");
}

TEST_F(Simple, FirstRowDecidesWhereNothingElseDoes)
{
    EXPECT_EQ(ask("SELECT coalesce(NULL, 1.5) AS a, coalesce(1, 2) AS b, max('x') AS c"),
              "T(a:701,b:20,c:25) D(1.5,1,x) C(SELECT 1) Z(I)");
}

TEST_F(Simple, ColumnsAreNamedAsPostgreSQLDoes)
{
    ask("CREATE TABLE t (a INT, b TEXT)");
    const auto names = [this](std::string_view text) {
        const auto answer = ask(text);
        return answer.substr(0, answer.find(')') + 1);
    };
    EXPECT_EQ(names("SELECT version(), 1, 'x' || 'y', 1 = 1, max(a), t.a, b FROM t"),
              "T(version:25,?column?:20,?column?:25,?column?:16,max:25,a:20,b:25)");
    EXPECT_EQ(names("SELECT pg_catalog.version(), a::text, 1::int, CASE WHEN 1 THEN 2 END, "
                    "current_user, a AS \"B\", exists (SELECT 1) FROM t LIMIT 0"),
              "T(version:25,a:25,int:23,case:25,current_user:19,B:20,exists:16)");
}

TEST_F(Simple, ValueThatIsNotOfItsColumnsType)
{
    ask("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT)");
    ask("INSERT INTO t VALUES (1, 5), (7, 'abc')");
    const auto replies = client.query("SELECT id, n FROM t ORDER BY id");
    EXPECT_EQ(show(replies), "T(id:20,n:20) D(1,5) E(22P02) Z(I)");
    const auto& error = replies[2].body;
    EXPECT_NE(error.find("t.n"), std::string::npos) << error;
    EXPECT_NE(error.find("rowid 7"), std::string::npos) << error;
}

TEST_F(Simple, ErrorsHaveStateAndPosition)
{
    EXPECT_EQ(ask("SELEC 1"), "E(42601,@1) Z(I)");
    EXPECT_EQ(ask("SELECT * FROM missing").substr(0, 7), "E(42P01");
    ask("CREATE TABLE u (a INT UNIQUE)");
    EXPECT_EQ(ask("INSERT INTO u VALUES (1)"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(ask("INSERT INTO u VALUES (1)"), "E(23505) Z(I)");
    EXPECT_EQ(ask("SELECT 1; SELECT 'é', nope FROM u"),
              "T(?column?:20) D(1) C(SELECT 1) E(42703,@23) Z(I)");
}

TEST_F(Simple, SeveralStatementsAreOneTransaction)
{
    ask("CREATE TABLE t (a INT UNIQUE)");
    EXPECT_EQ(ask("INSERT INTO t VALUES (1); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)"),
              "C(INSERT 0 1) E(23505) Z(I)");
    EXPECT_EQ(ask("SELECT count(*) AS n FROM t"), "T(n:20) D(0) C(SELECT 1) Z(I)");
    EXPECT_EQ(ask("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)"),
              "C(INSERT 0 1) C(INSERT 0 1) Z(I)");
    EXPECT_EQ(ask("INSERT INTO t VALUES (3); BEGIN; INSERT INTO t VALUES (4)"),
              "C(INSERT 0 1) C(BEGIN) C(INSERT 0 1) Z(T)");
    EXPECT_EQ(ask("ROLLBACK; SELECT count(*) AS n FROM t"),
              "C(ROLLBACK) T(n:20) D(2) C(SELECT 1) Z(I)");
}

TEST_F(Simple, FailedTransactionsStayFailed)
{
    ask("CREATE TABLE t (a INT)");
    EXPECT_EQ(ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(ask("INSERT INTO t VALUES (1)"), "C(INSERT 0 1) Z(T)");
    EXPECT_EQ(ask("SELECT nope").substr(0, 8), "E(42703,");
    EXPECT_EQ(ask("SELECT 1"), "E(25P02) Z(E)");
    EXPECT_EQ(ask("COMMIT"), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(ask("SELECT count(*) AS n FROM t"), "T(n:20) D(0) C(SELECT 1) Z(I)");
    EXPECT_EQ(ask("COMMIT"), "N(25P01) C(COMMIT) Z(I)");
    EXPECT_EQ(ask("BEGIN; BEGIN"), "C(BEGIN) N(25001) C(BEGIN) Z(T)");
    EXPECT_EQ(ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
}

TEST_F(Simple, SavepointsUndoAPart)
{
    ask("CREATE TABLE t (a INT UNIQUE)");
    EXPECT_EQ(ask("SAVEPOINT a"), "E(25P01) Z(I)");
    ask("BEGIN");
    ask("INSERT INTO t VALUES (1)");
    EXPECT_EQ(ask("SAVEPOINT A"), "C(SAVEPOINT) Z(T)");
    EXPECT_EQ(ask("INSERT INTO t VALUES (1)"), "E(23505) Z(E)");
    EXPECT_EQ(ask("ROLLBACK TO SAVEPOINT a"), "C(ROLLBACK) Z(T)");
    EXPECT_EQ(ask("INSERT INTO t VALUES (2)"), "C(INSERT 0 1) Z(T)");
    EXPECT_EQ(ask("RELEASE a"), "C(RELEASE) Z(T)");
    EXPECT_EQ(ask("RELEASE a"), "E(3B001) Z(E)");
    EXPECT_EQ(ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
    ask("BEGIN; INSERT INTO t VALUES (5); SAVEPOINT s; INSERT INTO t VALUES (6); ROLLBACK TO s");
    EXPECT_EQ(ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(ask("SELECT a FROM t"), "T(a:20) D(5) C(SELECT 1) Z(I)");
}

TEST_F(Simple, ReadOnlyTransactions)
{
    ask("CREATE TABLE t (a INT)");
    ask("BEGIN READ ONLY");
    EXPECT_EQ(ask("INSERT INTO t VALUES (1)"), "E(25006) Z(E)");
    ask("ROLLBACK");
    EXPECT_EQ(ask("BEGIN ISOLATION LEVEL SERIALIZABLE; SHOW transaction_isolation"),
              "C(BEGIN) T(transaction_isolation:25) D(serializable) C(SHOW) Z(T)");
    ask("ROLLBACK");
}

TEST_F(Simple, SettingsAreKept)
{
    EXPECT_EQ(ask("SET application_name = 'x'; SHOW application_name"),
              "C(SET) T(application_name:25) D(x) C(SHOW) S Z(I)");
    EXPECT_EQ(ask("SHOW TimeZone"), "T(TimeZone:25) D(UTC) C(SHOW) Z(I)");
    EXPECT_EQ(ask("SET client_encoding TO 'latin1'"), "E(0A000) Z(I)");
    EXPECT_EQ(ask("SHOW nothing_like_it"), "E(42704) Z(I)");
    EXPECT_EQ(ask("BEGIN; SET extra_float_digits = 3; ROLLBACK; SHOW extra_float_digits"),
              "C(BEGIN) C(SET) C(ROLLBACK) T(extra_float_digits:25) D(1) C(SHOW) Z(I)");
    EXPECT_EQ(ask("SET statement_timeout = 'soon'"), "E(22023) Z(I)");
}

TEST_F(Simple, WhatDriversSayWhenTheyConnect)
{
    for (const std::string_view text :
         {"SET extra_float_digits = 3",
          "SET application_name = 'PostgreSQL JDBC Driver'",
          "SET TIME ZONE 'UTC'",
          "select pg_catalog.version()",
          "select current_schema()",
          "show transaction isolation level",
          "show standard_conforming_strings",
          "SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;",
          "DISCARD ALL",
          "DEALLOCATE ALL",
          "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
          "SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid "
          "WHERE typname = 'hstore'",
          "select b.oid, b.typarray from pg_catalog.pg_type a left join pg_catalog.pg_type b on "
          "b.oid = a.typelem where a.typcategory = 'A' group by b.oid, b.typarray order by "
          "b.oid"}) {
        const auto answer = ask(text);
        EXPECT_EQ(answer.find("E("), std::string::npos) << text << " -> " << answer;
        EXPECT_TRUE(answer.ends_with("Z(I)")) << answer;
    }
    EXPECT_EQ(ask("SELECT oid FROM pg_catalog.pg_type WHERE typname = 'jsonb'").substr(0, 20),
              "T(oid:26) D(3802) C(");
}

TEST_F(Simple, RefusalsSayWhy)
{
    EXPECT_EQ(ask("LISTEN x"), "E(0A000) Z(I)");
    EXPECT_EQ(ask("LOCK TABLE t"), "E(0A000) Z(I)");
    EXPECT_EQ(ask("DECLARE c CURSOR FOR SELECT 1"), "E(25P01) Z(I)");
    EXPECT_EQ(ask("BEGIN ISOLATION"), "E(42601,@16) Z(I)");
}

TEST_F(Simple, StatementTimeout)
{
    EXPECT_EQ(ask("SET statement_timeout = 50"), "C(SET) Z(I)");
    EXPECT_EQ(ask("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) "
                  "SELECT count(*) AS n FROM c"),
              "E(57014) Z(I)");
    EXPECT_EQ(ask("SELECT 1 AS a"), "T(a:20) D(1) C(SELECT 1) Z(I)");
}

TEST_F(Simple, CancelHitsTheRunningStatementOnly)
{
    pg::message_writer(client.pending, 'Q')
        .cstring(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) "
            "SELECT count(*) FROM c");
    client.deliver();
    client.io().run_for(std::chrono::milliseconds(30));
    bool cancelled = false;
    client.lane().on_cancel([&] { cancelled = true; });
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(show(client.talk()), "E(57014) Z(I)");
    client.lane().on_cancel([] {});
    EXPECT_EQ(ask("SELECT 1 AS a"), "T(a:20) D(1) C(SELECT 1) Z(I)");
}

}  // namespace
}  // namespace sluice::gateway
