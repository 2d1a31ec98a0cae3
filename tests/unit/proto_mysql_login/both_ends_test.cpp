// tests/unit/proto_mysql_login/both_ends_test.cpp: client and server machine over every plugin.
#include "unit/proto_mysql_login/both_ends.hpp"

#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

using namespace test;

struct plugin_case {
    const char* name;
    auth_plugin greeted;
    bool tls = false;
    bool unix_socket = false;
    bool rsa = false;
    credentials known;
    int checks = 0;  // passwords that have to be compared in the clear
};

std::vector<plugin_case> cases()
{
    const auto native = auth_plugin::native_password;
    const auto sha2 = auth_plugin::caching_sha2_password;
    return {
        {"native", native, false, false, false, native_only("secret")},
        {"native under TLS", native, true, false, false, native_only("secret")},
        {"native although sha2 was greeted", sha2, false, false, false, native_only("secret")},
        {"sha2 fast", sha2, false, false, false, sha2_only("secret")},
        {"sha2 although native was greeted", native, false, false, false, sha2_only("secret")},
        {"native where both are known", native, false, false, false, both_kinds("secret")},
        {"sha2 where both are known", sha2, false, false, false, both_kinds("secret")},
        {"sha2 full under TLS", sha2, true, false, false, clear_only(), 1},
        {"sha2 full on a socket", sha2, false, true, false, clear_only(), 1},
        {"sha2 full with RSA", sha2, false, false, true, clear_only(), 1},
        {"sha2 full with RSA after a switch", native, false, false, true, clear_only(), 1},
        {"sha2 full for a native verifier", sha2, true, false, false, native_only("secret"), 1},
    };
}

meeting meeting_of(const plugin_case& c)
{
    meeting m;
    m.server.plugin = c.greeted;
    m.server.tls = c.tls ? client_tls::require : client_tls::off;
    m.server.unix_socket = m.client.unix_socket = c.unix_socket;
    m.server.rsa = c.rsa ? gateway_key() : nullptr;
    m.known = c.known;
    return m;
}

TEST(MysqlBothEnds, EveryPluginLetsTheRightPasswordIn)
{
    for (const auto& c : cases()) {
        for (const bool byte_by_byte : {false, true}) {
            SCOPED_TRACE(c.name);
            auto m = meeting_of(c);
            m.byte_by_byte = byte_by_byte;
            both_ends ends(std::move(m));
            ASSERT_TRUE(ends.run());
            EXPECT_EQ(ends.server_says, server_login_action::authenticated)
                << ends.server.failure().reason;
            EXPECT_EQ(ends.client_says, client_login_action::authenticated)
                << ends.client.failure().message;
            EXPECT_EQ(ends.tls, c.tls);
            EXPECT_EQ(ends.server.tls_active(), c.tls);
            EXPECT_EQ(ends.checks, c.checks);
            EXPECT_EQ(ends.to_server.find("secret") != std::string::npos, c.checks > 0 && !c.rsa)
                << "in the clear only where that is safe";
        }
    }
}

TEST(MysqlBothEnds, EveryPluginKeepsTheWrongPasswordOut)
{
    for (const auto& c : cases()) {
        for (const char* password : {"Secret", "secret ", ""}) {
            SCOPED_TRACE(std::string(c.name) + ", '" + password + "'");
            auto m = meeting_of(c);
            m.client.password = password;
            both_ends ends(std::move(m));
            ASSERT_TRUE(ends.run());
            EXPECT_EQ(ends.server_says, server_login_action::failed);
            EXPECT_EQ(ends.client_says, client_login_action::failed);
            EXPECT_EQ(ends.client.failure().number, 1045);
            EXPECT_EQ(ends.client.failure().sqlstate, "28000");
            EXPECT_EQ(ends.client.failure().message,
                      std::string("Access denied for user 'alice'@'localhost' (using password: ") +
                          (*password ? "YES)" : "NO)"));
        }
    }
}

TEST(MysqlBothEnds, AnUnknownUserIsAskedAndRefusedLikeAKnownOne)
{
    for (const auto& c : cases()) {
        SCOPED_TRACE(c.name);
        std::string transcripts[2];
        std::string reasons[2];
        for (const bool known : {false, true}) {
            auto m = meeting_of(c);
            m.server.random = constant_bytes;
            m.known.known = known;
            m.scram_password = "other";
            m.client.password = "wrong";
            both_ends ends(std::move(m));
            ASSERT_TRUE(ends.run());
            transcripts[known] = ends.to_client;
            reasons[known] = ends.server.failure().reason;
        }
        EXPECT_EQ(transcripts[0], transcripts[1]);
        EXPECT_NE(reasons[0], reasons[1]) << "the log may tell them apart";
    }
}

