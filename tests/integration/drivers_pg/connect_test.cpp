// tests/integration/drivers_pg/connect_test.cpp: logins that succeed and logins that are refused.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "integration/drivers_pg/connecting.hpp"
#include "proto/core/errc.hpp"

namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PgConnect : public ::testing::Test {
protected:
    driver_host host_;
};

TEST_F(PgConnect, LogsInAndReportsParameters)
{
    auto& server = plain_server();
    const auto result = host_.connect(server.url("trusted", "trusted"));
    ASSERT_TRUE(result) << result.message;
    const auto& on = *result.connection;
    EXPECT_EQ(parameter(on, "server_encoding"), "UTF8");
    EXPECT_EQ(parameter(on, "session_authorization"), "trusted");
    EXPECT_EQ(parameter(on, "application_name"), "sluice");
    EXPECT_EQ(parameter(on, "is_superuser"), "off");
    EXPECT_EQ(parameter(on, "in_hot_standby"), "off");
    EXPECT_EQ(parameter(on, "default_transaction_read_only"), "off");
    for (const char* name : {"server_version",
                             "client_encoding",
                             "DateStyle",
                             "IntervalStyle",
                             "TimeZone",
                             "integer_datetimes",
                             "standard_conforming_strings"})
        EXPECT_TRUE(parameter(on, name)) << name;
    EXPECT_FALSE(parameter(on, "search_path"));  // reported from PostgreSQL 18 on
    EXPECT_EQ(on.ssl, nullptr);
    EXPECT_EQ(on.fd, PQsocket(on.conn.get()));
    EXPECT_TRUE(PQisnonblocking(on.conn.get()));
    EXPECT_TRUE(::fcntl(on.fd, F_GETFL) & O_NONBLOCK);
    EXPECT_EQ(server.query("SELECT usename || ' ' || application_name FROM pg_stat_activity"
                           " WHERE pid = " +
                           std::to_string(on.backend_pid)),
              "trusted sluice");
}

TEST_F(PgConnect, LendsItsDescriptorAndTakesItBack)
{
    const auto result = host_.connect(plain_server().url("trusted"));
    ASSERT_TRUE(result) << result.message;
    const auto& on = *result.connection;
    const auto reply = raw_query(on, "SELECT 1/0");
    EXPECT_THAT(raw_query(on, "SELECT 'on ' || 'loan'"), HasSubstr("on loan"));
    EXPECT_THAT(reply, HasSubstr("22012"));
    // At a message boundary libpq may go on with the same connection.
    const pg::result_ptr back(PQexec(on.conn.get(), "SELECT 'back'"));
    ASSERT_EQ(PQresultStatus(back.get()), PGRES_TUPLES_OK) << PQerrorMessage(on.conn.get());
    EXPECT_STREQ(PQgetvalue(back.get(), 0, 0), "back");
}

TEST_F(PgConnect, ScramPassword)
{
    const auto result = host_.connect(plain_server().url("app", "app"), {{"password", "secret"}});
    ASSERT_TRUE(result) << result.message;
    EXPECT_THAT(raw_query(*result.connection, "SELECT current_user"), HasSubstr("app"));
}

TEST_F(PgConnect, Md5Password)
{
    const auto result = host_.connect(plain_server().url("old", "old"), {{"password", "secret"}});
    EXPECT_TRUE(result) << result.message;
}

TEST_F(PgConnect, WrongPasswordSaysWhoWhereAndNotThePassword)
{
    auto& server = plain_server();
    const auto result = host_.connect(server.url("app"), {{"password", "not-the-one"}});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("password authentication failed for user \"app\""));
    EXPECT_THAT(result.message, HasSubstr("127.0.0.1"));
    EXPECT_THAT(result.message, HasSubstr(std::to_string(server.port())));
    EXPECT_THAT(result.message, Not(HasSubstr("not-the-one")));
    EXPECT_THAT(result.message, Not(HasSubstr("\n")));
}

TEST_F(PgConnect, MissingPassword)
{
    const auto result = host_.connect(plain_server().url("app"), {{"passfile", "/nonexistent"}});
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("no password supplied"));
}

TEST_F(PgConnect, UnknownDatabase)
{
    const auto result = host_.connect(plain_server().url("trusted", "nowhere"));
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("database \"nowhere\" does not exist"));
}

TEST_F(PgConnect, OverridesWinOverTheUrlAndEmptyOnesDoNot)
{
    const auto result = host_.connect(plain_server().url("app", "nowhere"),
                                      {{"user", "trusted"},
                                       {"dbname", "app"},
                                       {"port", ""},
                                       {"application_name", "mine"},
                                       {"options", "-c work_mem=123kB"}});
    ASSERT_TRUE(result) << result.message;
    EXPECT_EQ(parameter(*result.connection, "application_name"), "mine");
    EXPECT_THAT(raw_query(*result.connection, "SHOW work_mem"), HasSubstr("123kB"));
    EXPECT_THAT(raw_query(*result.connection, "SELECT '<' || current_database()"),
                HasSubstr("<app"));
}

