// tests/unit/gateway_translate/extended_test.cpp: the extended protocol on a SQLite file.
#include "unit/gateway_translate/fake_client.hpp"

namespace sluice::gateway {
namespace {

class Extended : public ::testing::Test {
protected:
    Extended()
    {
        client.query(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, ok BOOLEAN, "
            "price NUMERIC(10,2), day DATE)");
        client.query(
            "INSERT INTO t VALUES (1,'a',1,1.5,'2024-01-01'),(2,'b',0,2,NULL),"
            "(3,'c',1,NULL,NULL)");
    }
    std::string sync(int count = 1)
    {
        client.bare('S');
        return show(client.talk(count));
    }

    scratch_database database;
    fake_client client{database.get()};
};

TEST_F(Extended, UnnamedStatementAndPortal)
{
    client.parse("", "SELECT name FROM t WHERE id = $1");
    client.bind("", "", {"2"});
    client.named('D', 'P', "");
    client.execute("");
    EXPECT_EQ(sync(), "1 2 T(name:25) D(b) C(SELECT 1) Z(I)");
}

TEST_F(Extended, DescribeStatementInfersParameters)
{
    client.parse("s", "INSERT INTO t (id, name, ok, price, day) VALUES ($1, $2, $3, $4, $5)");
    client.named('D', 'S', "s");
    EXPECT_EQ(sync(), "1 t(20,25,16,1700,1082) n Z(I)");
    client.parse("", "SELECT id, ok FROM t WHERE day >= $2 AND id = $1 LIMIT $3");
    client.named('D', 'S', "");
    EXPECT_EQ(sync(), "1 t(20,1082,20) T(id:20,ok:16) Z(I)");
    client.parse(
        "", "SELECT id FROM t WHERE id = ANY($1) AND id IN (SELECT id FROM t WHERE name = $2)");
    client.named('D', 'S', "");
    EXPECT_EQ(sync(), "1 t(1016,25) T(id:20) Z(I)");
    client.parse("", "SELECT $1::int + $2::bigint AS sum, $3::text AS t", {0, 0, 0});
    client.named('D', 'S', "");
    EXPECT_EQ(sync(), "1 t(23,20,25) T(sum:25,t:25) Z(I)");
}

TEST_F(Extended, HexLiteralsAreBytesInByteaColumns)
{
    client.query("CREATE TABLE b (id INTEGER PRIMARY KEY, d BYTEA, note TEXT)");
    client.query("INSERT INTO b VALUES (1, '\\x00ff', '\\x00ff')");
    client.query("INSERT INTO b (d, id) VALUES ('\\x', 2), ('\\xA1', 3)");
    client.query("UPDATE b SET note = '\\xA1', d = '\\xa1' WHERE d = '\\x'");
    const std::string all = "SELECT id, typeof(d), d, note FROM b WHERE d IN ('\\x00ff', '\\xA1') ";
    const std::string rows =
        "D(1,blob,\\x00ff,\\x00ff) D(2,blob,\\xa1,\\xA1) D(3,blob,\\xa1,NULL) C(SELECT 3) Z(I)";
    EXPECT_EQ(show(client.query(all)), "T(id:20,typeof:25,d:17,note:25) " + rows);
    client.parse("", all + "AND id < $1");
    client.bind("", "", {"9"});
    client.execute("");
    EXPECT_EQ(sync(), "1 2 " + rows);
    // Not hex, or not where a column says so: as it is.
    EXPECT_EQ(show(client.query("SELECT '\\x41' AS t, id FROM b WHERE note = '\\x00ff'")),
              "T(t:25,id:20) D(\\x41,1) C(SELECT 1) Z(I)");
    // The text is the same, the table is not.
    client.query("DROP TABLE b; CREATE TABLE b (id INTEGER PRIMARY KEY, d TEXT, note TEXT)");
    client.query("INSERT INTO b VALUES (1, '\\x00ff', '\\x00ff')");
    client.parse("", all + "AND id < $1");
    client.bind("", "", {"9"});
    client.execute("");
    EXPECT_EQ(sync(), "1 2 D(1,text,\\x00ff,\\x00ff) C(SELECT 1) Z(I)");
}

TEST_F(Extended, NumericShowsItsScale)
{
    EXPECT_EQ(show(client.query("SELECT price FROM t WHERE id < 3")),
              "T(price:1700) D(1.50) D(2.00) C(SELECT 2) Z(I)");
}

TEST_F(Extended, BinaryBothWays)
{
    client.parse("", "SELECT id, price, ok, day FROM t WHERE id = $1", {20});
    pg::message_writer(client.pending, 'B')
        .bytes(as_bytes(std::string_view("\0\0\0\1\0\1\0\1\0\0\0\10\0\0\0\0\0\0\0\1\0\1\0\1", 24)));
    client.execute("");
    client.bare('S');
    const auto replies = client.talk();
    ASSERT_EQ(replies.size(), 5u) << show(replies);
    EXPECT_EQ(replies[2].body,
              std::string("\0\4"
                          "\0\0\0\10\0\0\0\0\0\0\0\1"
                          "\0\0\0\14\0\2\0\0\0\0\0\2\0\1\23\210"
                          "\0\0\0\1\1"
                          "\0\0\0\4\0\0\42\76",
                          43));
}

TEST_F(Extended, RowLimitsSuspend)
{
    client.query("BEGIN");
    client.parse("", "SELECT id FROM t ORDER BY id");
    client.bind("c", "");
    client.execute("c", 2);
    EXPECT_EQ(sync(), "1 2 D(1) D(2) s Z(T)");
    client.execute("c", 2);
    EXPECT_EQ(sync(), "D(3) C(SELECT 3) Z(T)");
    client.named('C', 'P', "c");
    client.execute("c", 2);
    EXPECT_EQ(sync(), "3 E(34000) Z(E)");
    client.query("ROLLBACK");
}

TEST_F(Extended, PortalsEndWithTheirTransaction)
{
    client.parse("", "SELECT id FROM t ORDER BY id");
    client.bind("c", "");
    client.execute("c", 1);
    EXPECT_EQ(sync(), "1 2 D(1) s Z(I)");
    client.execute("c", 1);
    EXPECT_EQ(sync(), "E(34000) Z(I)");
}

TEST_F(Extended, ErrorsSkipToSync)
{
    client.parse("", "SELECT 1 AS a");
    client.bind("", "nothing");
    client.execute("");
    client.parse("", "SELECT 2");
    client.bare('S');
    client.parse("", "SELECT 3 AS a");
    client.bind("", "");
    client.execute("");
    EXPECT_EQ(sync(2), "1 E(26000) Z(I) 1 2 D(3) C(SELECT 1) Z(I)");
}

TEST_F(Extended, Names)
{
    client.parse("s", "SELECT 1 AS a");
    client.parse("s", "SELECT 2");
    EXPECT_EQ(sync(), "1 E(42P05) Z(I)");
    client.named('D', 'S', "missing");
    EXPECT_EQ(sync(), "E(26000) Z(I)");
    client.named('D', 'P', "missing");
    EXPECT_EQ(sync(), "E(34000) Z(I)");
    client.named('C', 'S', "missing");
    client.named('C', 'S', "s");
    client.parse("s", "SELECT 2");
    EXPECT_EQ(sync(), "3 3 1 Z(I)");
    EXPECT_EQ(show(client.query("DEALLOCATE s")), "C(DEALLOCATE) Z(I)");
    EXPECT_EQ(show(client.query("DEALLOCATE s")), "E(26000) Z(I)");
}

TEST_F(Extended, PipelineIsAllOrNothing)
{
    client.parse("", "INSERT INTO t (id) VALUES ($1)");
    for (const char* id : {"10", "11", "1"}) {
        client.bind("", "", {id});
        client.execute("");
    }
    EXPECT_EQ(sync(), "1 2 C(INSERT 0 1) 2 C(INSERT 0 1) 2 E(23505) Z(I)");
    EXPECT_EQ(show(client.query("SELECT count(*) AS n FROM t")), "T(n:20) D(3) C(SELECT 1) Z(I)");
    client.parse("", "INSERT INTO t (id) VALUES ($1)");
    for (const char* id : {"10", "11", "12"}) {
        client.bind("", "", {id});
        client.execute("");
    }
    EXPECT_EQ(sync(), "1 2 C(INSERT 0 1) 2 C(INSERT 0 1) 2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(show(client.query("SELECT count(*) AS n FROM t")), "T(n:20) D(6) C(SELECT 1) Z(I)");
}

TEST_F(Extended, TransactionsAndSettingsInIt)
{
    for (const auto* text : {"BEGIN ISOLATION LEVEL READ COMMITTED", "SET x.y = '1'", "COMMIT"}) {
        client.parse("", text);
        client.bind("", "");
        client.named('D', 'P', "");
        client.execute("");
    }
    EXPECT_EQ(sync(), "1 2 n C(BEGIN) 1 2 n C(SET) 1 2 n C(COMMIT) Z(I)");
    client.parse("", "SHOW transaction_isolation");
    client.named('D', 'S', "");
    client.bind("", "");
    client.execute("");
    EXPECT_EQ(sync(), "1 t T(transaction_isolation:25) 2 D(read committed) C(SHOW) Z(I)");
}

TEST_F(Extended, EmptyAndRefused)
{
    client.parse("", "");
    client.bind("", "");
    client.named('D', 'P', "");
    client.execute("");
    EXPECT_EQ(sync(), "1 2 n I Z(I)");
    client.parse("", "SELECT 1; SELECT 2");
    EXPECT_EQ(sync(), "E(42601) Z(I)");
    client.parse("", "SELECT * FROM missing");
    EXPECT_EQ(sync().substr(0, 7), "E(42P01");
    client.parse("", "SELECT $1::int");
    client.bind("", "", {"abc"});
    EXPECT_EQ(sync(), "1 E(22P02) Z(I)");
    client.bind("", "", {});
    EXPECT_EQ(sync(), "E(08P01) Z(I)");
    client.data('F', std::string_view("\0\0\0\1\0\0\0\0\0\0", 10));
    EXPECT_EQ(show(client.talk()), "E(0A000) Z(I)");
}

TEST_F(Extended, BrokenMessagesCloseTheConnection)
{
    client.data('P', "no end");
    client.deliver();
    client.run_until([&] { return client.closed; });
    EXPECT_EQ(show(client.take()), "E(08P01)");
}

TEST_F(Extended, MessagesInPieces)
{
    client.parse("", "SELECT name FROM t WHERE id = $1");
    client.bind("", "", {"2"});
    client.named('D', 'P', "");
    client.execute("");
    client.bare('S');
    byte_queue all;
    all.swap(client.pending);
    const std::string bytes(as_text(all.readable()));
    for (const char c : bytes) {
        client.pending.append_byte(c);
        client.deliver();
        client.io().restart();
        client.io().poll();
    }
    EXPECT_EQ(show(client.talk()), "1 2 T(name:25) D(b) C(SELECT 1) Z(I)");
}

TEST_F(Extended, LargeResultsWaitForTheClient)
{
    client.parse("",
                 "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
                 "WHERE n < 20000) SELECT n, printf('%.500c', 'x') AS pad FROM c");
    client.bind("", "");
    client.execute("");
    client.bare('S');
    client.stalled = true;
    client.deliver();
    client.run_until([&] { return client.unsent() > 500'000; });
    client.io().restart();
    client.io().run_for(std::chrono::milliseconds(300));  // it goes no further
    EXPECT_LT(client.unsent(), std::size_t{2'000'000});
    std::size_t rows = 0;
    bool ready = false;
    client.stalled = false;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!ready && std::chrono::steady_clock::now() < deadline) {
        client.flush();
        client.lane().on_drained();
        client.io().restart();
        client.io().run_for(std::chrono::milliseconds(2));
        for (const auto& each : client.take()) {
            rows += each.type == 'D' ? 1 : 0;
            ready = ready || each.type == 'Z';
        }
    }
    EXPECT_TRUE(ready);
    EXPECT_EQ(rows, 20000u);
}

TEST_F(Extended, ClientLeavesWhileItsStatementRuns)
{
    client.parse("",
                 "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) "
                 "SELECT count(*) FROM c");
    client.bind("", "");
    client.execute("");
    client.bare('S');
    client.deliver();
    client.io().run_for(std::chrono::milliseconds(20));
    client.leave();
    fake_client other(database.get());
    EXPECT_EQ(show(other.query("SELECT count(*) AS n FROM t")), "T(n:20) D(3) C(SELECT 1) Z(I)");
}

TEST_F(Extended, DrainsBetweenTransactions)
{
    client.query("BEGIN");
    client.lane().request_drain();
    EXPECT_FALSE(client.closed);
    EXPECT_FALSE(client.lane().quiescent());
    pg::message_writer(client.pending, 'Q').cstring("COMMIT");
    client.deliver();
    client.run_until([&] { return client.closed; });
    EXPECT_EQ(show(client.take()), "C(COMMIT) Z(I) E(57P01)");
}

TEST_F(Extended, CopyOutAndIn)
{
    EXPECT_EQ(show(client.query("COPY t (id, name) TO STDOUT")),
              "H d(1\ta\n) d(2\tb\n) d(3\tc\n) c C(COPY 3) Z(I)");
    EXPECT_EQ(
        show(client.query("COPY (SELECT id, day FROM t) TO STDOUT WITH (FORMAT csv, HEADER)")),
        "H d(id,day\n) d(1,2024-01-01\n) d(2,\n) d(3,\n) c C(COPY 3) Z(I)");
    pg::message_writer(client.pending, 'Q').cstring("COPY t (id, name) FROM STDIN");
    client.data('d', "20\tx\\ty\n2");
    client.data('d', "1\t\\N\n");
    client.bare('c');
    EXPECT_EQ(show(client.talk()), "G C(COPY 2) Z(I)");
    EXPECT_EQ(show(client.query("SELECT id, name FROM t WHERE id >= 20")),
              "T(id:20,name:25) D(20,x\ty) D(21,NULL) C(SELECT 2) Z(I)");
    pg::message_writer(client.pending, 'Q').cstring("COPY t (id, name) FROM STDIN");
    client.data('d', "30\tok\n31\n");
    client.data('d', "32\tlate\n");
    client.bare('c');
    EXPECT_EQ(show(client.talk()), "G E(22P04) Z(I)");
    EXPECT_EQ(show(client.query("SELECT count(*) AS n FROM t WHERE id >= 30")),
              "T(n:20) D(0) C(SELECT 1) Z(I)");
    pg::message_writer(client.pending, 'Q').cstring("COPY t (id) FROM STDIN; SELECT 7 AS a");
    client.data('d', "40\n");
    client.bare('c');
    EXPECT_EQ(show(client.talk()), "G C(COPY 1) T(a:20) D(7) C(SELECT 1) Z(I)");
    EXPECT_EQ(show(client.query("COPY t FROM STDIN (FORMAT xml)")), "E(0A000) Z(I)");
}

}  // namespace
}  // namespace sluice::gateway
