// tests/integration/drivers_mysql/kill_test.cpp: KILL QUERY ends a statement, and nothing else.
#include <gmock/gmock.h>

#include "integration/drivers_mysql/connecting.hpp"
#include "proto/core/errc.hpp"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using ::testing::StartsWith;

class MysqlKill : public ::testing::Test {
protected:
    mysql::kill_result kill(const mysql::opened& on,
                            const mysql::connect_options& options,
                            clock::duration timeout = mysql::kill_timeout)
    {
        auto there = options;
        there.only = on.server;
        return host_.run(mysql::kill_query(
            host_.loop(), host_.blocking(), std::move(there), on.connection_id, timeout));
    }
    void wait_until_running(const mysql::opened& on, const std::string& part)
    {
        const auto sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = " +
                         std::to_string(on.connection_id) + " AND info LIKE '" + part + "%'";
        for (int i = 0; i < 6000; ++i) {
            if (plain_server().query(sql) == "1")
                return;
            ::usleep(10'000);
        }
        FAIL() << "the statement does not run";
    }
    driver_host host_;
};

TEST_F(MysqlKill, AStatementEndsAndTheConnectionStays)
{
    const auto options = options_for(plain_server(), "app");
    const auto result = host_.connect(options);
    ASSERT_TRUE(result) << result.message;
    const auto& on = *result.connection;
    // SLEEP and BENCHMARK end early without an error when they are killed.
    raw_send_query(on, "SELECT SUM(seq % 7) FROM seq_1_to_100000000000");
    wait_until_running(on, "SELECT SUM");
    const auto killed = kill(on, options);
    EXPECT_FALSE(killed.error) << killed.message;
    EXPECT_THAT(value_of(raw_reply(on, 60s)), StartsWith("ERROR 1317"));
    EXPECT_EQ(value_of(raw_query(on, "SELECT 'next'")), "next");
}

TEST_F(MysqlKill, AnIdleConnectionIsNotHurt)
{
    const auto options = options_for(plain_server(), "app");
    const auto result = host_.connect(options);
    ASSERT_TRUE(result) << result.message;
    const auto& on = *result.connection;
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(value_of(raw_query(on, "SELECT 'before'")), "before");
        EXPECT_FALSE(kill(on, options).error);
        EXPECT_EQ(value_of(raw_query(on, "SELECT 'after'")), "after");
    }
}

TEST_F(MysqlKill, AConnectionThatIsGoneIsNoError)
{
    const auto options = options_for(plain_server(), "app");
    auto result = host_.connect(options);
    ASSERT_TRUE(result) << result.message;
    auto there = options;
    there.only = result.connection->server;
    const auto id = result.connection->connection_id;
    mysql::close(std::move(*result.connection));
    const auto sql =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE id = " + std::to_string(id);
    for (int i = 0; i < 6000 && plain_server().query(sql) != "0"; ++i)
        ::usleep(10'000);
    const auto killed =
        host_.run(mysql::kill_query(host_.loop(), host_.blocking(), std::move(there), id));
    EXPECT_FALSE(killed.error) << killed.message;
}

TEST_F(MysqlKill, AStalledServerCostsNoMoreThanTheTimeout)
{
    support::mariadb_server server;
    const auto options = options_for(server, "app");
    const auto result = host_.connect(options);
    ASSERT_TRUE(result) << result.message;
    server.pause();
    const auto begun = clock::now();
    const auto killed = kill(*result.connection, options, 300ms);
    EXPECT_EQ(killed.error, errc::connect_timeout);
    EXPECT_LT(clock::now() - begun, 30s);
    server.resume();
}

}  // namespace
}  // namespace sluice
