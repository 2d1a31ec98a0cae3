// tests/integration/drivers_pg/unreachable_test.cpp: servers that refuse, stall, or are one of
// many.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <filesystem>
#include <functional>
#include <future>

#include "integration/drivers_pg/connecting.hpp"
#include "proto/core/errc.hpp"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using ::testing::HasSubstr;

// Accepts in the kernel and never answers; `full` makes it drop connection attempts, as a host
// behind a silent firewall does.
class silent_server {
public:
    explicit silent_server(bool full = false)
    {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        ::listen(fd_, full ? 0 : 16);
        for (int i = 0; full && i < 4; ++i) {
            fillers_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            const auto to = loopback(port_);
            ::connect(fillers_.back(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
        }
        if (full)
            ::usleep(50'000);
    }
    ~silent_server()
    {
        for (const int filler : fillers_)
            ::close(filler);
        ::close(fd_);
    }
    std::string port() const { return std::to_string(port_); }

private:
    static sockaddr_in loopback(std::uint16_t port)
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    int fd_ = -1;
    std::uint16_t port_ = 0;
    std::vector<int> fillers_;
};

class PgUnreachable : public ::testing::Test {
protected:
    // Two servers of one connection string.
    pg::connect_result connect_two(const std::string& first_port,
                                   const std::string& second_port,
                                   pairs more = {},
                                   std::chrono::milliseconds longest = 60s)
    {
        more.emplace_back("user", "trusted");
        more.emplace_back("dbname", "postgres");
        return host_.connect(
            "postgresql://127.0.0.1:" + first_port + ",127.0.0.1:" + second_port + "/",
            more,
            longest);
    }
    driver_host host_;
};

TEST_F(PgUnreachable, RefusedNamesHostAndPort)
{
    const auto port = std::to_string(support::free_port());
    const auto result = host_.connect("postgresql://u@127.0.0.1:" + port + "/d");
    EXPECT_EQ(result.error, errc::connect_failed);
    EXPECT_THAT(result.message, HasSubstr("Connection refused"));
    EXPECT_THAT(result.message, HasSubstr("127.0.0.1"));
    EXPECT_THAT(result.message, HasSubstr(port));
}

TEST_F(PgUnreachable, AServerThatNeverAnswersEndsAtTheDeadline)
{
    const silent_server silent;
    const auto begun = clock::now();
    const auto result = host_.connect("host=127.0.0.1 user=u port=" + silent.port(), {}, 1s);
    const auto took = clock::now() - begun;
    EXPECT_EQ(result.error, errc::connect_timeout);
    EXPECT_THAT(result.message, HasSubstr("no answer"));
    EXPECT_THAT(result.message, HasSubstr("127.0.0.1"));
    EXPECT_THAT(result.message, HasSubstr(silent.port()));
    EXPECT_GE(took, 1s);
    EXPECT_LT(took, 30s);
}

TEST_F(PgUnreachable, DroppedConnectionAttemptsEndAtTheDeadline)
{
    const silent_server silent(true);
    const auto begun = clock::now();
    const auto result = host_.connect("host=127.0.0.1 user=u port=" + silent.port(), {}, 1s);
    EXPECT_EQ(result.error, errc::connect_timeout);
    EXPECT_THAT(result.message, HasSubstr("while connecting"));
    EXPECT_LT(clock::now() - begun, 30s);
}

TEST_F(PgUnreachable, ADeadlineInThePastFailsAtOnce)
{
    const auto result = host_.connect(plain_server().url("trusted"), {}, -1s);
    EXPECT_EQ(result.error, errc::connect_timeout);
}

TEST_F(PgUnreachable, BusyHelperThreadsAreNamed)
{
    driver_host one(1);
    std::promise<void> go;
    asio::post(one.blocking(), [held = go.get_future()]() mutable { held.wait(); });
    const auto result = one.connect(plain_server().url("trusted"), {}, 200ms);
    EXPECT_EQ(result.error, errc::connect_timeout);
    EXPECT_THAT(result.message, HasSubstr("no helper thread was free"));
    go.set_value();
}

TEST_F(PgUnreachable, NameThatDoesNotResolve)
{
    const auto result = host_.connect("host=no-such-host.invalid user=u", {}, 60s);
    EXPECT_FALSE(result);
    EXPECT_THAT(result.message, HasSubstr("no-such-host.invalid"));
}

TEST_F(PgUnreachable, TheLoopGoesOnMeanwhile)
{
    const silent_server silent;
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
    pg::connect_options options{"host=127.0.0.1 user=u port=" + silent.port(), {}};
    asio::co_spawn(
        ending.loop(),
        pg::connect(ending.loop(), ending.blocking(), std::move(options), clock::now() + 30s),
        [&](std::exception_ptr, const pg::connect_result&) { ended = true; });
    while (ticks < 25 && !ended)
        ending.loop().run_one();
    EXPECT_FALSE(ended) << "the loop stood still until the deadline";
}

TEST_F(PgUnreachable, TheNextHostIsTriedAfterARefusal)
{
    const auto result =
        connect_two(std::to_string(support::free_port()), std::to_string(plain_server().port()));
    EXPECT_TRUE(result) << result.message;
}

TEST_F(PgUnreachable, TheNextHostIsTriedAfterSilence)
{
    for (const bool full : {false, true}) {
        const silent_server silent(full);
        const auto begun = clock::now();
        const auto result = connect_two(
            silent.port(), std::to_string(plain_server().port()), {{"connect_timeout", "2"}});
        EXPECT_TRUE(result) << result.message;
        EXPECT_GE(clock::now() - begun, 2s);
        EXPECT_LT(clock::now() - begun, 25s);  // half of the time there is would be 30 s
    }
}

TEST_F(PgUnreachable, HostsShareTheTimeThatThereIs)
{
    for (const bool full : {false, true}) {
        const silent_server silent(full);
        const auto result =
            connect_two(silent.port(), std::to_string(plain_server().port()), {}, 4s);
        EXPECT_TRUE(result) << result.message;
    }
}

TEST_F(PgUnreachable, AllHostsSilentNamesEach)
{
    const silent_server first;
    const silent_server second(true);
    const auto result = connect_two(first.port(), second.port(), {{"connect_timeout", "1"}});
    EXPECT_EQ(result.error, errc::connect_timeout);
    EXPECT_THAT(result.message, HasSubstr(first.port()));
    EXPECT_THAT(result.message, HasSubstr(second.port()));
}

TEST_F(PgUnreachable, TargetSessionAttributesPickTheServer)
{
    const auto writable = std::to_string(plain_server().port());
    const auto read_only = std::to_string(read_only_server().port());
    const auto port_of = [](const pg::connect_result& r) {
        return r ? std::string(PQport(r.connection->conn.get())) : r.message;
    };
    EXPECT_EQ(port_of(connect_two(read_only, writable, {{"target_session_attrs", "read-write"}})),
              writable);
    EXPECT_EQ(port_of(connect_two(writable, read_only, {{"target_session_attrs", "read-only"}})),
              read_only);
    EXPECT_EQ(port_of(connect_two(read_only, writable, {{"target_session_attrs", "any"}})),
              read_only);
    EXPECT_EQ(
        port_of(connect_two(read_only, writable, {{"target_session_attrs", "prefer-standby"}})),
        read_only);
    const auto none = connect_two(read_only, read_only, {{"target_session_attrs", "read-write"}});
    EXPECT_EQ(none.error, errc::connect_failed);
    EXPECT_THAT(none.message, HasSubstr("session is read-only"));
}

TEST_F(PgUnreachable, AStalledServerIsGivenUpAndBecomesUsableAgain)
{
    auto& server = plain_server();
    server.pause();
    const auto stalled = host_.connect(server.url("trusted"), {}, 300ms);
    server.resume();
    EXPECT_EQ(stalled.error, errc::connect_timeout);
    const auto again = host_.connect(server.url("trusted"));
    EXPECT_TRUE(again) << again.message;
}

TEST_F(PgUnreachable, ALoopMayEndWhileConnecting)
{
    const silent_server silent;
    for (const auto turns : {0, 1, 2, 5}) {
        driver_host ending;
        pg::connect_options options{"host=127.0.0.1 user=u port=" + silent.port(), {}};
        asio::co_spawn(
            ending.loop(),
            pg::connect(ending.loop(), ending.blocking(), std::move(options), clock::now() + 60s),
            asio::detached);
        for (int i = 0; i < turns; ++i)
            ending.loop().run_one_for(20ms);
    }
}

TEST_F(PgUnreachable, NothingLeaksDescriptors)
{
    const silent_server silent;
    const auto descriptors = []() {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry :
             std::filesystem::directory_iterator("/proc/self/fd"))
            ++count;
        return count;
    };
    (void)host_.connect(plain_server().url("trusted"));
    const auto before = descriptors();
    for (int i = 0; i < 20; ++i) {
        (void)host_.connect("host=127.0.0.1 user=u port=" + silent.port(), {}, 20ms);
        (void)host_.connect(plain_server().url("app"), {{"password", "wrong"}});
        (void)host_.connect(plain_server().url("trusted"));
        (void)host_.connect(plain_server().url("trusted"), {}, std::chrono::milliseconds(i / 2));
    }
    const auto until = clock::now() + 60s;
    while (descriptors() > before && clock::now() < until) {
        host_.loop().restart();
        host_.loop().run_for(20ms);
    }
    EXPECT_LE(descriptors(), before);
}

}  // namespace
}  // namespace sluice
