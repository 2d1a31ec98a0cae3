// tests/integration/drivers_mysql/faults_test.cpp: servers that cannot be reached, stall, close, or
// answer what they should not.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <filesystem>
#include <future>

#include "integration/drivers_mysql/connecting.hpp"
#include "integration/drivers_mysql/scripted_server.hpp"
#include "proto/core/errc.hpp"
#include "support/child_process.hpp"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using ::testing::HasSubstr;

class MysqlFaults : public ::testing::Test {
protected:
    static mysql::connect_options to(std::uint16_t port)
    {
        mysql::connect_options options;
        options.host = "127.0.0.1";
        options.port = port;
        options.user = "alice";
        options.password = "secret";
        return options;
    }
    static scripted_settings trusting()
    {
        scripted_settings settings;
        settings.login.trust = true;
        return settings;
    }
    static std::string error_payload(std::uint16_t number)
    {
        byte_queue out;
        std::uint8_t sequence = 0;
        mysql::append_err(out, sequence, {number, "HY000", "scripted"});
        return std::string(as_text(out.readable().subspan(mysql::header_size)));
    }
    driver_host host_;
};

TEST_F(MysqlFaults, RefusedNamesHostAndPort)
{
    const auto port = support::free_port();
    const auto result = host_.connect(to(port));
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("Connection refused"));
    EXPECT_THAT(result.message, HasSubstr("127.0.0.1"));
    EXPECT_THAT(result.message, HasSubstr(std::to_string(port)));
}

TEST_F(MysqlFaults, ASocketThatIsNotThere)
{
    auto options = to(0);
    options.socket = "/nonexistent/mysql.sock";
    const auto result = host_.connect(options);
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("/nonexistent/mysql.sock"));
    options.socket = std::string(200, 'x');
    EXPECT_THAT(host_.connect(options).message, HasSubstr("longer than"));
}

TEST_F(MysqlFaults, NameThatDoesNotResolve)
{
    auto options = to(3306);
    options.host = "no-such-host.invalid";
    const auto result = host_.connect(options, 60s);
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("no-such-host.invalid"));
    EXPECT_THAT(result.message, HasSubstr("cannot be resolved"));
}

TEST_F(MysqlFaults, BusyHelperThreadsHoldNothingUpBeyondTheDeadline)
{
    driver_host one(1);
    std::promise<void> go;
    asio::post(one.blocking(), [held = go.get_future()]() mutable { held.wait(); });
    auto options = to(3306);
    options.host = "localhost";
    const auto result = one.connect(options, 200ms);
    EXPECT_EQ(result.error, errc::connect_timeout);
    EXPECT_THAT(result.message, HasSubstr("resolving its name"));
    go.set_value();
}

// At each point: before the greeting, in the login, before the trackers are on.
TEST_F(MysqlFaults, AServerThatStallsEndsAtTheDeadline)
{
    for (int point = 0; point < 4; ++point) {
        auto settings = trusting();
        settings.what = fault::stall;
        settings.before_read = point;
        scripted_server server(settings);
        const auto begun = clock::now();
        const auto result = host_.connect(to(server.port()), 200ms);
        EXPECT_EQ(result.error, errc::connect_timeout) << point << ": " << result.message;
        EXPECT_THAT(result.message, HasSubstr("no answer in time, while "));
        EXPECT_GE(clock::now() - begun, 200ms);
        EXPECT_LT(clock::now() - begun, 30s);
    }
}

TEST_F(MysqlFaults, AServerThatHangsUp)
{
    for (int point = 0; point < 4; ++point) {
        auto settings = trusting();
        settings.what = fault::hang_up;
        settings.before_read = point;
        scripted_server server(settings);
        const auto result = host_.connect(to(server.port()));
        EXPECT_EQ(result.error, errc::connect_failed) << point;
        EXPECT_THAT(result.message, HasSubstr("closed the connection"));
    }
}

TEST_F(MysqlFaults, AServerThatStallsOrHangsUpInItsTlsHandshake)
{
    for (const auto what : {fault::stall, fault::hang_up}) {
        auto settings = trusting();
        settings.login.tls = mysql::client_tls::prefer;
        settings.what = what;
        settings.before_read = 2;
        scripted_server server(settings);
        auto options = to(server.port());
        options.tls = tls(mysql::tls_mode::required);
        const auto result = host_.connect(options, what == fault::stall ? 200ms : 60s);
        EXPECT_EQ(result.error, what == fault::stall ? errc::connect_timeout : errc::connect_failed)
            << result.message;
    }
}

