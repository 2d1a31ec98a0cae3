// tests/integration/my_login/bad_input_test.cpp: what strangers send instead of a login.
#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include "integration/my_login/gateway.hpp"
#include "proto/mysql/constants.hpp"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;
using namespace mysql;

class MyBadLogin : public MyLogin {
protected:
    // Greeting read, `bytes` sent: what is said before the gateway closes, long before the login
    // timeout would.
    std::string answer_to(const std::string& bytes)
    {
        auto client = connect();
        client.greet();
        client.send(bytes);
        return client.until_closed();
    }
    static std::string good()
    {
        raw_client stranger(shared_gateway().mysql_port());
        stranger.greet();
        return stranger.response({.user = "app", .password = "secret"});
    }
};

TEST_F(MyBadLogin, OversizedPacketsAreRefusedAtOnceAndReserveNothing)
{
    const auto before = gateway_.resident_kib();
    for (const std::uint32_t length : {32'769u, 100'000u, 0xfffffeu, 0xffffffu}) {
        const auto said = answer_to(header(length, 1) + std::string(100, 'x'));
        EXPECT_THAT(said, HasSubstr("08S01")) << length;
    }
    EXPECT_LT(gateway_.resident_kib(), before + 4096);
}

TEST_F(MyBadLogin, OutOfOrderPacketsAreRefused)
{
    for (const std::uint8_t sequence : std::initializer_list<std::uint8_t>{0, 2, 3, 255}) {
        const auto said = answer_to(framed(sequence, good()));
        EXPECT_THAT(said, HasSubstr("08S01")) << int{sequence};
    }
}

TEST_F(MyBadLogin, ForeignProtocolsAreClosed)
{
    for (const std::string bytes : {"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
                                    "\x16\x03\x01\x02\x01\xfc\x03\x03 a client hello",
                                    "SSH-2.0-OpenSSH_9.2\r\n",
                                    "*1\r\n$4\r\nPING\r\n"})
        answer_to(bytes + std::string(600, 'x'));
}

TEST_F(MyBadLogin, TruncatedResponsesAreRefused)
{
    const auto whole = good();
    for (std::size_t size = 1; size < whole.size(); size += size < 40 ? 1 : 3) {
        auto client = connect();
        client.greet();
        client.send(framed(1, whole.substr(0, size)));
        client.half_close();
        std::string said;
        ASSERT_NO_THROW(said = client.until_closed()) << size;
        EXPECT_EQ(said.find(std::string("\0\0\0\2", 4)), std::string::npos) << size;
    }
}

TEST_F(MyBadLogin, EveryPrefixMayBeAllThatComes)
{
    const auto whole = framed(1, good());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        auto client = connect();
        client.greet();
        client.send(whole.substr(0, size));
        client.half_close();
        client.until_closed();
    }
}

TEST_F(MyBadLogin, WishesForTlsWhereThereIsNone)
{
    const auto flags = le32(capability::protocol_41 | capability::secure_connection |
                            capability::ssl | capability::plugin_auth);
    EXPECT_THAT(answer_to(framed(1, flags + le32(1 << 24) + '\x2d' + std::string(23, '\0'))),
                HasSubstr("08S01"));
}

TEST_F(MyBadLogin, OldProtocolsAreRefused)
{
    EXPECT_THAT(answer_to(framed(1, std::string("\x05\0\0\0\x01root\0\0", 11))),
                HasSubstr("08S01"));
    const auto no_secure =
        le32(capability::protocol_41) + le32(1 << 24) + '\x2d' + std::string(23, '\0') + "app";
    EXPECT_THAT(answer_to(framed(1, no_secure + '\0' + '\0')), HasSubstr("08004"));
}

TEST_F(MyBadLogin, CommandsAheadOfTheLoginAreNotRun)
{
    const auto said = answer_to(framed(0,
                                       "\x03"
                                       "CREATE TABLE sneaked_in (a INT)"));
    EXPECT_THAT(said, HasSubstr("08S01"));
    auto client = connect();
    client.greet();
    client.send(framed(0, "\x01"));  // COM_QUIT: a polite end
    EXPECT_EQ(client.until_closed(), "");
}

