// tests/unit/gateway_translate/my_query_test.cpp: a MySQL client's texts and commands on a SQLite
// file.
#include "unit/gateway_translate/my_fake_client.hpp"

namespace sluice::gateway {
namespace {

using mysql::command;

class MyQuery : public ::testing::Test {
protected:
    std::string ask(std::string_view text) { return client.query(text); }

    scratch_database database;
    my_fake_client client{database.get()};
};

TEST_F(MyQuery, OneStatement)
{
    EXPECT_EQ(client.greeting.size(), 11u);
    EXPECT_EQ(ask("SELECT 1 AS one, 'a' AS two"), "2 one:8 two:253 EOF(2) [.1.a] EOF(2)");
}

TEST_F(MyQuery, Results)
{
    EXPECT_EQ(ask("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT)"), "OK(0,0,2)");
    EXPECT_EQ(ask("INSERT INTO t (n) VALUES (5), (6)"), "OK(2,1,2)");
    EXPECT_EQ(ask("UPDATE t SET n = 7"), "OK(2,0,2)");
    EXPECT_EQ(ask("SELECT id, n FROM t"), "2 id:8 n:8 EOF(2) [.1.7] [.2.7] EOF(2)");
    EXPECT_EQ(ask("SELECT n FROM t WHERE id > 9"), "1 n:8 EOF(2) EOF(2)");
    EXPECT_EQ(ask("SELECT 1; SELECT 2"), "1 1:8 EOF(10) [.1] EOF(10) 1 2:8 EOF(2) [.2] EOF(2)");
    EXPECT_EQ(ask("SELECT 1; SELEC; SELECT 2"), "1 1:8 EOF(10) [.1] EOF(10) ERR(1064)");
    EXPECT_EQ(ask("/* nothing */"), "OK(0,0,2)");
    EXPECT_EQ(ask(" ; "), "ERR(1065)");
}

TEST_F(MyQuery, Transactions)
{
    ask("CREATE TABLE t (n INT UNIQUE)");
    EXPECT_EQ(ask("BEGIN"), "OK(0,0,3)");
    EXPECT_EQ(ask("INSERT INTO t VALUES (1)"), "OK(1,1,3)");
    EXPECT_EQ(ask("INSERT INTO t VALUES (1)"), "ERR(1062)");
    EXPECT_EQ(ask("SAVEPOINT a"), "OK(0,0,3)");
    EXPECT_EQ(ask("INSERT INTO t VALUES (2)"), "OK(1,2,3)");
    EXPECT_EQ(ask("ROLLBACK TO SAVEPOINT a"), "OK(0,0,3)");
    EXPECT_EQ(ask("RELEASE SAVEPOINT nope"), "ERR(1305)");
    EXPECT_EQ(ask("COMMIT AND CHAIN"), "OK(0,0,3)");
    EXPECT_EQ(ask("ROLLBACK"), "OK(0,0,2)");
    EXPECT_EQ(ask("SET autocommit = 0"), "OK(0,0,0)");
    EXPECT_EQ(ask("SELECT 1"), "1 1:8 EOF(0) [.1] EOF(0)");
    EXPECT_EQ(ask("SELECT n FROM t"), "1 n:8 EOF(1) [.1] EOF(1)");
    EXPECT_EQ(ask("SET autocommit = 1"), "OK(0,0,2)");
    EXPECT_EQ(ask("START TRANSACTION READ ONLY"), "OK(0,0,8195)");
    EXPECT_EQ(ask("DELETE FROM t"), "ERR(1792)");
    EXPECT_EQ(ask("CREATE TABLE u (a INT)"), "OK(0,0,2)");
}

TEST_F(MyQuery, Errors)
{
    EXPECT_EQ(ask("SELEC 1"), "ERR(1064)");
    EXPECT_EQ(ask("SELECT * FROM nowhere"), "ERR(1146)");
    EXPECT_EQ(ask("SELECT nope"), "ERR(1054)");
    EXPECT_EQ(ask("SHOW COLUMNS FROM nowhere"), "ERR(1146)");
    ask("CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (id INT REFERENCES p (id), n INT NOT "
        "NULL CHECK (n > 0)); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)");
    EXPECT_EQ(ask("INSERT INTO p VALUES (1)"), "ERR(1062)");
    EXPECT_EQ(ask("INSERT INTO c VALUES (2, 1)"), "ERR(1452)");
    EXPECT_EQ(ask("DELETE FROM p"), "ERR(1451)");
    EXPECT_EQ(ask("INSERT INTO c VALUES (1, NULL)"), "ERR(1048)");
    EXPECT_EQ(ask("INSERT INTO c VALUES (1, -1)"), "ERR(3819)");
    EXPECT_EQ(ask("INSERT INTO p VALUES ('text')"), "OK(1,2,2)");
    EXPECT_EQ(ask("SELECT id FROM p"), "1 id:8 EOF(2) [.1] ERR(1366)");
    EXPECT_EQ(ask("KILL QUERY 5"), "OK(0,0,2)");
    EXPECT_EQ(ask("KILL 6"), "ERR(1094)");
}

TEST_F(MyQuery, Commands)
{
    EXPECT_EQ(client.command(command::ping, ""), "OK(0,0,2)");
    EXPECT_EQ(client.command(command::init_db, "notes"), "OK(0,0,2)");
    EXPECT_EQ(client.command(command::init_db, "nowhere"), "ERR(1049)");
    EXPECT_EQ(client.command(command::set_option, std::string("\1\0", 2)), "EOF(2)");
    EXPECT_EQ(ask("SELECT 1; SELECT 2"), "ERR(1064)");
    EXPECT_EQ(client.command(command::set_option, std::string("\2\0", 2)), "ERR(1047)");
    EXPECT_EQ(client.command(command::binlog_dump, ""), "ERR(1047)");
    ask("SET @a = 1");
    EXPECT_EQ(client.command(command::reset_connection, ""), "OK(0,0,2)");
    EXPECT_EQ(ask("SELECT @a"), "1 @a:253 EOF(2) [.] EOF(2)");
    ask("CREATE TABLE f (a INT, b TEXT)");
    EXPECT_EQ(client.command(command::field_list, std::string("nowhere\0", 8)), "ERR(1146)");
    client.command(command::quit, "");
    EXPECT_TRUE(client.closed);
}

TEST_F(MyQuery, BadPackets)
{
    for (const std::string_view hostile : {"\x17\1\0", "\x19\1", "\x18", "\x0c\1"}) {
        my_fake_client other(database.get());
        other.raw(std::string(hostile));
        EXPECT_TRUE(other.closed || hostile[0] == 0x17) << static_cast<int>(hostile[0]);
    }
    client.raw("\x0e", 3);  // a ping that is not the first packet
    EXPECT_TRUE(client.closed);
    my_fake_client empty(database.get());
    empty.raw("");
    EXPECT_TRUE(empty.closed);
    translate_options small;
    small.max_message = 100;
    my_fake_client large(database.get(), my_fake_client::usual, small);
    large.query(std::string(200, ' '));
    EXPECT_TRUE(large.closed);
}

TEST_F(MyQuery, WithoutEofPackets)
{
    my_fake_client modern(database.get(), my_fake_client::usual | mysql::capability::deprecate_eof);
    EXPECT_EQ(modern.query("SELECT 1 AS a"), "1 a:8 [.1] EOF(2)");
    EXPECT_EQ(modern.query("SELECT 1 AS a WHERE 0"), "1 a:8 EOF(2)");
}

TEST_F(MyQuery, PacketsInPieces)
{
    byte_queue bytes;
    std::uint8_t sequence = 0;
    mysql::append_message(bytes, as_bytes("\3SELECT 1 AS a"), sequence);
    const auto all = bytes.readable();
    for (std::size_t i = 0; i + 1 < all.size(); ++i)
        client.lane().on_data(all.subspan(i, 1));
    EXPECT_EQ(client.bytes_in(all.last(1)), "1 a:8 EOF(2) [.1] EOF(2)");
}

class MyPrepared : public MyQuery {
protected:
    // COM_STMT_EXECUTE of statement `id` with values of type LONGLONG.
    std::string execute(std::uint32_t id, std::vector<std::int64_t> values, char flags = 0)
    {
        std::string body(reinterpret_cast<const char*>(&id), 4);
        body += flags;
        body += std::string("\1\0\0\0", 4);
        if (!values.empty()) {
            body += std::string((values.size() + 7) / 8, '\0') + '\1';
            for (std::size_t i = 0; i < values.size(); ++i)
                body += std::string("\x08\0", 2);
            for (const auto value : values)
                body.append(reinterpret_cast<const char*>(&value), 8);
        }
        return client.command(command::stmt_execute, body);
    }
    std::string fetch(std::uint32_t id, std::uint32_t rows)
    {
        return client.command(command::stmt_fetch,
                              std::string(reinterpret_cast<const char*>(&id), 4) +
                                  std::string(reinterpret_cast<const char*>(&rows), 4));
    }
};

TEST_F(MyPrepared, PrepareAndExecute)
{
    ask("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT)");
    client.command(command::stmt_prepare, "INSERT INTO t (n) VALUES (?)");
    EXPECT_EQ(execute(1, {40}), "OK(1,1,2)");
    EXPECT_EQ(execute(1, {41}), "OK(1,2,2)");
    client.command(command::stmt_prepare, "SELECT n FROM t WHERE n > ? ORDER BY n");
    EXPECT_EQ(execute(2, {0}), "1 n:8 EOF(2) [..(.......] [..).......] EOF(2)");
    EXPECT_EQ(execute(2, {40}), "1 n:8 EOF(2) [..).......] EOF(2)");
    EXPECT_EQ(execute(9, {}), "ERR(1243)");
    EXPECT_EQ(client.command(command::stmt_prepare, "SELEC"), "ERR(1064)");
    EXPECT_EQ(client.command(command::stmt_prepare, "SELECT 1; SELECT 2"), "ERR(1064)");
    EXPECT_EQ(client.command(command::stmt_close, std::string("\2\0\0\0", 4)), "");
    EXPECT_EQ(execute(2, {0}), "ERR(1243)");
}

TEST_F(MyPrepared, LongData)
{
    ask("CREATE TABLE t (b TEXT)");
    client.command(command::stmt_prepare, "INSERT INTO t VALUES (?)");
    client.command(command::stmt_send_long_data, std::string("\1\0\0\0\0\0", 6) + "hello ");
    client.command(command::stmt_send_long_data, std::string("\1\0\0\0\0\0", 6) + "world");
    const std::string body("\1\0\0\0\0\1\0\0\0\0\1\xfd\0", 13);
    EXPECT_EQ(client.command(command::stmt_execute, body), "OK(1,1,2)");
    EXPECT_EQ(ask("SELECT b FROM t"), "1 b:253 EOF(2) [.hello world] EOF(2)");
}

TEST_F(MyPrepared, Cursors)
{
    ask("CREATE TABLE t (n INT); INSERT INTO t VALUES (33), (34), (35), (36)");
    client.command(command::stmt_prepare, "SELECT n FROM t");
    EXPECT_EQ(execute(1, {}, 1), "1 n:8 EOF(66)");
    // Rows in binary begin with a zero, as OK does: OK(0,33,0) is the row 33.
    EXPECT_EQ(fetch(1, 2), "OK(0,33,0) OK(0,34,0) EOF(66)");
    EXPECT_EQ(fetch(1, 9), "OK(0,35,0) OK(0,36,0) EOF(130)");
    EXPECT_EQ(fetch(1, 1), "ERR(1243)");
    EXPECT_EQ(execute(1, {}, 1), "1 n:8 EOF(66)");
    EXPECT_EQ(execute(1, {}, 1), "1 n:8 EOF(66)");  // instead of the one before
    EXPECT_EQ(fetch(1, 1), "OK(0,33,0) EOF(66)");
    EXPECT_EQ(client.command(command::stmt_reset, std::string("\1\0\0\0", 4)), "OK(0,0,2)");
    EXPECT_EQ(fetch(1, 1), "ERR(1243)");
    EXPECT_EQ(ask("DELETE FROM t"), "OK(4,0,2)");
    EXPECT_EQ(execute(1, {}, 1), "1 n:8 EOF(66)");
    EXPECT_EQ(fetch(1, 1), "EOF(130)");
}

}  // namespace
}  // namespace sluice::gateway
