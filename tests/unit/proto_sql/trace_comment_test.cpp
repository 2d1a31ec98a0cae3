// tests/unit/proto_sql/trace_comment_test.cpp: traceparent, plain and in comments.
#include "proto/sql/trace_comment.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::sql {
namespace {

constexpr std::string_view trace = "5bd66ef5095369c7b0d1f8f4bd33716a";
constexpr std::string_view good = "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01";

TEST(TraceParent, ReadsVersionZero)
{
    const auto found = parse_traceparent(good);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->trace_id(), trace);
    EXPECT_EQ(found->parent_id(), "c532cb4098ac3dd2");
    EXPECT_TRUE(found->sampled);
}

TEST(TraceParent, LaterVersionsMaySayMore)
{
    const std::string later = "01" + std::string(good.substr(2));
    EXPECT_TRUE(parse_traceparent(later));
    EXPECT_TRUE(parse_traceparent(later + "-what"));
    EXPECT_FALSE(parse_traceparent(later + "x"));
    EXPECT_FALSE(parse_traceparent(std::string(good) + "-what"));
}

TEST(TraceParent, RefusesWhatIsNone)
{
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(parse_traceparent(good.substr(0, size)));
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const char c : {'g', 'A', ' ', '\0', '\''}) {
            std::string bad(good);
            bad[at] = c;
            EXPECT_FALSE(parse_traceparent(bad)) << bad;
        }
    }
    EXPECT_FALSE(parse_traceparent("ff" + std::string(good.substr(2))));
    EXPECT_FALSE(parse_traceparent("00-" + std::string(32, '0') + "-c532cb4098ac3dd2-01"));
    EXPECT_FALSE(parse_traceparent("00-" + std::string(trace) + "-0000000000000000-01"));
}

TEST(TraceComment, IsFoundAtTheEnd)
{
    const std::string parent(good);
    const std::string own = "traceparent='" + parent + "'";
    for (const std::string& text : {"SELECT 1 /*" + own + "*/",
                                    "SELECT 1 /*action='%2Fpolls',db_driver='psycopg'," + own +
                                        ",tracestate='rojo%3D00f067,congo%3Dt61'*/",
                                    "SELECT 1 /* a */ /* framework = 'it\\'s', " + own + " */ ; \n",
                                    "/*" + own + "*/",
                                    "SELECT 1 /*traceparent='00%2D" + parent.substr(3) + "'*/"}) {
        const auto found = trace_of(text);
        ASSERT_TRUE(found) << text;
        EXPECT_EQ(found->trace_id(), trace);
    }
}

TEST(TraceComment, IsNotGuessed)
{
    const std::string own = "traceparent='" + std::string(good) + "'";
    for (const std::string& text : {std::string(),
                                    std::string("*/"),
                                    std::string("/*/"),
                                    std::string("/**/"),
                                    std::string("SELECT 1"),
                                    "SELECT '/*" + own + "*/'",
                                    "/*" + own + "*/ SELECT 1",
                                    "SELECT 1 /*x" + own + "*/",
                                    "SELECT 1 /*traceparent=" + std::string(good) + "*/",
                                    std::string("SELECT 1 /*traceparent='"),
                                    std::string("SELECT 1 /*traceparent='*/"),
                                    std::string("SELECT 1 /*traceparent='\\*/"),
                                    std::string("SELECT 1 /*a='1',,=*/"),
                                    std::string("SELECT 1 /*a='%'*/"),
                                    "SELECT 1 " + own + "*/",
                                    "SELECT 1 /*" + own + std::string(3000, ' ') + "*/"})
        EXPECT_FALSE(trace_of(text)) << text;
}

}  // namespace
}  // namespace sluice::sql