TEST_F(MyBadLogin, NonsenseInsteadOfAnAnswerToAChallenge)
{
    for (const auto& nonsense : {framed(3, ""),
                                 framed(3, std::string(5000, 'x')),
                                 framed(3, "\x02"),
                                 framed(3, std::string(256, '\xff')),
                                 framed(2, std::string(20, 'x')),
                                 header(0xffffff, 3)}) {
        auto client = connect();
        client.greet();
        client.send(framed(
            1, client.response({.user = "app", .password = "secret", .plugin = "no_such_plugin"})));
        const auto asked = client.receive();
        ASSERT_TRUE(asked);
        EXPECT_EQ(asked->payload[0], '\xfe');
        client.send(nonsense);
        client.half_close();
        const auto said = client.until_closed();
        EXPECT_EQ(said.find(std::string("\7\0\0\4", 4)), std::string::npos);
    }
}

TEST_F(MyBadLogin, RandomBytes)
{
    std::mt19937 random(20261121);
    for (int round = 0; round < 300; ++round) {
        std::string bytes(random() % 2000, '\0');
        for (auto& each : bytes)
            each = static_cast<char>(random());
        auto client = connect();
        client.greet();
        if (round % 3 == 0)  // a length that fits, so that it gets further
            bytes = framed(1, bytes);
        if (round % 7 == 0)
            bytes = framed(1, good()) + bytes;
        if (round % 5 == 0)
            bytes = framed(1, good().substr(0, 32) + bytes);
        client.send(bytes);
        if (round % 2)
            client.half_close();
        else
            client.reset();
        if (client.connected())
            client.until_closed();
    }
}

TEST(MySlowLogin, ABytePerMomentEndsAtTheLoginTimeout)
{
    gateway_process gateway(SLUICE_BINARY,
                            configuration("password", "", short_login_timeout),
                            std::nullopt,
                            support::gateway_listen{.mysql = true});
    const auto begun = steady::now();
    std::vector<raw_client> slow;
    for (int i = 0; i < 50; ++i)
        slow.emplace_back(gateway.mysql_port());
    const auto bytes = header(30'000, 1) + std::string(29'000, 'd');
    std::size_t open = slow.size();
    for (std::size_t at = 0; open > 0 && steady::now() < begun + 60s; ++at) {
        open = 0;
        for (const auto& client : slow)
            open += client.send(bytes.substr(at, 1));
        std::this_thread::sleep_for(100ms);
    }
    EXPECT_EQ(open, 0u);
    EXPECT_GE(steady::now() - begun, short_login_timeout - 500ms);
    ASSERT_TRUE(gateway.running()) << gateway.log();
    EXPECT_TRUE(serves(gateway));
}

TEST(MyExhaustion, TenThousandConnectionsThatNeverLogIn)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const auto count = std::min<std::size_t>(10'000, limit.rlim_cur - 500);
    gateway_process gateway(SLUICE_BINARY,
                            configuration("password", "max_clients = 20000", short_login_timeout),
                            limit.rlim_cur,
                            support::gateway_listen{.mysql = true});
    ASSERT_TRUE(serves(gateway)) << gateway.log();
    const auto memory = gateway.resident_kib();
    const auto descriptors = gateway.descriptors();
    {
        std::vector<raw_client> idle;
        idle.reserve(count);
        while (idle.size() < count) {
            idle.emplace_back(gateway.mysql_port());
            ASSERT_TRUE(idle.back().connected()) << idle.size();
        }
        EXPECT_TRUE(serves(gateway));
        EXPECT_LT(gateway.resident_kib(), memory + count * 4);
        // The login timeout ends them, with us still here.
        const auto until = steady::now() + 60s;
        while (gateway.descriptors() > descriptors + 8 && steady::now() < until)
            std::this_thread::sleep_for(50ms);
        EXPECT_LE(gateway.descriptors(), descriptors + 8);
    }
    ASSERT_TRUE(gateway.running()) << gateway.log();
    EXPECT_TRUE(serves(gateway));
}

}  // namespace
}  // namespace sluice::test
