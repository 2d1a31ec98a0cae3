// tests/integration/test_support/mariadb_server_test.cpp: the server that other tests rely on.
#include "support/mariadb_server.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <utility>

namespace sluice::support {
namespace {

std::string ask_as(const mariadb_server& server, std::vector<std::string> arguments)
{
    std::vector<std::string> argv = {"/usr/bin/mariadb",
                                     "--no-defaults",
                                     "--protocol=tcp",
                                     "--host=127.0.0.1",
                                     "--port=" + std::to_string(server.port()),
                                     "--batch",
                                     "--skip-column-names",
                                     "--execute=SELECT database(), @@ssl_cipher IS NULL, 1"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run(argv);
}

TEST(MariadbServer, LogsInEachOfItsUsers)
{
    mariadb_server server;
    EXPECT_EQ(ask_as(server, {"--user=trusted", "trusted"}).substr(0, 7), "trusted");
    EXPECT_EQ(ask_as(server, {"--user=app", "--password=secret", "app"}).substr(0, 3), "app");
    EXPECT_EQ(ask_as(server, {"--user=ed", "--password=secret", "ed"}).substr(0, 2), "ed");
    EXPECT_THROW(ask_as(server, {"--user=app", "--password=wrong", "app"}), std::runtime_error);
    EXPECT_THROW(ask_as(server, {"--user=secure", "--password=secret"}), std::runtime_error);
    EXPECT_EQ(server.query("SELECT GROUP_CONCAT(plugin ORDER BY user) FROM mysql.user "
                           "WHERE user IN ('app', 'ed')"),
              "mysql_native_password,ed25519");
}

TEST(MariadbServer, EncryptsWithItsOwnCertificates)
{
    mariadb_server server({.tls = true});
    const std::string verify = "--ssl-verify-server-cert";
    const std::string user = "--user=secure";
    const std::string password = "--password=secret";
    EXPECT_EQ(ask_as(server, {user, password, verify, "--ssl-ca=" + server.ca_file(), "secure"})
                  .substr(0, 6),
              "secure");
    EXPECT_THROW(
        ask_as(server, {user, password, verify, "--ssl-ca=" + server.other_ca_file(), "secure"}),
        std::runtime_error);
}

TEST(MariadbServer, RestartsKeepsItsDataAndStalls)
{
    mariadb_server server;
    server.query("CREATE TABLE app.kept AS SELECT 1 AS n");
    const auto first = server.pid();
    server.restart();
    EXPECT_NE(server.pid(), first);
    server.crash();
    server.start();
    EXPECT_EQ(server.query("SELECT n FROM app.kept"), "1");
    server.pause();
    auto answer = std::async(std::launch::async, [&] { return server.query("SELECT 2"); });
    EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
    server.resume();
    EXPECT_EQ(answer.get(), "2");
}

}  // namespace
}  // namespace sluice::support
