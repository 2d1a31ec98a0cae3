// tests/integration/drivers_pg/cancel_test.cpp: cancel requests that hit, miss and time out.
#include <gmock/gmock.h>

#include <asio/post.hpp>
#include <future>

#include "integration/drivers_pg/connecting.hpp"
#include "proto/core/errc.hpp"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using ::testing::HasSubstr;

class PgCancel : public ::testing::Test {
protected:
    driver_host host_;
};

TEST_F(PgCancel, EndsWhatTheLentConnectionRuns)
{
    const auto result = host_.connect(plain_server().url("trusted"));
    ASSERT_TRUE(result) << result.message;
    const auto& on = *result.connection;
    raw_send_query(on, "SELECT pg_sleep(300)");
    wait_until_active(plain_server(), on);
    EXPECT_FALSE(host_.run(pg::cancel(host_.blocking(), on.ticket)));
    EXPECT_THAT(raw_reply(on, 60s), HasSubstr("57014"));
    EXPECT_THAT(raw_query(on, "SELECT 'still ' || 'here'"), HasSubstr("still here"));
}

TEST_F(PgCancel, WorksOverAUnixSocket)
{
    auto& server = plain_server();
    const auto result = host_.connect("user=trusted host=" + server.socket_dir() +
                                      " port=" + std::to_string(server.port()));
    ASSERT_TRUE(result) << result.message;
    raw_send_query(*result.connection, "SELECT pg_sleep(300)");
    wait_until_active(server, *result.connection);
    EXPECT_FALSE(host_.run(pg::cancel(host_.blocking(), result.connection->ticket)));
    EXPECT_THAT(raw_reply(*result.connection, 60s), HasSubstr("57014"));
}

TEST_F(PgCancel, FallsBackToLibpqWithoutTheKey)
{
    const auto result = host_.connect(plain_server().url("trusted"));
    ASSERT_TRUE(result) << result.message;
    const auto& on = *result.connection;
    raw_send_query(on, "SELECT pg_sleep(300)");
    wait_until_active(plain_server(), on);
    const pg::cancel_ticket keyless(*on.conn, {});
    EXPECT_FALSE(host_.run(pg::cancel(host_.blocking(), keyless)));
    EXPECT_THAT(raw_reply(on, 60s), HasSubstr("57014"));
}

TEST_F(PgCancel, NeedsNoHelperThread)
{
    const auto result = host_.connect(plain_server().url("trusted"));
    ASSERT_TRUE(result) << result.message;
    driver_host busy(1);
    std::promise<void> go;
    asio::post(busy.blocking(), [held = go.get_future()]() mutable { held.wait(); });
    EXPECT_FALSE(busy.run(pg::cancel(busy.blocking(), result.connection->ticket, 30s)));
    go.set_value();
}

TEST_F(PgCancel, OutlivesTheConnection)
{
    auto result = host_.connect(plain_server().url("trusted"));
    ASSERT_TRUE(result) << result.message;
    const auto ticket = result.connection->ticket;
    result.connection.reset();
    EXPECT_FALSE(host_.run(pg::cancel(host_.blocking(), ticket)));
}

TEST_F(PgCancel, AnEmptyTicketFails)
{
    EXPECT_EQ(host_.run(pg::cancel(host_.blocking(), pg::cancel_ticket())), errc::connect_failed);
}

TEST_F(PgCancel, AStalledServerEndsTheWaitAtTheTimeout)
{
    auto& server = plain_server();
    const auto result = host_.connect(server.url("trusted"));
    ASSERT_TRUE(result) << result.message;
    server.pause();
    const auto begun = clock::now();
    const auto ec = host_.run(pg::cancel(host_.blocking(), result.connection->ticket, 300ms));
    const auto took = clock::now() - begun;
    server.resume();
    EXPECT_EQ(ec, errc::connect_timeout);
    EXPECT_GE(took, 300ms);
    EXPECT_LT(took, 30s);
}

TEST_F(PgCancel, AServerThatIsGoneFails)
{
    support::pg_cluster server;
    const auto result = host_.connect(server.url("trusted"));
    ASSERT_TRUE(result) << result.message;
    server.crash();
    EXPECT_EQ(host_.run(pg::cancel(host_.blocking(), result.connection->ticket)),
              errc::connect_failed);
}

}  // namespace
}  // namespace sluice
