// What two gateway processes say to each other, and the sockets that come from outside.
#include "gateway/takeover/message.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <random>

#include "gateway/service_manager.hpp"

namespace sluice::gateway {
namespace {

using namespace takeover;

TEST(TakeoverMessage, ComesBackAsItWasWritten)
{
    message what{"kill", {}};
    what.add("id", std::uint64_t{42}).add("user", "100%\nsure = yes").add("empty", "");
    const auto text = written(what);
    EXPECT_EQ(text, "kill\nid=42\nuser=100%25%0Asure = yes\nempty=");
    const auto back = parse(text);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->verb, "kill");
    EXPECT_EQ(back->number("id"), 42u);
    EXPECT_EQ(back->text("user"), "100%\nsure = yes");
    EXPECT_EQ(back->values.size(), 3u);
    EXPECT_EQ(back->text("nothing"), "");
    EXPECT_EQ(back->number("user"), 0u);
}

TEST(TakeoverMessage, NonsenseIsNoMessage)
{
    for (const char* text : {"", "\n", "verb\nno equals sign", "verb\n=value", "a=b", "verb\n"})
        EXPECT_FALSE(parse(text)) << text;
    EXPECT_FALSE(parse(std::string(packet_max + 1, 'x')));
    EXPECT_EQ(parse("go\nid=99999999999999999999999")->number("id"), 0u);
    std::minstd_rand random(1);
    for (int turn = 0; turn < 20'000; ++turn) {
        std::string text;
        for (auto left = random() % 40; left > 0; --left)
            text += "a=%\n2510A\0"[random() % 10];
        if (const auto made = parse(text)) {
            EXPECT_TRUE(parse(written(*made)));
        }
    }
}

TEST(TakeoverMessage, CarriesDescriptors)
{
    std::array<int, 2> pair{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()), 0);
    const int lent = ::socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(send_packet(pair[0], {"sockets", {{"socket", "mysql 127.0.0.1:1"}}}, {lent, lent}));
    const auto got = receive_packet(pair[1]);
    ASSERT_TRUE(got.what);
    EXPECT_EQ(got.what->verb, "sockets");
    ASSERT_EQ(got.descriptors.size(), 2u);
    for (const int fd : got.descriptors) {
        EXPECT_NE(fd, lent);
        EXPECT_EQ(::close(fd), 0);
    }
    ::close(pair[0]);
    EXPECT_TRUE(receive_packet(pair[1]).over);
    ::close(pair[1]);
    ::close(lent);
}

TEST(TakeoverMessage, TheSocketIsItsOwnersAlone)
{
    const auto path =
        std::filesystem::temp_directory_path() / ("sluice-control-" + std::to_string(::getpid()));
    const int at = listen_at(path);
    ASSERT_GE(at, 0);
    EXPECT_EQ(std::filesystem::status(path).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    EXPECT_EQ(listen_at(path), -1);  // somebody listens there
    const int client = connect_to(path);
    ASSERT_GE(client, 0);
    EXPECT_TRUE(is_trusted(client));
    ::close(client);
    ::close(at);
    const int again = listen_at(path);  // nobody does any more
    EXPECT_GE(again, 0);
    ::close(again);
    std::filesystem::remove(path);
    EXPECT_EQ(connect_to(std::string(200, 'x')), -1);
}

int bound_socket(std::uint16_t& port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
    ::listen(fd, 1);
    socklen_t size = sizeof at;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
    return fd;
}

TEST(InheritedSockets, AreFoundByNameOrAddress)
{
    std::uint16_t first = 0;
    std::uint16_t second = 0;
    const int one = bound_socket(first);
    const int two = bound_socket(second);
    std::vector<inherited_socket> all{{one, "", ""}, {two, "mysql", ""}};
    EXPECT_EQ(bound_address(one), "127.0.0.1:" + std::to_string(first));
    // Another protocol's socket is not taken, wherever it listens.
    EXPECT_EQ(take_socket(all, "postgres", {"127.0.0.1", second, ""}), -1);
    EXPECT_EQ(take_socket(all, "postgres", {"127.0.0.1", first, ""}), one);
    EXPECT_EQ(take_socket(all, "postgres", {"127.0.0.1", first, ""}), -1);
    // The only one of its name, at whatever address.
    EXPECT_EQ(take_socket(all, "mysql", {"192.0.2.1", 3306, ""}), two);
    EXPECT_TRUE(all.empty());
    // Of a process that is taken over: by what its file said, and by that alone.
    all = {{one, "postgres", "127.0.0.1:0"}};
    EXPECT_EQ(take_socket(all, "postgres", {"192.0.2.1", 1, ""}), -1);
    EXPECT_EQ(take_socket(all, "postgres", {"127.0.0.1", 0, ""}), one);
    ::close(one);
    ::close(two);
}

}  // namespace
}  // namespace sluice::gateway