TEST_F(PgConnect, ADatabaseNameFromAClientIsNeverAConnectionString)
{
    auto& server = plain_server();
    const auto port = std::to_string(server.port());
    for (const auto& url : {server.url("trusted"), std::string()}) {
        const auto result = host_.connect(url,
                                          {{"host", "127.0.0.1"},
                                           {"port", port},
                                           {"user", "trusted"},
                                           {"dbname", "dbname=postgres user=postgres"}});
        ASSERT_FALSE(result);
        EXPECT_THAT(result.message,
                    HasSubstr("database \"dbname=postgres user=postgres\" does not exist"));
    }
}

TEST_F(PgConnect, UnixSocketAndKeyValueForm)
{
    auto& server = plain_server();
    const auto result = host_.connect("host=" + server.socket_dir() + " user=trusted dbname=app",
                                      {{"port", std::to_string(server.port())}});
    ASSERT_TRUE(result) << result.message;
    EXPECT_THAT(raw_query(*result.connection, "SELECT 'socket ' || (inet_client_addr() IS NULL)"),
                HasSubstr("socket true"));
}

TEST_F(PgConnect, MissingUnixSocketNamesTheSocket)
{
    const auto result = host_.connect("host=/nonexistent/folder user=a");
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("/nonexistent/folder/.s.PGSQL.5432"));
}

// A file that only its owner can read, as libpq asks for; removed at the end.
class private_file {
public:
    explicit private_file(const std::string& text)
    {
        const int fd = ::mkstemp(path_);
        ::fchmod(fd, 0600);
        EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
        ::close(fd);
    }
    ~private_file() { std::filesystem::remove(path_); }
    std::string path() const { return path_; }

private:
    char path_[32] = "/tmp/sluice-file-XXXXXX";
};

TEST_F(PgConnect, PasswordFile)
{
    auto& server = plain_server();
    const private_file pgpass("*:" + std::to_string(server.port()) + ":app:app:secret\n");
    const auto result = host_.connect(server.url("app", "app"), {{"passfile", pgpass.path()}});
    EXPECT_TRUE(result) << result.message;
}

TEST_F(PgConnect, ServiceFile)
{
    auto& server = plain_server();
    const private_file services("[main]\nhost=127.0.0.1\nport=" + std::to_string(server.port()) +
                                "\nuser=trusted\ndbname=app\n");
    ::setenv("PGSERVICEFILE", services.path().c_str(), 1);
    const auto result = host_.connect("service=main");
    ::unsetenv("PGSERVICEFILE");
    ASSERT_TRUE(result) << result.message;
    EXPECT_THAT(raw_query(*result.connection, "SELECT '<' || current_database()"),
                HasSubstr("<app"));
}

TEST_F(PgConnect, UnknownKeywordInTheOverrides)
{
    const auto result = host_.connect(plain_server().url("trusted"), {{"colour", "blue"}});
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("invalid connection option \"colour\""));
}

TEST_F(PgConnect, MalformedUrlsNeverShowThePassword)
{
    for (const char* url : {"postgresql://app:pass/word@127.0.0.1/app",
                            "postgresql://app:pass@word@127.0.0.1/app",
                            "postgresql://app:pass%zzword@127.0.0.1/app",
                            "postgresql://app:word@[::1/app",
                            "postgresql://app:pass?word@127.0.0.1/app",
                            "postgresql://app:word@127.0.0.1:54x32/app",
                            "password=pass'word host=127.0.0.1 password",
                            "host=127.0.0.1 passwd=word",
                            "word"}) {
        const auto result = host_.connect(url);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error, errc::connect_failed) << url;
        EXPECT_FALSE(result.message.empty()) << url;
        EXPECT_THAT(result.message, Not(HasSubstr("word@"))) << url;
        EXPECT_THAT(result.message, Not(HasSubstr("pass/"))) << url;
        EXPECT_THAT(result.message, Not(HasSubstr("\"pass"))) << url;
        EXPECT_THAT(result.message, Not(HasSubstr("\"word"))) << url;
    }
}

TEST_F(PgConnect, NoticesAtLoginStayOffStandardError)
{
    auto& server = plain_server();
    server.query("ALTER ROLE trusted SET client_min_messages = debug5");
    ::testing::internal::CaptureStderr();
    const auto result = host_.connect(server.url("trusted"));
    const auto printed = ::testing::internal::GetCapturedStderr();
    server.query("ALTER ROLE trusted RESET client_min_messages");
    ASSERT_TRUE(result) << result.message;
    EXPECT_EQ(printed, "");
    EXPECT_THAT(raw_query(*result.connection, "SELECT 'clean'"), HasSubstr("clean"));
}

TEST_F(PgConnect, ClosingEndsTheServersProcess)
{
    auto& server = plain_server();
    auto result = host_.connect(server.url("trusted"), {{"application_name", "closing"}});
    ASSERT_TRUE(result) << result.message;
    pg::close(host_.blocking(), std::move(*result.connection));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const std::string sql =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'closing'";
    while (server.query(sql) != "0")
        ASSERT_LT(std::chrono::steady_clock::now(), until);
}

}  // namespace
}  // namespace sluice