TEST(MysqlBothEnds, SeveralPasswordsAreTried)
{
    for (const auto plugin : {auth_plugin::native_password, auth_plugin::caching_sha2_password}) {
        for (const char* password : {"old", "new", "scram", "none"}) {
            meeting m;
            m.server.plugin = plugin;
            m.server.rsa = gateway_key();
            m.known = both_kinds("old");
            m.known.native.push_back(native_stage2("new"));
            m.known.sha2.push_back(sha2_stage2("new"));
            m.known.other = true;
            m.scram_password = "scram";
            m.client.password = password;
            both_ends ends(std::move(m));
            ASSERT_TRUE(ends.run());
            const bool right = password != std::string_view("none");
            EXPECT_EQ(ends.client_says == client_login_action::authenticated, right) << password;
        }
    }
}

TEST(MysqlBothEnds, TrustTakesAnyPassword)
{
    for (const auto plugin : {auth_plugin::native_password, auth_plugin::caching_sha2_password}) {
        for (const char* password : {"any", ""}) {
            meeting m;
            m.server.plugin = plugin;
            m.server.trust = true;
            m.client.password = password;
            both_ends ends(std::move(m));
            ASSERT_TRUE(ends.run());
            EXPECT_EQ(ends.client_says, client_login_action::authenticated);
        }
    }
}

TEST(MysqlBothEnds, WhatWasSaidIsReadable)
{
    meeting m;
    m.server.server_version = "5.5.5-10.11.6-MariaDB-sluice";
    m.server.connection_id = 0x01020304;
    m.client.database = "shop";
    m.client.collation = 33;
    m.client.capabilities |= capability::found_rows;
    m.client.attributes = {{"program_name", "test"}, {"long", std::string(1000, 'x')}};
    both_ends ends(std::move(m));
    ASSERT_TRUE(ends.run());
    ASSERT_EQ(ends.client_says, client_login_action::authenticated);
    EXPECT_EQ(ends.client.server_version(), "10.11.6-MariaDB-sluice");
    EXPECT_TRUE(ends.client.is_mariadb());
    EXPECT_EQ(ends.client.connection_id(), 0x01020304u);
    EXPECT_EQ(ends.client.status(), status::autocommit);
    EXPECT_EQ(ends.server.user(), "alice");
    EXPECT_EQ(ends.server.database(), "shop");
    EXPECT_EQ(ends.server.collation(), 33);
    EXPECT_EQ(ends.server.max_packet(), 1u << 30);
    ASSERT_EQ(ends.server.attributes().size(), 2u);
    EXPECT_EQ(ends.server.attributes()[0].first, "program_name");
    EXPECT_EQ(ends.server.attributes()[1].second.size(), 1000u);
    EXPECT_EQ(ends.server.capabilities(), ends.client.capabilities());
    const auto both = ends.client.capabilities();
    EXPECT_EQ(both,
              wanted_capabilities | capability::found_rows | capability::connect_with_db |
                  capability::connect_attrs);
}

TEST(MysqlBothEnds, TheClientInsistsOnTlsWhereItIsTold)
{
    meeting m;
    m.client.tls = server_tls::require;
    both_ends ends(std::move(m));
    ASSERT_TRUE(ends.run());
    EXPECT_EQ(ends.client_says, client_login_action::failed);
    EXPECT_EQ(ends.client.failure().number, 0);
    EXPECT_TRUE(ends.to_server.empty()) << "not even the user's name";
}

TEST(MysqlBothEnds, TheServerInsistsOnTlsButNotOnASocket)
{
    for (const bool socket : {false, true}) {
        meeting m;
        m.server.tls = client_tls::require;
        m.server.unix_socket = socket;
        m.client.tls = server_tls::off;
        both_ends ends(std::move(m));
        ASSERT_TRUE(ends.run());
        EXPECT_EQ(ends.client.failure().number, socket ? 0 : 3159);
        EXPECT_EQ(ends.client_says == client_login_action::authenticated, socket);
    }
}

TEST(MysqlBothEnds, WithoutTlsAClearPasswordIsNeverGiven)
{
    meeting m;
    m.server.rsa = gateway_key();
    m.known = clear_only();
    m.client.ask_server_key = false;
    both_ends refuses(m);
    ASSERT_TRUE(refuses.run());
    EXPECT_EQ(refuses.client_says, client_login_action::failed);
    EXPECT_EQ(refuses.client.failure().number, 0);

    m.client.server_key = gateway_key();
    both_ends pinned(std::move(m));
    ASSERT_TRUE(pinned.run());
    EXPECT_EQ(pinned.client_says, client_login_action::authenticated);
    EXPECT_EQ(pinned.to_client.find("PUBLIC KEY"), std::string::npos) << "nobody asked";
}

TEST(MysqlBothEnds, AServerWithoutTlsOrKeySaysNoToScramUsers)
{
    meeting m;
    m.known = clear_only();
    both_ends ends(std::move(m));
    ASSERT_TRUE(ends.run());
    EXPECT_EQ(ends.client.failure().number, 1045);
    EXPECT_NE(ends.server.failure().reason.find("over TLS"), std::string::npos);
}

}  // namespace
}  // namespace sluice::mysql
