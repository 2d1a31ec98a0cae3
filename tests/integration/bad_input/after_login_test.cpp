// tests/integration/bad_input/after_login_test.cpp: clients that log in and then break the
// protocol.
#include <random>
#include <thread>

#include "integration/bad_input/gateways.hpp"

namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string parse(const std::string& name, const std::string& sql)
{
    return message('P', name + '\0' + sql + '\0' + be16(0));
}
std::string bind(const std::string& portal, const std::string& name)
{
    return message('B', portal + '\0' + name + '\0' + be16(0) + be16(0) + be16(0));
}
std::string execute(const std::string& portal, std::uint32_t rows = 0)
{
    return message('E', portal + '\0' + be32(rows));
}
const std::string sync = message('S', "");

class BadSession : public AttackedGateway {
protected:
    BadSession() : AttackedGateway(trusting_gateway()) {}

    void TearDown() override
    {
        AttackedGateway::TearDown();
        // No backend stays behind in a broken client's transaction or statement.
        const auto until = steady::now() + 60s;
        const std::string busy =
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'trusted' AND state <> 'idle'";
        while (database().query(busy) != "0") {
            ASSERT_LT(steady::now(), until) << database().query(
                "SELECT string_agg(state || ': ' || query, '; ')"
                " FROM pg_stat_activity WHERE usename = 'trusted'");
            std::this_thread::sleep_for(50ms);
        }
    }
};

TEST_F(BadSession, MessagesThatNoClientMaySendEndTheSessionWithAReason)
{
    for (const auto& wrong : {message('Z', "I"),
                              message('\0', ""),
                              message('~', "what"),
                              message('R', be32(0)),
                              message('T', ""),
                              "Q" + be32(3),
                              "Q" + be32(0),
                              "P" + be32(2) + "xx"}) {
        auto client = logged_in();
        client.send(wrong);
        const auto said = client.until_closed();
        EXPECT_THAT(said, StartsWith("E")) << wrong;
        EXPECT_THAT(said, HasSubstr("08P01")) << wrong;
    }
}

TEST_F(BadSession, LengthsPastTheLimitEndTheSessionAtOnceAndReserveNothing)
{
    const auto before = gateway_.resident_kib();
    for (const char type : {'Q', 'P', 'B', 'd', 'F'}) {
        for (const std::uint32_t length : {0x7fffffffu, 0x80000000u, 0xffffffffu}) {
            auto client = logged_in();
            client.send(std::string(1, type) + be32(length) + "x");
            EXPECT_THAT(client.until_closed(), StartsWith("E")) << type << length;
        }
    }
    EXPECT_LT(gateway_.resident_kib(), before + 8192);
}

TEST_F(BadSession, TruncatedMessagesAndThenNothing)
{
    const auto whole = parse("s", "SELECT 1") + bind("", "s") + execute("") + sync;
    for (std::size_t size = 1; size < whole.size(); ++size) {
        auto client = logged_in();
        client.send(whole.substr(0, size));
        if (size % 2)
            client.half_close();
        else
            client.reset();
    }
}

TEST_F(BadSession, FieldsThatRunPastTheirMessage)
{
    for (const auto& wrong :
         {message('Q', "SELECT 1"),  // no zero
          message('Q', ""),
          message('P', "name"),
          message('P', std::string("\0", 1)),
          message('P', std::string("\0SELECT 1\0", 10) + be16(500)),
          message('B', ""),
          message('B', std::string("\0\0", 2) + be16(9)),
          message('B', std::string("\0\0", 2) + be16(0) + be16(1) + be32(0x7fffffff)),
          message('B', std::string("\0\0", 2) + be16(0) + be16(0xffff)),
          message('D', ""),
          message('D', "X"),
          message('D', std::string("Q\0", 2)),
          message('E', ""),
          message('E', std::string("\0", 1) + be16(1)),
          message('C', "S"),
          message('C', std::string("?x\0", 3)),
          message('F', be32(1)),
          message('F', "")}) {
        auto client = logged_in();
        client.send(wrong + sync);
        // An error, then either the end or ReadyForQuery after which everything works.
        const auto types = client.until_ready();
        EXPECT_THAT(types, HasSubstr("E")) << wrong;
        if (types.ends_with('Z') && client.send(simple_query("SELECT 1")))
            client.until_ready();
    }
}

