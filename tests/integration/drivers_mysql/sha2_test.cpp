// tests/integration/drivers_mysql/sha2_test.cpp: caching_sha2_password in all its ways, against our
// own server side: Debian has no MySQL 8.
#include <gmock/gmock.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include <filesystem>

#include "integration/drivers_mysql/connecting.hpp"
#include "integration/drivers_mysql/scripted_server.hpp"
#include "proto/core/errc.hpp"
#include "support/certificates.hpp"

namespace sluice {
namespace {

using ::testing::HasSubstr;

// Certificates, and a context of a server's that shows them.
class MysqlSha2 : public ::testing::Test {
protected:
    static void SetUpTestSuite()
    {
        char name[] = "/tmp/sluice-sha2-XXXXXX";
        folder = ::mkdtemp(name);
        std::filesystem::permissions(folder, std::filesystem::perms(0777));
        support::create_certificates(folder);
        server_context = SSL_CTX_new(TLS_server_method());
        ASSERT_EQ(
            SSL_CTX_use_certificate_chain_file(server_context, (folder + "/server.crt").c_str()),
            1);
        ASSERT_EQ(SSL_CTX_use_PrivateKey_file(
                      server_context, (folder + "/server.key").c_str(), SSL_FILETYPE_PEM),
                  1);
    }
    static void TearDownTestSuite()
    {
        SSL_CTX_free(server_context);
        std::filesystem::remove_all(folder);
    }

    static mysql::credentials fast()
    {
        mysql::credentials known;
        known.sha2.push_back(mysql::sha2_stage2("secret"));
        return known;
    }
    static mysql::credentials full()
    {
        mysql::credentials known;
        known.other = true;
        return known;
    }
    static mysql::connect_options to(const scripted_server& server)
    {
        mysql::connect_options options;
        options.host = "127.0.0.1";
        options.port = server.port();
        options.user = "alice";
        options.password = "secret";
        return options;
    }
    void works(const mysql::connect_options& options)
    {
        auto result = host_.connect(options);
        ASSERT_TRUE(result) << result.message;
        EXPECT_EQ(raw_query(*result.connection, "SET x = 1").size(), 1u);
        mysql::close(std::move(*result.connection));  // the server has one at a time
        auto wrong = options;
        wrong.password = "Secret";
        EXPECT_EQ(host_.connect(wrong).number, 1045);
    }

    inline static std::string folder;
    inline static SSL_CTX* server_context = nullptr;
    driver_host host_;
};

TEST_F(MysqlSha2, Fast)
{
    scripted_server server({.known = fast()});
    works(to(server));
    EXPECT_EQ(server.clear_passwords(), 0);
}

TEST_F(MysqlSha2, FastUnderTls)
{
    scripted_settings settings{.known = fast(), .tls = server_context};
    settings.login.tls = mysql::client_tls::require;
    scripted_server server(settings);
    auto options = to(server);
    options.tls = tls(mysql::tls_mode::verify_identity, folder + "/ca.crt");
    works(options);
}

TEST_F(MysqlSha2, FullUnderTls)
{
    scripted_settings settings{.known = full(), .tls = server_context};
    settings.login.tls = mysql::client_tls::prefer;
    scripted_server server(settings);
    auto options = to(server);
    options.tls = tls(mysql::tls_mode::verify_identity, folder + "/ca.crt");
    works(options);
    EXPECT_EQ(server.clear_passwords(), 2);
}

TEST_F(MysqlSha2, FullOverAUnixSocket)
{
    scripted_settings settings{.known = full(), .socket = folder + "/server.sock"};
    settings.login.unix_socket = true;
    scripted_server server(settings);
    auto options = to(server);
    options.socket = settings.socket;
    works(options);
    EXPECT_EQ(server.clear_passwords(), 2);
}

TEST_F(MysqlSha2, FullWithRsa)
{
    scripted_settings settings{.known = full()};
    settings.login.rsa = mysql::rsa_key(EVP_RSA_gen(2048), EVP_PKEY_free);
    scripted_server server(settings);
    works(to(server));
    EXPECT_EQ(server.clear_passwords(), 2);
    auto careful = to(server);
    careful.ask_server_key = false;
    const auto refused = host_.connect(careful);
    EXPECT_EQ(refused.error, errc::connect_failed);
    EXPECT_THAT(refused.message, HasSubstr("TLS or its public key"));
}

TEST_F(MysqlSha2, AfterASwitchFromNative)
{
    scripted_settings settings{.known = fast()};
    settings.login.plugin = mysql::auth_plugin::native_password;
    scripted_server server(settings);
    works(to(server));
}

TEST_F(MysqlSha2, NeitherTlsNorKeyIsSaid)
{
    scripted_server server({.known = full()});
    EXPECT_EQ(host_.connect(to(server)).number, 1045);
}

}  // namespace
}  // namespace sluice
