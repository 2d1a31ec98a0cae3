// tests/unit/proto_sql/normalize_test.cpp: statements without their constants.
#include "proto/sql/normalize.hpp"

#include <gtest/gtest.h>

namespace sluice::sql {
namespace {

std::string pg(std::string_view text)
{
    return normalized(text, dialect::postgres, 1000);
}

TEST(Normalized, ShowsNoConstants)
{
    EXPECT_EQ(pg("SELECT *\n  FROM t WHERE a='secret' AND b = 17 -- 4711"),
              "SELECT * FROM t WHERE a = ? AND b = ?");
    EXPECT_EQ(pg("SELECT count(*), f(x), t.a FROM s.t"), "SELECT count(*), f(x), t.a FROM s.t");
    EXPECT_EQ(pg("SELECT $1::int, $$secret$$, E'\\'x', $2"), "SELECT ?::int, ?, ...");
    EXPECT_EQ(normalized("SELECT \"secret\", `a b` FROM t WHERE c=?", dialect::mysql, 1000),
              "SELECT ?, `a b` FROM t WHERE c = ?");
}

TEST(Normalized, ListsAreShort)
{
    EXPECT_EQ(pg("SELECT 1 WHERE a IN (1,2,3,4)"), "SELECT ? WHERE a IN (?, ...)");
    EXPECT_EQ(pg("INSERT INTO t (a, b) VALUES (1, 'x')"), "INSERT INTO t (a, b) VALUES (?, ...)");
    EXPECT_EQ(pg("SELECT f(1, a, 2)"), "SELECT f(?, a, ?)");
}

TEST(Normalized, IsCutBetweenCharacters)
{
    EXPECT_EQ(normalized("SELECT \"äöü\"", dialect::postgres, 9), "SELECT \"...");
    EXPECT_EQ(normalized("SELECT abc", dialect::postgres, 10), "SELECT abc");
    EXPECT_LE(pg(std::string(100'000, '(')).size(), 1010u);
}

TEST(DigestOf, IgnoresConstantsBlanksAndComments)
{
    const auto of = [](std::string_view text) { return digest_of(text, dialect::mysql); };
    EXPECT_EQ(of("SELECT 1"), of("SELECT  'a' /* x */;"));
    EXPECT_EQ(of("SELECT * FROM t WHERE id=?"), of("SELECT * FROM t WHERE id = 17"));
    EXPECT_NE(of("SELECT a FROM t"), of("SELECT b FROM t"));
    EXPECT_NE(of("SELECT abcdefgh1 FROM t"), of("SELECT abcdefgh2 FROM t"));
    EXPECT_NE(of(""), 0u);
}

}  // namespace
}  // namespace sluice::sql
