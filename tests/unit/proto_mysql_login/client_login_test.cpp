// tests/unit/proto_mysql_login/client_login_test.cpp: scripted servers, honest and not.
#include "proto/mysql/client_login.hpp"

#include <gmock/gmock.h>

#include "unit/proto_mysql_login/login_client.hpp"
#include "unit/proto_pg/wire.hpp"

namespace sluice::mysql {
namespace {

using namespace test;
using ::testing::HasSubstr;

const std::string nonce = "ABCDEFGHIJKLMNOPQRST";

// As MariaDB 10.11 writes it (capabilities fef7, fe81; extended 1d at the end of the filler).
std::string mariadb_greeting()
{
    return packet_of(0,
                     wire("0a '5.5.5-10.11.14-MariaDB-0+deb12u2' 00 2a000000 'ABCDEFGH' 00 fef7 2d"
                          "0200 ff81 15 000000000000 1d000000 'IJKLMNOPQRST' 00"
                          "'mysql_native_password' 00")
                         .text());
}

std::string greeting_with(std::uint32_t capabilities, std::string_view plugin)
{
    byte_queue out;
    out.append(
        "\x0a"
        "8.0.36");
    out.append_byte('\0');
    out.append_le(std::uint32_t{42});
    out.append("ABCDEFGH");
    out.append_byte('\0');
    out.append_le(static_cast<std::uint16_t>(capabilities));
    out.append("\xff");
    out.append_le(status::autocommit);
    out.append_le(static_cast<std::uint16_t>(capabilities >> 16));
    out.append(std::string_view("\x15\0\0\0\0\0\0\0\0\0\0IJKLMNOPQRST\0", 24));
    out.append_cstring(plugin);
    return packet_of(0, as_text(out.readable()));
}

class server_talk {
public:
    explicit server_talk(client_login_options options = {.user = "alice", .password = "secret"})
        : login(std::move(options))
    {
    }
    client_login_action say(std::string_view bytes)
    {
        in += bytes;
        const std::vector<char> block(in.begin(), in.end());
        std::size_t consumed = 0;
        const auto action =
            login.step(as_bytes(std::string_view(block.data(), block.size())), consumed, out);
        in.erase(0, consumed);
        return action;
    }
    std::string sent()
    {
        std::string taken(as_text(out.readable()));
        out.clear();
        return taken;
    }
    client_login login;
    std::string in;
    byte_queue out;
};

const std::string ok = std::string(wire("00 00 00 0200 0000").text());

TEST(MysqlClientLogin, MariaDbWhole)
{
    server_talk t({.user = "alice", .password = "secret", .database = "shop"});
    EXPECT_EQ(t.say(mariadb_greeting()), client_login_action::read_more);
    const auto sent = t.sent();
    // No extended capabilities: LONG_PASSWORD set, the filler's end zero.
    const auto flags = load_le<std::uint32_t>(as_bytes(sent).data() + 4);
    EXPECT_TRUE(flags & capability::long_password);
    EXPECT_TRUE(flags & capability::deprecate_eof);
    EXPECT_FALSE(flags & (capability::compress | capability::zstd | capability::query_attributes |
                          capability::optional_metadata | capability::ssl));
    EXPECT_EQ(sent.substr(13, 23), std::string(23, '\0'));
    EXPECT_EQ(sent.substr(36, 6), std::string("alice\0", 6));
    EXPECT_EQ(sent.substr(42, 21), "\x14" + text_of(native_answer("secret", as_bytes(nonce))));
    EXPECT_EQ(sent.substr(63), std::string("shop\0mysql_native_password\0", 27));
    EXPECT_EQ(t.say(packet_of(2, ok)), client_login_action::authenticated);
    EXPECT_EQ(t.login.server_version(), "10.11.14-MariaDB-0+deb12u2");
    EXPECT_TRUE(t.login.is_mariadb());
    EXPECT_EQ(t.login.connection_id(), 42u);
}

TEST(MysqlClientLogin, EveryPrefixAsksForMore)
{
    const auto whole = mariadb_greeting();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        server_talk t;
        EXPECT_EQ(t.say(whole.substr(0, size)), client_login_action::read_more) << size;
        EXPECT_EQ(t.sent(), "");
    }
    const auto verdict = packet_of(2, ok);
    for (std::size_t size = 0; size < verdict.size(); ++size) {
        server_talk t;
        t.say(whole);
        EXPECT_EQ(t.say(verdict.substr(0, size)), client_login_action::read_more) << size;
    }
}

TEST(MysqlClientLogin, VariablesOfTheOkAreKept)
{
    server_talk t;
    t.say(mariadb_greeting());
    // info, then a block of changes: one system variable.
    const auto tracked = wire("00 00 00 0240 0000 00 11 00 0f 0a 'autocommit' 03 'OFF'");
    EXPECT_EQ(t.say(packet_of(2, tracked.text())), client_login_action::authenticated);
    ASSERT_EQ(t.login.variables().size(), 1u);
    EXPECT_EQ(t.login.variables()[0], (std::pair<std::string, std::string>("autocommit", "OFF")));
}

TEST(MysqlClientLogin, AnErrorInsteadOfTheGreeting)
{
    server_talk with_state;
    EXPECT_EQ(with_state.say(packet_of(0, wire("ff 1004 '#08004Too many connections'").text())),
              client_login_action::failed);
    EXPECT_EQ(with_state.login.failure().number, 1040);
    EXPECT_EQ(with_state.login.failure().sqlstate, "08004");
    server_talk without;
    EXPECT_EQ(without.say(packet_of(0, wire("ff 6a04 'Host is not allowed'").text())),
              client_login_action::failed);
    EXPECT_EQ(without.login.failure().number, 1130);
    EXPECT_EQ(without.login.failure().message, "Host is not allowed");
}

TEST(MysqlClientLogin, WhatIsNoGreeting)
{
    const auto good = mariadb_greeting();
    for (const std::string& bytes : {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"),
                                     std::string("SSH-2.0-OpenSSH_9.2\r\n"),
                                     std::string("E\0\0\0\x50SFATAL", 11),
                                     packet_of(0, ""),
                                     packet_of(0,
                                               "\x09"
                                               "3.23\0"),
                                     packet_of(0, good.substr(4, 30)),
                                     packet_of(0, good.substr(4, 70)),
                                     packet_of(1, good.substr(4)),
                                     packet_of(0, std::string(200, '\x0a')),
                                     std::string("\xff\xff\xff\0", 4),
                                     std::string("\x01\0\x01\0", 4),
                                     good + "more"}) {
        server_talk t;
        EXPECT_EQ(t.say(bytes), client_login_action::failed) << bytes;
        EXPECT_EQ(t.login.failure().number, 0);
        EXPECT_FALSE(t.login.failure().message.empty());
        EXPECT_EQ(t.sent(), "") << "nothing is told to whoever that is";
    }
    server_talk t;
    EXPECT_EQ(t.say(greeting_with(capability::protocol_41, "")), client_login_action::failed);
}

TEST(MysqlClientLogin, Tls)
{
    server_talk t({.user = "alice", .password = "secret", .tls = server_tls::require});
    const auto greeting = greeting_with(offered_capabilities | capability::ssl, sha2_plugin);
    EXPECT_EQ(t.say(greeting), client_login_action::start_tls);
    const auto request = t.sent();
    EXPECT_EQ(request.size(), 36u);
    EXPECT_EQ(request.find("alice"), std::string::npos);
    EXPECT_EQ(t.say(""), client_login_action::start_tls);
    t.login.tls_started(t.out);
    EXPECT_EQ(t.say(""), client_login_action::read_more);
    EXPECT_THAT(t.sent(), HasSubstr("alice"));
    // Full authentication: the password itself.
    EXPECT_EQ(t.say(packet_of(3, "\x01\x04")), client_login_action::read_more);
    EXPECT_EQ(t.sent(), packet_of(4, std::string_view("secret\0", 7)));
    EXPECT_EQ(t.say(packet_of(5, ok)), client_login_action::authenticated);

    // What stands behind the greeting would be taken for the encrypted server's word.
    server_talk injected({.user = "alice", .tls = server_tls::prefer});
    EXPECT_EQ(injected.say(greeting + packet_of(3, ok)), client_login_action::failed);
}

TEST(MysqlClientLogin, SwitchesOfAuthentication)
{
    const auto to = [](const std::string& plugin, const std::string& data) {
        return packet_of(2, "\xfe" + plugin + '\0' + data);
    };
    struct switch_case {
        std::string bytes;
        const char* problem;
    };
    const std::string long_nonce(32, 'n');
    for (const auto& c : std::vector<switch_case>{
             {to("mysql_native_password", nonce + '\0'), nullptr},
             {to("mysql_native_password", nonce), nullptr},
             {to("caching_sha2_password", nonce + '\0'), nullptr},
             {to("client_ed25519", long_nonce), nullptr},
             {to("mysql_native_password", nonce.substr(1)), "too short"},
             {to("caching_sha2_password", ""), "too short"},
             {to("client_ed25519", long_nonce.substr(1)), "too short"},
             {to("mysql_clear_password", ""), "needs TLS"},
             {to("mysql_old_password", nonce), "mysql_old_password"},
             {packet_of(2, "\xfe"), "mysql_old_password"},
             {to("dialog", ""), "\"dialog\", which is not supported"},
             {packet_of(2,
                        "\x02"
                        "authentication_fido"),
              "second factor"},
             {to("", ""), "not supported"},
             {packet_of(2,
                        "\xfe"
                        "no end"),
              "malformed"},
         }) {
        server_talk t;
        t.say(mariadb_greeting());
        (void)t.sent();
        const auto action = t.say(c.bytes);
        EXPECT_EQ(action, c.problem ? client_login_action::failed : client_login_action::read_more);
        if (c.problem) {
            EXPECT_THAT(t.login.failure().message, HasSubstr(c.problem));
            EXPECT_EQ(t.sent(), "");
        } else {
            EXPECT_EQ(t.say(packet_of(4, ok)), client_login_action::authenticated);
        }
        EXPECT_EQ(t.login.failure().message.find("secret"), std::string::npos);
    }
}

TEST(MysqlClientLogin, AnEmptyPasswordIsAnsweredWithNothing)
{
    for (const auto& plugin : {native_plugin, sha2_plugin}) {
        server_talk t({.user = "alice"});
        t.say(greeting_with(offered_capabilities, plugin));
        const auto sent = t.sent();
        EXPECT_EQ(sent[42], '\0');
        EXPECT_EQ(t.say(packet_of(2, ok)), client_login_action::authenticated);
    }
}

TEST(MysqlClientLogin, ServersThatDoNotMakeSense)
{
    for (const std::string& bytes : {packet_of(2, ""),
                                     packet_of(3, ok),
                                     packet_of(2, std::string_view("\0", 1)),
                                     packet_of(2, "\xff"),
                                     packet_of(2,
                                               "\xfb"
                                               "/etc/passwd"),
                                     packet_of(2,
                                               "\x05"
                                               "rows"),
                                     packet_of(2, "\x01"),
                                     packet_of(2, "\x01\x03"),
                                     packet_of(2,
                                               "\x01"
                                               "-----BEGIN PUBLIC KEY-----"),
                                     std::string("\0\0\x02\x02", 4)}) {
        server_talk t;
        t.say(mariadb_greeting());
        (void)t.sent();
        EXPECT_EQ(t.say(bytes), client_login_action::failed) << bytes;
        EXPECT_EQ(t.sent(), "");
    }
}

TEST(MysqlClientLogin, ServersThatNeverEnd)
{
    server_talk t;
    t.say(mariadb_greeting());
    auto action = client_login_action::read_more;
    std::uint8_t sequence = 2;
    for (int i = 0; i < auth_rounds_max; ++i, ++sequence, ++sequence) {
        action = t.say(packet_of(sequence,
                                 std::string("\xfe"
                                             "mysql_native_password\0",
                                             23) +
                                     nonce));
        EXPECT_EQ(action, client_login_action::read_more);
    }
    action = t.say(packet_of(sequence,
                             std::string("\xfe"
                                         "mysql_native_password\0",
                                         23) +
                                 nonce));
    EXPECT_EQ(action, client_login_action::failed);
}

TEST(MysqlClientLogin, KeysThatAreNone)
{
    for (const std::string& key : {std::string(),
                                   std::string("-----BEGIN PUBLIC KEY-----\nAAAA\n"
                                               "-----END PUBLIC KEY-----\n"),
                                   std::string(60000, 'k')}) {
        server_talk t;
        t.say(greeting_with(offered_capabilities, sha2_plugin));
        (void)t.sent();
        EXPECT_EQ(t.say(packet_of(2, "\x01\x04")), client_login_action::read_more);
        EXPECT_EQ(t.sent(), packet_of(3, "\x02"));
        EXPECT_EQ(t.say(packet_of(4, "\x01" + key)), client_login_action::failed);
        EXPECT_THAT(t.login.failure().message, HasSubstr("RSA key"));
    }
}

}  // namespace
}  // namespace sluice::mysql