TEST_F(BadSession, NamesWithoutAnEnd)
{
    for (const auto& wrong : {message('P', "name"),
                              message('D', "Sknown"),
                              message('D', "Sunknown"),
                              message('C', "Sknown"),
                              message('B', std::string("\0known", 6)),
                              message('B', "portal")}) {
        auto client = logged_in();
        client.send(parse("known", "SELECT 1") + sync);
        EXPECT_EQ(client.until_ready(), "1Z");
        // Alone: nothing behind it may be taken for the rest of the name.
        client.send(wrong);
        std::this_thread::sleep_for(20ms);
        client.send(sync);
        EXPECT_THAT(client.until_ready(), StartsWith("E")) << wrong;
    }
}

TEST_F(BadSession, AFlushOrSyncWithABodyEndsTheSession)
{
    for (const char type : {'S', 'H'}) {
        auto client = logged_in();
        client.send(message(type, "x") + simple_query("SELECT 1"));
        EXPECT_THAT(client.until_closed(), HasSubstr("08P01"));
    }
}

TEST_F(BadSession, AStatementTooLongToKeepStaysOnItsBackend)
{
    const auto sql = "SELECT " + std::to_string(7) + " /*" + std::string(600'000, 'x') + "*/";
    auto client = logged_in();
    ASSERT_TRUE(client.send(parse("long", sql) + sync));
    EXPECT_EQ(client.until_ready(), "1Z");
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(serves(gateway_));
        ASSERT_TRUE(client.send(bind("", "long") + execute("") + sync));
        EXPECT_EQ(client.until_ready(), "2DCZ");
    }
    auto other = logged_in();
    ASSERT_TRUE(other.send(parse("long", "SELECT 8") + bind("", "long") + execute("") + sync));
    EXPECT_EQ(other.until_ready(), "12DCZ");
}

TEST_F(BadSession, ErrorsOfTheExtendedProtocolEndAtSync)
{
    auto client = logged_in();
    for (const auto& wrong : {execute("no such portal"),
                              bind("", "no such statement"),
                              message('D', std::string("Snone\0", 6)),
                              message('D', std::string("Pnone\0", 6)),
                              parse("", "SELEC 1"),
                              parse("", "SELECT 1") + bind("p", "") + bind("p", "")}) {
        ASSERT_TRUE(client.send(wrong + execute("") + message('H', "") + execute("") + sync));
        const auto types = client.until_ready();
        EXPECT_THAT(types, HasSubstr("E"));
        EXPECT_THAT(types, ::testing::EndsWith("Z"));
        ASSERT_TRUE(client.send(simple_query("SELECT 7")));
        EXPECT_EQ(client.until_ready(), "TDCZ");
    }
}

TEST_F(BadSession, CopyAndPasswordMessagesOutOfTheirPlace)
{
    auto client = logged_in();
    // PostgreSQL ignores what is left of a COPY that has failed.
    ASSERT_TRUE(client.send(message('d', "1\n") + message('c', "") +
                            message('f', std::string("no\0", 3)) + simple_query("SELECT 7")));
    EXPECT_EQ(client.until_ready(), "TDCZ");
    auto other = logged_in();
    other.send(message('p', std::string("secret\0", 7)));
    other.send(simple_query("SELECT 7"));
    EXPECT_THAT(other.until_ready(), StartsWith("E"));
}

TEST_F(BadSession, QueriesInTheMiddleOfACopy)
{
    database().query(
        "DROP TABLE IF EXISTS copied; CREATE TABLE copied (n int);"
        "GRANT ALL ON copied TO public",
        "app");
    auto client = logged_in();
    ASSERT_TRUE(client.send(simple_query("COPY copied FROM STDIN")));
    const auto first = client.receive();
    ASSERT_TRUE(first);
    ASSERT_EQ(first->type, 'G');
    client.send(message('d', "1\n") + simple_query("SELECT 7"));
    client.send(message('c', ""));
    // The Query ended the copy with an error and was used up.
    EXPECT_THAT(client.until_ready(), StartsWith("E"));
    client.send(simple_query("SELECT 8"));
    EXPECT_EQ(client.until_ready(), "TDCZ");
    EXPECT_EQ(database().query("SELECT count(*) FROM copied", "app"), "0");
}

