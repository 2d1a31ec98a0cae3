// tests/unit/proto_mysql_login/server_login_test.cpp: scripted logins, whole and failing at each
// step.
#include "proto/mysql/server_login.hpp"

#include <gtest/gtest.h>

#include "unit/proto_mysql_login/login_client.hpp"
#include "unit/proto_pg/wire.hpp"

namespace sluice::mysql {
namespace {

using namespace test;

response_fields native_response(std::string_view password = "secret")
{
    response_fields fields;
    fields.answer = text_of(native_answer(password, as_bytes(first_nonce())));
    return fields;
}

response_fields sha2_response(std::string_view password = "secret")
{
    response_fields fields;
    fields.answer = text_of(sha2_answer(password, as_bytes(first_nonce())));
    fields.plugin = sha2_plugin;
    return fields;
}

TEST(MysqlServerLogin, TheGreeting)
{
    server_login_options options;
    options.server_version = "8.0.36";
    options.connection_id = 0x0a0b0c0d;
    talk t(options);
    // No TLS, no compression, no query attributes; LONG_PASSWORD, so none of MariaDB's extensions.
    EXPECT_EQ(t.greeting,
              wire("4a0000 00 0a '8.0.36' 00 0d0c0b0a 'ABCDEFGH' 00 8fa3 2d 0200 bf01 15"
                   "00000000000000000000 'IJKLMNOPQRST' 00 'caching_sha2_password' 00")
                  .text());
    options.tls = client_tls::prefer;
    options.plugin = auth_plugin::native_password;
    talk with_tls(options);
    EXPECT_NE(with_tls.greeting.find("mysql_native_password"), std::string::npos);
    EXPECT_EQ(load_le<std::uint16_t>(as_bytes(with_tls.greeting).data() + 25) & capability::ssl,
              capability::ssl);
}

TEST(MysqlServerLogin, NonceBytesFitIntoCStrings)
{
    server_login_options options;
    options.random = [](std::span<std::byte> bytes) noexcept {
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] =
                std::array{std::byte{0}, std::byte{'$'}, std::byte{0x80}, std::byte{0xff}}[i % 4];
        return true;
    };
    talk t(options);
    EXPECT_EQ(t.login.nonce(),
              std::string(wire("01 '%' 01 7f 01 '%' 01 7f 01 '%' 01 7f 01 '%' 01 7f"
                               "01 '%' 01 7f")
                              .text()));
}

TEST(MysqlServerLogin, NativeWhole)
{
    talk t;
    auto fields = native_response();
    fields.capabilities |= capability::connect_with_db | capability::compress |
                           capability::query_attributes | capability::optional_metadata;
    fields.database = "shop";
    fields.attributes = wire("11 04 '_pid' 02 '42' 04 'name' 03 'app'").text();
    EXPECT_EQ(t.say(packet_of(1, response_of(fields))), server_login_action::need_credentials);
    EXPECT_EQ(t.say(""), server_login_action::need_credentials);
    EXPECT_EQ(t.login.user(), "alice");
    EXPECT_EQ(t.login.database(), "shop");
    EXPECT_EQ(t.login.collation(), 0x21);
    EXPECT_EQ(t.login.max_packet(), 1u << 24);
    EXPECT_EQ(t.login.capabilities(), offered_capabilities) << "what was not offered is not kept";
    ASSERT_EQ(t.login.attributes().size(), 2u);
    EXPECT_EQ(t.login.attributes()[1], (std::pair<std::string, std::string>("name", "app")));
    t.login.supply(native_only("secret"), t.out);
    EXPECT_EQ(t.say(""), server_login_action::authenticated);
    EXPECT_TRUE(t.login.known().native.empty()) << "verifiers are forgotten once used";
    EXPECT_EQ(t.sent(), "") << "the session has the last word";
    t.login.welcome(status::autocommit, t.out);
    EXPECT_EQ(t.sent(), wire("070000 02 00 00 00 0200 0000").text());
}

TEST(MysqlServerLogin, CachingSha2Fast)
{
    talk t;
    t.say(packet_of(1, response_of(sha2_response())));
    t.login.supply(sha2_only("secret"), t.out);
    EXPECT_EQ(t.say(""), server_login_action::authenticated);
    t.login.welcome(status::autocommit, t.out);
    EXPECT_EQ(t.sent(), wire("020000 02 0103 070000 03 00 00 00 0200 0000").text());
}

TEST(MysqlServerLogin, CachingSha2FullByteByByte)
{
    server_login_options options;
    options.tls = client_tls::prefer;
    talk t(options);
    const auto dribble = [&t](const std::string& bytes) {
        auto action = server_login_action::read_more;
        for (std::size_t i = 0; i < bytes.size() && action == server_login_action::read_more; ++i)
            action = t.say(bytes.substr(i, 1));
        return action;
    };
    EXPECT_EQ(dribble(packet_of(1, ssl_request())), server_login_action::start_tls);
    EXPECT_EQ(t.in, "");
    t.login.tls_started();
    EXPECT_EQ(dribble(packet_of(2, response_of(sha2_response()))),
              server_login_action::need_credentials);
    t.login.supply(clear_only(), t.out);
    EXPECT_EQ(t.say(""), server_login_action::read_more);
    EXPECT_EQ(t.sent(), wire("020000 03 0104").text());
    EXPECT_EQ(dribble(packet_of(4, std::string_view("secret\0", 7))),
              server_login_action::check_password);
    EXPECT_EQ(t.login.sealed().open(), "secret");
    t.login.password_checked(true, t.out);
    EXPECT_EQ(t.say(""), server_login_action::authenticated);
    t.login.welcome(status::autocommit, t.out);
    EXPECT_EQ(t.sent(), wire("070000 05 00 00 00 0200 0000").text());
}

TEST(MysqlServerLogin, AnAuthSwitchHasTheGreetingsNonce)
{
    talk t;
    auto fields = native_response();
    t.say(packet_of(1, response_of(fields)));
    t.login.supply(sha2_only("secret"), t.out);
    EXPECT_EQ(t.say(""), server_login_action::read_more);
    EXPECT_EQ(t.sent(),
              wire("2c0000 02 fe 'caching_sha2_password' 00 'ABCDEFGHIJKLMNOPQRST' 00").text());
    EXPECT_EQ(t.say(packet_of(3, text_of(sha2_answer("secret", as_bytes(first_nonce()))))),
              server_login_action::authenticated);
}

// PyMySQL's answer.
TEST(MysqlServerLogin, AnAuthSwitchMayBeAnsweredWithTheZeroBehindItsNonce)
{
    for (const char* password : {"secret", "wrong"}) {
        talk t;
        t.say(packet_of(1, response_of(native_response())));
        t.login.supply(sha2_only("secret"), t.out);
        t.say("");
        const auto answer = text_of(sha2_answer(password, as_bytes(first_nonce() + '\0')));
        EXPECT_EQ(t.say(packet_of(3, answer)) == server_login_action::authenticated,
                  password == std::string_view("secret"));
    }
}

TEST(MysqlServerLogin, PluginsThatWeDoNotKnowAreAskedForAnother)
{
    for (const char* plugin : {"client_ed25519", "mysql_clear_password", "dialog", ""}) {
        talk t;
        response_fields fields;
        fields.plugin = plugin;
        fields.answer = "whatever";
        t.say(packet_of(1, response_of(fields)));
        t.login.supply(native_only("secret"), t.out);
        EXPECT_EQ(t.say(""), server_login_action::read_more) << plugin;
        EXPECT_NE(t.sent().find("mysql_native_password"), std::string::npos);
        const auto answer = text_of(native_answer("secret", as_bytes(first_nonce())));
        EXPECT_EQ(t.say(packet_of(3, answer)), server_login_action::authenticated);
    }
}

TEST(MysqlServerLogin, AClientWithoutPluginsIsNative)
{
    for (const bool known : {true, false}) {
        talk t;
        auto fields = native_response();
        fields.capabilities &=
            ~(capability::plugin_auth | capability::plugin_auth_lenenc | capability::connect_attrs);
        t.say(packet_of(1, response_of(fields)));
        t.login.supply(known ? native_only("secret") : sha2_only("secret"), t.out);
        EXPECT_EQ(t.say(""),
                  known ? server_login_action::authenticated : server_login_action::failed);
        EXPECT_EQ(t.error(), known ? 0 : 1251);
    }
}

TEST(MysqlServerLogin, ChangeUser)
{
    for (const bool plugins : {true, false}) {
        session_so_far before;
        before.capabilities = offered_capabilities;
        if (!plugins)
            before.capabilities &= ~(capability::plugin_auth | capability::connect_attrs);
        before.nonce = first_nonce();
        talk t({}, before);
        auto fields = native_response();
        fields.capabilities = before.capabilities;
        fields.user = "bob";
        fields.database = "other";
        fields.attributes = wire("05 01 'a' 02 'bc'").text();
        if (plugins)  // made with a nonce of its own, as some clients do
            fields.answer = text_of(native_answer("secret", as_bytes("another nonce of 20b")));
        EXPECT_EQ(t.say(packet_of(0, change_user_of(fields))),
                  server_login_action::need_credentials);
        EXPECT_EQ(t.login.user(), "bob");
        EXPECT_EQ(t.login.database(), "other");
        EXPECT_EQ(t.login.collation(), 45);
        EXPECT_EQ(t.login.attributes().size(), plugins ? 1u : 0u);
        t.login.supply(both_kinds("secret"), t.out);
        if (plugins) {
            EXPECT_EQ(t.say(""), server_login_action::read_more);
            EXPECT_TRUE(t.sent().starts_with(wire("2c0000 01 fe 'caching_sha2_password'").text()));
            const auto answer = text_of(sha2_answer("secret", as_bytes(first_nonce())));
            EXPECT_EQ(t.say(packet_of(2, answer)), server_login_action::authenticated);
        } else {
            EXPECT_EQ(t.say(""), server_login_action::authenticated);
            t.login.welcome(status::autocommit, t.out);
            EXPECT_EQ(t.sent(), wire("070000 01 00 00 00 0200 0000").text());
        }
    }
}

TEST(MysqlServerLogin, ChangeUserAnsweredWithTheLoginsNonce)
{
    session_so_far before;
    before.capabilities = offered_capabilities;
    before.nonce = first_nonce();
    talk t({}, before);
    auto fields = native_response();
    t.say(packet_of(0, change_user_of(fields)));
    t.login.supply(both_kinds("secret"), t.out);
    EXPECT_EQ(t.say(""), server_login_action::authenticated);
    EXPECT_EQ(t.login.sequence(), 1);
}

TEST(MysqlServerLogin, ChangeUserAsksWithTheNonceOfTheLogin)
{
    session_so_far before{
        .capabilities = offered_capabilities, .tls = true, .nonce = "an older nonce of 20"};
    talk t({}, before);
    t.say(packet_of(0, change_user_of(native_response())));
    EXPECT_TRUE(t.login.tls_active());
    t.login.supply(native_only("secret"), t.out);
    t.say("");
    EXPECT_NE(t.sent().find(before.nonce), std::string::npos);
}

TEST(MysqlServerLogin, ChangeUserThatIsNone)
{
    for (const std::string& bytes : {std::string("\x11", 1),
                                     std::string("\x11user"),
                                     std::string("\x11user\0\x14short", 12),
                                     std::string("\x11user\0\0db", 9),
                                     std::string("\x11user\0\0db\0\x2d", 11),
                                     std::string("\x03SELECT 1\0\0\0", 12)}) {
        session_so_far before;
        before.capabilities = offered_capabilities;
        talk t({}, before);
        EXPECT_EQ(t.say(packet_of(0, bytes)), server_login_action::failed) << bytes;
        EXPECT_EQ(t.error(), 1835);
    }
}

TEST(MysqlServerLogin, RefusalsOfTheCaller)
{
    const err_message busy{1040, "08004", "Too many connections"};
    byte_queue out;
    server_login early{server_login_options{}};
    early.refuse(busy, "max_clients", out);
    EXPECT_EQ(as_text(out.readable()),
              wire("1d0000 00 ff 1004 '#08004Too many connections'").text());
    std::size_t consumed = 0;
    EXPECT_EQ(early.step({}, consumed, out), server_login_action::failed);

    talk late;
    late.say(packet_of(1, response_of(native_response())));
    late.login.supply(native_only("secret"), late.out);
    EXPECT_EQ(late.say(""), server_login_action::authenticated);
    late.login.refuse({1049, "42000", "Unknown database 'x'"}, "no such database", late.out);
    EXPECT_EQ(late.error(), 1049);
    EXPECT_EQ(late.login.failure().number, 1049);
    EXPECT_EQ(late.login.failure().reason, "no such database");
}

}  // namespace
}  // namespace sluice::mysql
