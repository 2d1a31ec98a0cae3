// tests/integration/drivers_mysql/tls_test.cpp: encrypted connections, verified and refused.
#include <gmock/gmock.h>

#include "integration/drivers_mysql/connecting.hpp"
#include "proto/core/errc.hpp"

namespace sluice {
namespace {

using mysql::tls_mode;
using ::testing::HasSubstr;

class MysqlTls : public ::testing::Test {
protected:
    mysql::connect_options options(const char* user, tls_mode mode, const std::string& ca = "")
    {
        auto made = options_for(tls_server(), user);
        made.tls = tls(mode, ca);
        return made;
    }
    // Where `options` lead, under another name.
    mysql::connect_options named(mysql::connect_options options, const std::string& name)
    {
        const auto there = host_.connect(options_for(tls_server(), "app"));
        EXPECT_TRUE(there) << there.message;
        options.only = there.connection->server;
        options.host = name;
        return options;
    }
    driver_host host_;
};

TEST_F(MysqlTls, EveryModeIsEncryptedWithTheRightCa)
{
    for (const auto mode : {tls_mode::preferred,
                            tls_mode::required,
                            tls_mode::verify_ca,
                            tls_mode::verify_identity}) {
        for (const char* user : {"app", "ed", "secure"}) {
            const auto result = host_.connect(options(user, mode, tls_server().ca_file()));
            ASSERT_TRUE(result) << user << ": " << result.message;
            const auto& on = *result.connection;
            ASSERT_TRUE(on.ssl);
            EXPECT_NE(on.capabilities & mysql::capability::ssl, 0u);
            const auto cipher = raw_query(on, "SHOW SESSION STATUS LIKE 'Ssl_cipher'");
            EXPECT_THAT(cipher.at(3), HasSubstr("TLS_"));
        }
    }
}

TEST_F(MysqlTls, NamesAreVerifiedAsWellAsAddresses)
{
    auto by_name = options("app", tls_mode::verify_identity, tls_server().ca_file());
    by_name.host = "localhost";
    const auto result = host_.connect(by_name);
    EXPECT_TRUE(result) << result.message;
}

TEST_F(MysqlTls, AnotherNameIsRefusedWhereNamesCount)
{
    const auto ca = tls_server().ca_file();
    for (const char* name : {"elsewhere.example", "127.0.0.2"}) {
        const auto strict =
            host_.connect(named(options("app", tls_mode::verify_identity, ca), name));
        EXPECT_EQ(strict.error, errc::connect_failed);
        EXPECT_THAT(strict.message, HasSubstr("certificate is not to be trusted"));
        EXPECT_THAT(strict.message, HasSubstr("mismatch"));
        EXPECT_TRUE(host_.connect(named(options("app", tls_mode::verify_ca, ca), name)));
    }
}

TEST_F(MysqlTls, AnotherCaIsRefused)
{
    for (const auto mode : {tls_mode::verify_ca, tls_mode::verify_identity}) {
        const auto result = host_.connect(options("app", mode, tls_server().other_ca_file()));
        EXPECT_EQ(result.error, errc::connect_failed);
        EXPECT_THAT(result.message, HasSubstr("certificate is not to be trusted"));
    }
}

TEST_F(MysqlTls, PreferredTakesAServerWithoutAndRequiredDoesNot)
{
    auto preferred = options_for(plain_server(), "app");
    preferred.tls = tls(tls_mode::preferred);
    const auto result = host_.connect(preferred);
    ASSERT_TRUE(result) << result.message;
    EXPECT_FALSE(result.connection->ssl);
    auto required = preferred;
    required.tls = tls(tls_mode::required);
    const auto refused = host_.connect(required);
    EXPECT_EQ(refused.error, errc::connect_failed);
    EXPECT_THAT(refused.message, HasSubstr("offers no TLS"));
}

TEST_F(MysqlTls, AnAccountThatNeedsTlsIsNotEnteredWithout)
{
    EXPECT_EQ(host_.connect(options_for(tls_server(), "secure")).number, 1045);
}

TEST_F(MysqlTls, ALargeReplyComesWhole)
{
    const auto result = host_.connect(options("app", tls_mode::required));
    ASSERT_TRUE(result) << result.message;
    const auto reply = raw_query(*result.connection, "SELECT REPEAT('x', 1000000)");
    EXPECT_EQ(value_of(reply).size(), 1000000u);
}

TEST_F(MysqlTls, FilesThatCannotBeUsedAreNamed)
{
    std::string error;
    const mysql::tls_settings no_ca{.mode = tls_mode::verify_ca, .ca_file = "/nonexistent.pem"};
    EXPECT_FALSE(mysql::tls_context::make(no_ca, error));
    EXPECT_THAT(error, HasSubstr("/nonexistent.pem"));
    const mysql::tls_settings no_key{.mode = tls_mode::required, .cert_file = "/none.crt"};
    EXPECT_FALSE(mysql::tls_context::make(no_key, error));
    EXPECT_THAT(error, HasSubstr("/none.crt"));
    error.clear();
    EXPECT_FALSE(mysql::tls_context::make({.mode = tls_mode::disabled}, error));
    EXPECT_EQ(error, "");
}

}  // namespace
}  // namespace sluice
