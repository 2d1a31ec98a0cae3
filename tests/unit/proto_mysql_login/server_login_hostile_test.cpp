// tests/unit/proto_mysql_login/server_login_hostile_test.cpp: what no honest client sends, and what
// fails although the client is honest.
#include <gtest/gtest.h>

#include "proto/mysql/server_login.hpp"
#include "unit/proto_mysql_login/login_client.hpp"

namespace sluice::mysql {
namespace {

using namespace test;

server_login_options with_tls(client_tls mode = client_tls::prefer)
{
    server_login_options options;
    options.tls = mode;
    return options;
}

TEST(MysqlServerLoginHostile, EveryPrefixAsksForMoreAndTlsBytesStayInTheSocket)
{
    response_fields fields;
    fields.answer = std::string(20, 'x');
    const auto whole = packet_of(1, response_of(fields));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        talk t(with_tls());
        EXPECT_EQ(t.say(whole.substr(0, size)), server_login_action::read_more) << size;
        EXPECT_GT(t.login.read_max(), 0u);
        if (size < 36) {
            EXPECT_EQ(t.login.read_max(), 36 - size);
        }
        EXPECT_EQ(t.sent(), "");
    }
    // What no client sends after its response comes after need_credentials.
    talk t(with_tls());
    EXPECT_EQ(t.say(whole + "rest"), server_login_action::need_credentials);
    EXPECT_EQ(t.in, "rest");
}

TEST(MysqlServerLoginHostile, TlsBytesAreNotForTheMachine)
{
    // Slipped in by whoever stands between, or read by a session that ignores read_max().
    talk t(with_tls());
    EXPECT_EQ(t.say(packet_of(1, ssl_request()) + "\x16"), server_login_action::failed);
    EXPECT_EQ(t.error(), 1043);
    talk twice(with_tls());
    EXPECT_EQ(twice.say(packet_of(1, ssl_request())), server_login_action::start_tls);
    twice.login.tls_started();
    EXPECT_EQ(twice.say(packet_of(2, ssl_request())), server_login_action::failed);
}

TEST(MysqlServerLoginHostile, TlsThatWasNotOffered)
{
    talk t;
    EXPECT_EQ(t.say(packet_of(1, ssl_request())), server_login_action::failed);
    EXPECT_EQ(t.error(), 1043);
    // A whole response that claims TLS.
    talk claims(with_tls());
    response_fields fields;
    fields.capabilities |= capability::ssl;
    EXPECT_EQ(claims.say(packet_of(1, response_of(fields))), server_login_action::failed);
}

TEST(MysqlServerLoginHostile, PacketsTooLargeAreRefusedByTheirHeader)
{
    for (const std::size_t length : {handshake_response_max + 1, std::size_t{0xffffff}}) {
        talk t;
        std::string header(4, '\0');
        store_header(reinterpret_cast<std::byte*>(header.data()),
                     {static_cast<std::uint32_t>(length), 1});
        EXPECT_EQ(t.say(header), server_login_action::failed);
        EXPECT_EQ(t.error(), 1153);
    }
    talk t;
    t.say(packet_of(1, response_of({})));
    t.login.supply(sha2_only("secret"), t.out);
    EXPECT_EQ(t.say(""), server_login_action::read_more);
    EXPECT_EQ(t.say(packet_of(3, std::string(login_answer_max + 1, 'x'))),
              server_login_action::failed);
    EXPECT_EQ(t.error(), 1153);
}

TEST(MysqlServerLoginHostile, LengthsThatLie)
{
    const auto good = response_of({.answer = std::string(20, 'x'), .database = "d"});
    const auto names_end = good.find("alice") + 6;
    struct lie {
        const char* name;
        std::string bytes;
    };
    std::vector<lie> lies{
        {"nothing", ""},
        {"flags alone", good.substr(0, 4)},
        {"an SSLRequest without the flag", good.substr(0, 32)},
        {"a user without end", good.substr(0, 36)},
        {"no answer", good.substr(0, names_end)},
        {"an answer longer than the packet", good.substr(0, names_end) + "\xfb"},
        {"an answer of four gigabytes",
         good.substr(0, names_end) + std::string("\xfe\0\0\0\0\1\0\0\0", 9)},
        {"an answer of all ones", good.substr(0, names_end) + "\xfe" + std::string(8, '\xff')},
        {"half an answer", good.substr(0, names_end + 5)},
        {"attributes longer than the packet",
         response_of({.attributes = "\x05"
                                    "ab"})},
        {"an attribute longer than them all",
         response_of({.attributes = "\x04\x05"
                                    "abc"})},
        {"a name without value",
         response_of({.attributes = "\x02\x01"
                                    "a"})},
        {"more attributes than anybody has",
         response_of({.attributes = "\xfc\x2c\x01" + std::string(300, '\0')})},
        {"a user longer than any", response_of({.user = std::string(user_name_max + 1, 'u')})},
        {"a database longer than any",
         response_of({.capabilities = offered_capabilities,
                      .database = std::string(database_name_max + 1, 'd')})},
        {"MySQL 4.0",
         std::string("\x05\0\xff\xff\xff"
                     "alice\0",
                     11)},
        {"neither 4.1 nor older", flags_of(capability::plugin_auth)},
    };
    for (const auto& one : lies) {
        SCOPED_TRACE(one.name);
        talk t;
        EXPECT_EQ(t.say(packet_of(1, one.bytes)), server_login_action::failed);
        EXPECT_EQ(t.error(), 1043);
        EXPECT_FALSE(t.login.failure().reason.empty());
    }
}

TEST(MysqlServerLoginHostile, OldPasswordsAreRefused)
{
    talk t;
    EXPECT_EQ(t.say(packet_of(1, response_of({.capabilities = capability::protocol_41}))),
              server_login_action::failed);
    EXPECT_EQ(t.error(), 1251);
}

TEST(MysqlServerLoginHostile, PacketsOutOfOrder)
{
    for (const int sequence : {0, 2, 255}) {
        talk t;
        EXPECT_EQ(t.say(packet_of(static_cast<std::uint8_t>(sequence), response_of({}))),
                  server_login_action::failed);
        EXPECT_EQ(t.error(), 1156);
    }
}

TEST(MysqlServerLoginHostile, AClientThatGivesUpPolitely)
{
    talk t;
    EXPECT_EQ(t.say(packet_of(0, "\x01")), server_login_action::gone);
    EXPECT_EQ(t.sent(), "");
    talk later;
    later.say(packet_of(1, response_of({})));
    later.login.supply(sha2_only("secret"), later.out);
    later.say("");
    EXPECT_EQ(later.say(packet_of(0, "\x01")), server_login_action::gone);
}

// Whatever comes as an answer, in each state that waits for one.
TEST(MysqlServerLoginHostile, AnswersThatAreNone)
{
    const std::vector<std::string> answers{"",
                                           std::string(1, '\0'),
                                           "\x02",
                                           "\x01",
                                           "x",
                                           std::string(19, 'x'),
                                           std::string(20, '\0'),
                                           std::string(21, 'x'),
                                           std::string(32, '\0'),
                                           std::string(33, 'x'),
                                           std::string(128, 'x'),
                                           std::string(login_answer_max, 'x')};
    for (const auto& known : {native_only("secret"),
                              sha2_only("secret"),
                              clear_only(),
                              both_kinds("secret"),
                              credentials{}}) {
        for (const bool rsa : {false, true}) {
            for (const auto& answer : answers) {
                server_login_options options;
                options.rsa = rsa ? gateway_key() : nullptr;
                talk t(options);
                response_fields fields;
                fields.plugin = "other";
                t.say(packet_of(1, response_of(fields)));
                t.login.supply(known, t.out);
                auto action = t.say("");
                // Again and again, as whatever the machine asks for.
                for (int i = 3; action == server_login_action::read_more && i < 20; i += 2)
                    action = t.say(packet_of(static_cast<std::uint8_t>(i), answer));
                if (action == server_login_action::check_password) {
                    EXPECT_FALSE(t.login.sealed().open());
                    t.login.password_checked(false, t.out);
                    action = t.say("");
                }
                EXPECT_EQ(action, server_login_action::failed) << answer.size();
                EXPECT_EQ(t.error(), 1045);
            }
        }
    }
}

TEST(MysqlServerLoginHostile, AClearPasswordNeedsItsEnd)
{
    server_login_options options;
    options.unix_socket = true;
    talk t(options);
    response_fields fields;
    fields.plugin = sha2_plugin;
    fields.answer = std::string(32, 'x');
    t.say(packet_of(1, response_of(fields)));
    t.login.supply(clear_only(), t.out);
    t.say("");
    EXPECT_EQ(t.say(packet_of(3, "secret")), server_login_action::failed);
}

TEST(MysqlServerLoginHostile, WithoutRandomnessNobodyIsAsked)
{
    server_login_options options;
    options.random = no_randomness;
    talk t(options);
    EXPECT_EQ(t.say(""), server_login_action::failed);
    EXPECT_EQ(t.login.failure().number, 1105);
}

TEST(MysqlServerLoginHostile, CallsOutOfTurnChangeNothing)
{
    talk t;
    t.login.tls_started();
    t.login.supply(both_kinds("secret"), t.out);
    t.login.password_checked(true, t.out);
    EXPECT_EQ(t.say(""), server_login_action::read_more);
    EXPECT_FALSE(t.login.tls_active());
}

}  // namespace
}  // namespace sluice::mysql
