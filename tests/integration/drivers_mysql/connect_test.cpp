// tests/integration/drivers_mysql/connect_test.cpp: MariaDB servers let us in, or say why not.
#include <fcntl.h>
#include <gmock/gmock.h>

#include "integration/drivers_mysql/connecting.hpp"
#include "proto/core/errc.hpp"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class MysqlConnect : public ::testing::Test {
protected:
    driver_host host_;
};

TEST_F(MysqlConnect, NativePassword)
{
    auto options = options_for(plain_server(), "app");
    options.attributes = {{"program_name", "sluice"}};
    const auto result = host_.connect(options);
    ASSERT_TRUE(result) << result.message;
    const auto& on = *result.connection;
    EXPECT_TRUE(on.is_mariadb);
    EXPECT_THAT(on.server_version, ::testing::StartsWith("1"));
    EXPECT_EQ(on.status & mysql::status::autocommit, mysql::status::autocommit);
    EXPECT_EQ(value_of(raw_query(on, "SELECT CONNECTION_ID()")), std::to_string(on.connection_id));
    EXPECT_EQ(value_of(raw_query(on, "SELECT CONCAT(USER(), ' ', DATABASE())")),
              "app@127.0.0.1 app");
    EXPECT_EQ(value_of(raw_query(on, "SELECT @@collation_connection")), "utf8mb4_general_ci");
    EXPECT_NE(::fcntl(on.fd(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(MysqlConnect, WithoutAPassword)
{
    const auto result = host_.connect(options_for(plain_server(), "trusted", ""));
    EXPECT_TRUE(result) << result.message;
}

TEST_F(MysqlConnect, Ed25519)
{
    const auto result = host_.connect(options_for(plain_server(), "ed"));
    ASSERT_TRUE(result) << result.message;
    EXPECT_EQ(value_of(raw_query(*result.connection, "SELECT CURRENT_USER()")), "ed@%");
    const auto wrong = host_.connect(options_for(plain_server(), "ed", "Secret"));
    EXPECT_EQ(wrong.number, 1045);
}

TEST_F(MysqlConnect, Ed25519PasswordsOfAnyLength)
{
    for (const std::size_t size : {1, 31, 32, 33, 64, 79}) {
        const std::string password(size, 'x');
        plain_server().query("ALTER USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('" +
                             password + "')");
        const auto result = host_.connect(options_for(plain_server(), "ed", password));
        EXPECT_TRUE(result) << size << ": " << result.message;
    }
    plain_server().query("ALTER USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret')");
}

// MariaDB asks for one plugin after the other.
TEST_F(MysqlConnect, AnAccountWithSeveralPlugins)
{
    plain_server().query(
        "CREATE OR REPLACE USER many@'%' IDENTIFIED VIA ed25519 USING PASSWORD('one') "
        "OR mysql_native_password USING PASSWORD('two'); CREATE DATABASE IF NOT EXISTS many; "
        "GRANT ALL ON many.* TO many@'%'");
    for (const char* password : {"one", "two"}) {
        const auto result = host_.connect(options_for(plain_server(), "many", password));
        EXPECT_TRUE(result) << result.message;
    }
    EXPECT_EQ(host_.connect(options_for(plain_server(), "many", "three")).number, 1045);
}

TEST_F(MysqlConnect, OverAUnixSocket)
{
    auto options = options_for(plain_server(), "app");
    options.socket = plain_server().socket();
    const auto result = host_.connect(options);
    ASSERT_TRUE(result) << result.message;
    EXPECT_EQ(value_of(raw_query(*result.connection, "SELECT USER()")), "app@localhost");
}

TEST_F(MysqlConnect, ANameWithSeveralAddresses)
{
    auto options = options_for(plain_server(), "app");
    options.host = "localhost";  // ::1 too, where the server does not listen
    const auto result = host_.connect(options);
    EXPECT_TRUE(result) << result.message;
}

TEST_F(MysqlConnect, TheSessionReportsItsState)
{
    const auto result = host_.connect(options_for(plain_server(), "app"));
    ASSERT_TRUE(result) << result.message;
    const auto& on = *result.connection;
    EXPECT_EQ(on.capabilities & mysql::capability::deprecate_eof, mysql::capability::deprecate_eof);
    EXPECT_EQ(variable(on, "session_track_system_variables"), "*");
    EXPECT_EQ(variable(on, "session_track_state_change"), "ON");
    EXPECT_EQ(variable(on, "session_track_transaction_info"), "CHARACTERISTICS");
    const auto reply = raw_query(on, "SET time_zone = '+02:00'");
    const auto ok = mysql::parse_ok(as_bytes(reply.back()), on.capabilities);
    ASSERT_TRUE(ok);
    EXPECT_THAT(std::string(as_text(ok->changes.bytes())), HasSubstr("time_zone"));
    const auto moved = raw_query(on, "USE app");
    const auto schema = mysql::parse_ok(as_bytes(moved.back()), on.capabilities);
    ASSERT_TRUE(schema);
    EXPECT_NE(schema->status & mysql::status::session_state_changed, 0);
}

TEST_F(MysqlConnect, CapabilitiesAreWhatWasAskedFor)
{
    auto options = options_for(plain_server(), "app");
    options.capabilities |= mysql::capability::found_rows;
    options.capabilities &= ~mysql::capability::deprecate_eof;
    options.track_session = false;
    const auto result = host_.connect(options);
    ASSERT_TRUE(result) << result.message;
    const auto& on = *result.connection;
    EXPECT_FALSE(on.capabilities & mysql::capability::deprecate_eof);
    EXPECT_FALSE(variable(on, "session_track_state_change"));
    raw_query(on, "CREATE TEMPORARY TABLE t (a int)");
    raw_query(on, "INSERT INTO t VALUES (1)");
    const auto reply = raw_query(on, "UPDATE t SET a = 1");
    const auto ok = mysql::parse_ok(as_bytes(reply.back()), on.capabilities);
    ASSERT_TRUE(ok);
    EXPECT_EQ(ok->affected_rows, 1u) << "found, though not changed";
}

TEST_F(MysqlConnect, RefusalsAreTheServersWords)
{
    const auto wrong = host_.connect(options_for(plain_server(), "app", "sekret"));
    EXPECT_EQ(wrong.error, errc::connect_failed);
    EXPECT_EQ(wrong.number, 1045);
    EXPECT_THAT(wrong.message, HasSubstr("Access denied for user 'app'@"));
    EXPECT_THAT(wrong.message, HasSubstr("127.0.0.1"));
    EXPECT_THAT(wrong.message, HasSubstr(std::to_string(plain_server().port())));
    EXPECT_THAT(wrong.message, Not(HasSubstr("sekret")));

    EXPECT_EQ(host_.connect(options_for(plain_server(), "nobody")).number, 1045);

    auto elsewhere = options_for(plain_server(), "app");
    elsewhere.database = "mysql";
    EXPECT_EQ(host_.connect(elsewhere).number, 1044);
}

TEST_F(MysqlConnect, TooManyConnectionsIsTheServersWordToo)
{
    auto& server = plain_server();
    const auto before = server.query("SELECT @@max_connections");
    server.query("SET GLOBAL max_connections = 10");
    std::vector<mysql::connect_result> held;
    mysql::connect_result last;
    for (int i = 0; i < 20; ++i) {
        last = host_.connect(options_for(server, "app"));
        if (!last)
            break;
        held.push_back(std::move(last));
    }
    EXPECT_EQ(last.number, 1040);
    EXPECT_EQ(last.error, errc::connect_failed);
    for (auto& one : held)
        mysql::close(std::move(*one.connection));
    server.query("SET GLOBAL max_connections = " + before);
}

TEST_F(MysqlConnect, CloseSaysGoodbye)
{
    auto& server = plain_server();
    const auto aborted = [&server] {
        return server.query("SHOW GLOBAL STATUS LIKE 'Aborted_clients'");
    };
    // Others are gone, who did not say goodbye.
    const std::string theirs =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE user IN ('app', 'ed', "
        "'trusted')";
    for (int i = 0; i < 6000 && server.query(theirs) != "0"; ++i)
        ::usleep(10'000);
    const auto before = aborted();
    auto result = host_.connect(options_for(server, "app"));
    ASSERT_TRUE(result) << result.message;
    const auto id = std::to_string(result.connection->connection_id);
    mysql::close(std::move(*result.connection));
    const auto gone = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = " + id;
    for (int i = 0; i < 6000 && server.query(gone) != "0"; ++i)
        ::usleep(10'000);
    EXPECT_EQ(server.query(gone), "0");
    EXPECT_EQ(aborted(), before);
}

}  // namespace
}  // namespace sluice