TEST_F(MysqlFaults, TheLoopIsNeverBlocked)
{
    auto settings = trusting();
    settings.login.tls = mysql::client_tls::prefer;
    settings.what = fault::stall;
    settings.before_read = 2;
    scripted_server server(settings);
    int ticks = 0;
    bool ended = false;
    driver_host ending;
    asio::steady_timer timer(ending.loop());
    std::function<void(std::error_code)> tick = [&](std::error_code) {
        ++ticks;
        timer.expires_after(10ms);
        timer.async_wait(tick);
    };
    tick({});
    auto options = to(server.port());
    options.tls = tls(mysql::tls_mode::required);
    asio::co_spawn(
        ending.loop(),
        mysql::connect(ending.loop(), ending.blocking(), std::move(options), clock::now() + 30s),
        [&](std::exception_ptr, const mysql::connect_result&) { ended = true; });
    while (ticks < 25 && !ended)
        ending.loop().run_one();
    EXPECT_FALSE(ended) << "the loop stood still until the deadline";
}

TEST_F(MysqlFaults, ADeadlineInThePastFailsAtOnce)
{
    scripted_server server(trusting());
    EXPECT_EQ(host_.connect(to(server.port()), -1s).error, errc::connect_timeout);
}

TEST_F(MysqlFaults, AServerWithoutSomeTrackers)
{
    auto settings = trusting();
    settings.answer = [](const std::string& sql) {
        const bool unknown = sql.find("transaction_info") != std::string::npos;
        return unknown ? error_payload(1193) : std::string();
    };
    scripted_server server(settings);
    auto result = host_.connect(to(server.port()));
    EXPECT_TRUE(result) << result.message;
    mysql::close(std::move(*result.connection));
    for (int i = 0; i < 6000 && !server.quit(); ++i)
        ::usleep(10'000);
    EXPECT_TRUE(server.quit());
    EXPECT_EQ(server.statements().size(), 5u) << "all at once, then each alone";
}

TEST_F(MysqlFaults, TrackersThatAreRefused)
{
    auto settings = trusting();
    settings.answer = [](const std::string&) { return error_payload(1227); };
    scripted_server server(settings);
    const auto result = host_.connect(to(server.port()));
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_EQ(result.number, 1227);
    EXPECT_THAT(result.message, HasSubstr("scripted, while turning on session tracking"));
}

TEST_F(MysqlFaults, AFileIsNeverSent)
{
    auto settings = trusting();
    settings.answer = [](const std::string&) {
        return std::string(
            "\xfb"
            "/etc/passwd");
    };
    scripted_server server(settings);
    const auto result = host_.connect(to(server.port()));
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("asked for a file"));
}

TEST_F(MysqlFaults, NothingIsLeftOpen)
{
    const auto descriptors = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    };
    scripted_server server(trusting());
    (void)host_.connect(to(server.port()));
    const auto before = descriptors();
    for (int i = 0; i < 20; ++i) {
        auto fine = host_.connect(to(server.port()));
        ASSERT_TRUE(fine) << fine.message;
        fine.connection.reset();
        EXPECT_FALSE(host_.connect(to(support::free_port())));
        auto named = to(server.port());
        named.tls = tls(mysql::tls_mode::required);
        EXPECT_FALSE(host_.connect(named));
    }
    for (int i = 0; i < 6000 && descriptors() > before + 1; ++i)
        ::usleep(10'000);
    EXPECT_LE(descriptors(), before + 1);
}

// A coroutine that is thrown away in the middle.
TEST_F(MysqlFaults, AProcessThatEndsMeanwhile)
{
    auto settings = trusting();
    settings.what = fault::stall;
    scripted_server server(settings);
    asio::thread_pool blocking(1);
    {
        asio::io_context loop(1);
        asio::co_spawn(loop,
                       mysql::connect(loop, blocking, to(server.port()), clock::now() + 10s),
                       [](std::exception_ptr, mysql::connect_result) {});
        loop.run_for(50ms);
    }
    blocking.join();
}

}  // namespace
}  // namespace sluice
