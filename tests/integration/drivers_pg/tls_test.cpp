// tests/integration/drivers_pg/tls_test.cpp: encrypted connections, verified and refused.
#include <gmock/gmock.h>

#include "integration/drivers_pg/connecting.hpp"
#include "proto/core/errc.hpp"

namespace sluice {
namespace {

using ::testing::HasSubstr;

class PgTls : public ::testing::Test {
protected:
    std::string url(const std::string& host, const std::string& ca)
    {
        return "host=" + host + " hostaddr=127.0.0.1 user=app dbname=app password=secret port=" +
               std::to_string(tls_server().port()) + " sslmode=verify-full sslrootcert=" + ca;
    }
    driver_host host_;
};

TEST_F(PgTls, VerifyFullWithTheRightCaLendsTheSslHandle)
{
    const auto result = host_.connect(url("localhost", tls_server().ca_file()));
    ASSERT_TRUE(result) << result.message;
    const auto& on = *result.connection;
    ASSERT_NE(on.ssl, nullptr);
    EXPECT_THAT(raw_query(on, "SELECT 'tls ' || ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"),
                HasSubstr("tls true"));
    const pg::result_ptr back(PQexec(on.conn.get(), "SELECT 'back'"));
    EXPECT_EQ(PQresultStatus(back.get()), PGRES_TUPLES_OK) << PQerrorMessage(on.conn.get());
}

TEST_F(PgTls, ALargeReplyComesWholeThroughTheSslHandle)
{
    const auto result = host_.connect(url("localhost", tls_server().ca_file()));
    ASSERT_TRUE(result) << result.message;
    EXPECT_GT(raw_query(*result.connection, "SELECT repeat('x', 1000000)").size(), 1000000u);
}

TEST_F(PgTls, AnotherCaIsRefused)
{
    const auto result = host_.connect(url("localhost", tls_server().other_ca_file()));
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("certificate verify failed"));
}

TEST_F(PgTls, AnotherNameIsRefused)
{
    const auto result = host_.connect(url("elsewhere.example", tls_server().ca_file()));
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("does not match host name \"elsewhere.example\""));
}

TEST_F(PgTls, ChannelBindingWorks)
{
    const auto result =
        host_.connect(url("localhost", tls_server().ca_file()), {{"channel_binding", "require"}});
    EXPECT_TRUE(result) << result.message;
}

TEST_F(PgTls, AServerWithoutTlsIsRefusedWhenItIsRequired)
{
    const auto result = host_.connect(plain_server().url("trusted"), {{"sslmode", "require"}});
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("server does not support SSL"));
}

TEST_F(PgTls, CancelsThroughATicketAndCloses)
{
    auto result = host_.connect(url("localhost", tls_server().ca_file()));
    ASSERT_TRUE(result) << result.message;
    raw_send_query(*result.connection, "SELECT pg_sleep(30)");
    wait_until_active(tls_server(), *result.connection);
    EXPECT_FALSE(host_.run(pg::cancel(host_.blocking(), result.connection->ticket)));
    EXPECT_THAT(raw_reply(*result.connection, std::chrono::seconds(10)), HasSubstr("57014"));
    pg::close(host_.blocking(), std::move(*result.connection));
}

}  // namespace
}  // namespace sluice
