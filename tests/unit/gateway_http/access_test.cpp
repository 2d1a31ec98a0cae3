// tests/unit/gateway_http/access_test.cpp: who may look and who may change.
#include "gateway/http/access.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;

const http_access::clock::time_point now{100h};

http_access::visitor ask(http_access& access,
                         std::string_view authorization,
                         std::string_view cookie,
                         std::string_view host = "127.0.0.1:9632",
                         std::chrono::hours later = 0h)
{
    http_access::request asking;
    asking.authorization = authorization;
    asking.cookie = cookie;
    asking.host = host;
    return access.who(asking, now + later);
}

TEST(HttpAccess, WithoutATokenTheHostMustBeLoopback)
{
    http_access access("", "127.0.0.1");
    for (const auto* host :
         {"127.0.0.1:9632", "localhost:9632", "[::1]:9632", "127.8.8.8", "localhost"})
        EXPECT_TRUE(ask(access, "", "", host).may_look) << host;
    for (const auto* host :
         {"evil.example", "evil.example:9632", "", "127.0.0.1.evil.example", "[", "[::2]"})
        EXPECT_FALSE(ask(access, "", "", host).may_look) << host;
}

TEST(HttpAccess, ATokenIsNeededWhole)
{
    http_access access("0123456789abcdef", "10.0.0.1");
    EXPECT_TRUE(ask(access, "Bearer 0123456789abcdef", "", "any").may_look);
    for (const auto* wrong : {"",
                              "Bearer ",
                              "Bearer 0123456789abcde",
                              "Bearer 0123456789abcdef0",
                              "bearer 0123456789abcdef",
                              "0123456789abcdef"})
        EXPECT_FALSE(ask(access, wrong, "").may_look) << wrong;
}

TEST(HttpAccess, ACookieStandsForItsLogin)
{
    http_access access("0123456789abcdef", "");
    const auto looks = access.begin("", now);
    const auto admin = access.begin("alice", now);
    EXPECT_TRUE(ask(access, "", looks).may_look);
    EXPECT_EQ(ask(access, "", looks).admin, "");
    EXPECT_EQ(ask(access, "", admin).admin, "alice");
    EXPECT_GE(ask(access, "", admin).word.size(), 32u);
    EXPECT_NE(ask(access, "", admin).word, ask(access, "", looks).word);
    access.end(admin);
    EXPECT_FALSE(ask(access, "", admin).may_look);
    EXPECT_FALSE(ask(access, "", looks, "x", 13h).may_look) << "expired";
}

TEST(HttpAccess, SessionsAreBounded)
{
    http_access access("", "");
    const auto first = access.begin("alice", now);
    for (std::size_t i = 0; i < http_access::sessions_max; ++i)
        access.begin("bob", now + 1min);
    EXPECT_EQ(ask(access, "", first).admin, "");
}

TEST(HttpAccess, CookieHeaders)
{
    EXPECT_EQ(cookie_value("a=1; sluice=xyz; b=2", "sluice"), "xyz");
    EXPECT_EQ(cookie_value("sluice=xyz", "sluice"), "xyz");
    EXPECT_EQ(cookie_value("xsluice=1;sluice=2", "sluice"), "2");
    for (const auto* none : {"", ";", "sluice", "sluic=1", "=;=", "  "})
        EXPECT_EQ(cookie_value(none, "sluice"), "") << none;
}

}  // namespace
}  // namespace sluice::gateway