TEST_F(BadSession, LeavesInTheMiddleOfAnything)
{
    database().query(
        "DROP TABLE IF EXISTS left_alone; CREATE TABLE left_alone (n int);"
        "GRANT ALL ON left_alone TO public",
        "app");
    const std::string beginnings[] = {
        simple_query("BEGIN; INSERT INTO left_alone VALUES (1)"),
        simple_query("BEGIN") + parse("", "INSERT INTO left_alone VALUES (2)") + bind("", "") +
            execute("") + message('H', ""),
        simple_query("COPY left_alone FROM STDIN") + message('d', "3\n"),
        simple_query("SELECT pg_sleep(600)"),
        simple_query("SELECT repeat('x', 1000) FROM generate_series(1, 100000)"),
        simple_query("BEGIN") + simple_query("SELECT pg_sleep(600)"),
        parse("", "SELECT * FROM generate_series(1, 1000000)") + bind("", "") + execute("", 10) +
            message('H', "")};
    for (const auto& beginning : beginnings) {
        for (const bool abruptly : {false, true}) {
            auto client = logged_in();
            ASSERT_TRUE(client.send(beginning));
            std::this_thread::sleep_for(50ms);
            if (abruptly)
                client.reset();
        }
    }
    const auto until = steady::now() + 60s;
    std::string why;
    while (!serves(gateway_, &why))
        ASSERT_LT(steady::now(), until) << why;
    EXPECT_EQ(database().query("SELECT count(*) FROM left_alone", "app"), "0");
}

TEST_F(BadSession, AFloodOfSmallMessagesIsAnsweredOneByOne)
{
    auto client = logged_in();
    std::string flood;
    for (int i = 0; i < 20'000; ++i)
        flood += sync;
    const auto before = gateway_.resident_kib();
    ASSERT_TRUE(client.send(flood, 30s));
    for (int i = 0; i < 20'000; ++i)
        ASSERT_EQ(client.until_ready(), "Z") << i;
    EXPECT_LT(gateway_.resident_kib(), before + 32 * 1024);
}

TEST_F(BadSession, AClientThatNeverReadsIsHeldBack)
{
    auto client = logged_in();
    const auto before = gateway_.resident_kib();
    ASSERT_TRUE(
        client.send(simple_query("SELECT repeat('x', 1000) FROM generate_series(1, 200000)")));
    std::this_thread::sleep_for(2s);
    EXPECT_LT(gateway_.resident_kib(), before + 16 * 1024);  // of 200 MB
    std::string why;
    EXPECT_TRUE(serves(gateway_, &why)) << why;
}

TEST_F(BadSession, WellFramedNonsense)
{
    std::mt19937 random(4711);
    const std::string types = "QPBDECSHFdcfpX?";
    for (int round = 0; round < 300; ++round) {
        auto client = logged_in();
        const auto count = random() % 8 + 1;
        for (std::size_t i = 0; i < count; ++i) {
            std::string body(random() % 40, '\0');
            for (auto& each : body)
                each = random() % 3 ? static_cast<char>(random() % 96 + 32) : '\0';
            client.send(message(types[random() % types.size()], body));
        }
        client.send(sync);
        client.half_close();
        EXPECT_NO_THROW(client.until_closed()) << "round " << round;
    }
}

TEST_F(BadSession, GoodSessionsWithOneByteChanged)
{
    std::mt19937 random(815);
    const auto good =
        simple_query("BEGIN") + parse("s1", "SELECT $1::int + 1") +
        message('B', std::string("\0s1\0", 4) + be16(0) + be16(1) + be32(1) + "5" + be16(0)) +
        execute("") + sync + simple_query("SELECT 1/0") + simple_query("ROLLBACK");
    for (int round = 0; round < 300; ++round) {
        auto changed = good;
        changed[random() % changed.size()] = static_cast<char>(random());
        auto client = logged_in();
        client.send(changed);
        client.half_close();
        EXPECT_NO_THROW(client.until_closed()) << "round " << round;
    }
}

}  // namespace
}  // namespace sluice
