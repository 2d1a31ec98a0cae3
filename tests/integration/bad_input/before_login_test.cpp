// tests/integration/bad_input/before_login_test.cpp: what strangers send instead of a login.
#include <random>
#include <thread>
#include <vector>

#include "integration/bad_input/gateways.hpp"

namespace sluice {
namespace {

using ::testing::HasSubstr;

const std::string ssl_request = be32(8) + be32(80877103);
const std::string gss_request = be32(8) + be32(80877104);

class BadLogin : public AttackedGateway {
protected:
    BadLogin() : AttackedGateway(asking_gateway()) {}

    // All that the gateway says to `bytes` before it closes, long before the login timeout would.
    std::string answer_to(const std::string& bytes)
    {
        auto client = connect();
        EXPECT_TRUE(client.connected());
        client.send(bytes);
        return client.until_closed();
    }
};

TEST_F(BadLogin, ZerosAreClosed)
{
    for (const std::size_t size : {8u, 64u, 10'000u, 1'000'000u}) {
        const auto said = answer_to(std::string(size, '\0'));
        EXPECT_THAT(said, Not(HasSubstr("Z"))) << size;
    }
}

TEST_F(BadLogin, ImpossibleLengthsAreClosedAtOnceAndReserveNothing)
{
    const auto before = gateway_.resident_kib();
    for (const std::uint32_t length :
         {0u, 1u, 4u, 7u, 20'001u, 0x10000u, 0x7fffffffu, 0x80000000u, 0xffffffffu})
        answer_to(be32(length) + be32(196608));
    EXPECT_LT(gateway_.resident_kib(), before + 4096);
}

TEST_F(BadLogin, ForeignProtocolsAreClosed)
{
    answer_to("GET / HTTP/1.1\r\nHost: example\r\n\r\n");
    answer_to("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + std::string(600, 'x'));
    answer_to("SSH-2.0-OpenSSH_9.2\r\n");
    answer_to("*1\r\n$4\r\nPING\r\n");
}

TEST_F(BadLogin, OtherProtocolVersionsAreRefusedWithAMessage)
{
    for (const std::uint32_t version : {0x00020000u, 0x00040000u, 0x00010000u, 0xffff0000u}) {
        const auto body = be32(version) + std::string("user\0app\0\0", 10);
        const auto said = answer_to(be32(static_cast<std::uint32_t>(body.size() + 4)) + body);
        EXPECT_THAT(said, HasSubstr("protocol")) << std::hex << version;
    }
}

TEST_F(BadLogin, StartupPacketsWithoutSenseAreRefusedWithAMessage)
{
    const std::string bodies[] = {
        std::string(),                                      // nothing at all
        std::string("\0", 1),                               // no user
        std::string("user\0", 5),                           // no value
        std::string("user\0app", 8),                        // no end
        std::string("user\0app\0", 9),                      // no last zero
        std::string("user\0\0\0", 7),                       // an empty user
        std::string("user\0app\0\0trailing", 18),           // more after the end
        std::string("database\0app\0\0", 14),               // no user
        std::string("user\0app\0user\0app\0\0", 19) + "x",  // twice, and trailing
        "user" + std::string(1, '\0') + std::string(9000, 'u') + std::string(2, '\0')};
    for (const auto& body : bodies) {
        const auto packet = be32(196608) + body;
        auto client = connect();
        client.send(be32(static_cast<std::uint32_t>(packet.size() + 4)) + packet);
        client.half_close();
        const auto said = client.until_closed();
        EXPECT_THAT(said, Not(HasSubstr(std::string("Z\0\0\0\5", 5)))) << body;
    }
}

TEST_F(BadLogin, ThousandsOfParametersAreRefused)
{
    std::string body = be32(196608) + std::string("user\0app\0", 9);
    for (int i = 0; i < 1000; ++i)
        body += "a" + std::to_string(i) + std::string("\0b\0", 3);
    body += '\0';
    const auto said = answer_to(be32(static_cast<std::uint32_t>(body.size() + 4)) + body);
    EXPECT_EQ(said.substr(0, 1), "E");
}

TEST_F(BadLogin, EveryPrefixOfAStartupPacketMayBeAllThatComes)
{
    const auto whole = startup("app", "app");
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        auto client = connect();
        client.send(whole.substr(0, size));
        client.half_close();
        client.until_closed();
    }
}

TEST_F(BadLogin, RepeatedEncryptionRequestsEnd)
{
    auto client = connect();
    for (int i = 0; i < 1000 && client.send(ssl_request + gss_request); ++i) {
    }
    EXPECT_NO_THROW(client.until_closed());
}

TEST_F(BadLogin, GarbageBehindAnSslRequestIsNoPlaintextLogin)
{
    // What a man in the middle could stuff in front of the handshake (CVE-2021-23222).
    auto client = connect();
    client.send(ssl_request + startup("app", "app"));
    client.half_close();
    const auto said = client.until_closed();
    EXPECT_THAT(said, Not(HasSubstr("SCRAM-SHA-256-PLUS")));
}

TEST_F(BadLogin, CancelsForNobodyAreClosedWithoutAWord)
{
    EXPECT_EQ(answer_to(be32(16) + be32(80877102) + be32(4711) + be32(1)), "");
    EXPECT_EQ(answer_to(be32(12) + be32(80877102) + be32(4711)).find('Z'), std::string::npos);
    answer_to(be32(300) + be32(80877102) + be32(4711) + std::string(288, 'k'));
}

TEST_F(BadLogin, OutOfOrderMessagesInsteadOfAPassword)
{
    for (const auto& out_of_order :
         {simple_query("SELECT 1"),
          message('P', std::string("\0SELECT 1\0\0\0", 12)),
          message('S', ""),
          message('X', ""),
          message('p', ""),
          message('p', "SCRAM-SHA-256"),
          message('p', std::string("NO-SUCH-MECHANISM\0", 18) + be32(0)),
          message('p', std::string("SCRAM-SHA-256\0", 14) + be32(0xffffffff)),
          message('p', std::string("SCRAM-SHA-256\0", 14) + be32(0x7fffffff)),
          message('p', std::string("SCRAM-SHA-256\0", 14) + be32(4) + "n,,n"),
          message('p', std::string("SCRAM-SHA-256\0", 14) + be32(5) + std::string(5, '\xff')),
          "p" + be32(0x7fffffff),
          "p" + be32(3),
          "p" + be32(0),
          "Q" + be32(0xffffffff),
          startup("app", "app"),
          std::string(64, '\0')}) {
        auto client = connect();
        client.send(startup("app", "app"));
        const auto asked = client.receive();
        ASSERT_TRUE(asked);
        EXPECT_EQ(asked->type, 'R');
        client.send(out_of_order);
        client.half_close();
        const auto said = client.until_closed();
        EXPECT_THAT(said, Not(HasSubstr(std::string("Z\0\0\0\5", 5))));
        EXPECT_THAT(said, Not(HasSubstr(std::string("R\0\0\0\10\0\0\0\0", 9))));
    }
}

TEST_F(BadLogin, QueriesSentAheadOfThePasswordAreNotRun)
{
    auto client = connect();
    client.send(startup("app", "app") + simple_query("CREATE TABLE sneaked_in ()"));
    client.half_close();
    client.until_closed();
    EXPECT_EQ(database().query("SELECT count(*) FROM pg_class WHERE relname = 'sneaked_in'", "app"),
              "0");
}

TEST_F(BadLogin, RandomBytes)
{
    std::mt19937 random(20260729);
    for (int round = 0; round < 300; ++round) {
        std::string bytes(random() % 2000, '\0');
        for (auto& each : bytes)
            each = static_cast<char>(random());
        if (round % 3 == 0)  // a length that fits, so that it gets further
            bytes = be32(static_cast<std::uint32_t>(bytes.size() + 8)) + be32(196608) + bytes;
        if (round % 7 == 0)
            bytes = startup("app", "app") + bytes;
        auto client = connect();
        client.send(bytes);
        if (round % 2)
            client.half_close();
        else
            client.reset();
        if (client.connected())
            client.until_closed();
    }
}

class SlowLogin : public AttackedGateway {
protected:
    SlowLogin() : AttackedGateway(hurried_gateway()) {}
};

TEST_F(SlowLogin, ABytePerMomentEndsAtTheLoginTimeout)
{
    const auto begun = steady::now();
    std::vector<wire_client> slow;
    for (int i = 0; i < 50; ++i)
        slow.push_back(connect());
    const auto packet = startup("app", std::string(1000, 'd'));
    std::size_t open = slow.size();
    for (std::size_t at = 0; open > 0 && steady::now() < begun + 60s; ++at) {
        open = 0;
        for (const auto& client : slow)
            open += client.send(packet.substr(at % packet.size(), 1));
        EXPECT_TRUE(at % 16 != 0 || soon([&] { return serves(gateway_); }));
        std::this_thread::sleep_for(100ms);
    }
    EXPECT_EQ(open, 0u);
    EXPECT_GE(steady::now() - begun, short_login_timeout - 500ms);
}

TEST_F(SlowLogin, SilenceAfterThePasswordRequestEndsAtTheLoginTimeout)
{
    auto client = connect();
    const auto begun = steady::now();
    client.send(startup("app", "app"));
    client.until_closed();
    EXPECT_GE(steady::now() - begun, short_login_timeout - 500ms);
}

}  // namespace
}  // namespace sluice
