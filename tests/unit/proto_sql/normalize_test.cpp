// tests/unit/proto_sql/normalize_test.cpp: statements without their constants.
#include "proto/sql/normalize.hpp"

#include <gtest/gtest.h>

#include "proto/sql/classify.hpp"
#include "proto/sql/classify_mysql.hpp"

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

// Who reads a text for another reason gives the same digest by the way.
TEST(DigestOf, IsTheClassifiers)
{
    for (const std::string_view text :
         {"SELECT c FROM t WHERE id=17 AND n = 'x''y'",
          "((SELECT 1)) UNION SELECT 2; /* x */ SELECT 3;;",
          "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')",
          "SET search_path = a, b",
          "UPDATE t SET a_rather_long_name = a_rather_long_name + 1",
          "BEGIN; COMMIT",
          "PREPARE p AS SELECT 1",
          "DECLARE c CURSOR FOR SELECT a.b::text FROM a",
          "SELECT last_insert_id(), found_rows(), pg_advisory_lock(5)",
          "DO 'BEGIN PERFORM set_config(1, 2); END'",
          ""}) {
        EXPECT_EQ(classify_postgres(text).digest, digest_of(text, dialect::postgres)) << text;
        EXPECT_EQ(classify_mysql(text).digest, digest_of(text, dialect::mysql)) << text;
    }
    for (const std::string_view text :
         {"SET STATEMENT max_statement_time = 1 FOR SELECT `a b`",
          "SET @a = 1, SESSION sql_mode = 'ANSI', NAMES utf8mb4",
          "CREATE PROCEDURE p() BEGIN IF 1 THEN CASE a WHEN 1 THEN SELECT 1; END CASE; END IF; END",
          "SELECT @@session.sql_mode, a->>'$.b' FROM t WHERE a<=>b OR a:=5",
          "KILL QUERY 17",
          "/*!50001 SELECT 1 */ -- x"})
        EXPECT_EQ(classify_mysql(text).digest, digest_of(text, dialect::mysql)) << text;
    EXPECT_EQ(classify_postgres("SELECT $1").digest, classify_postgres("SELECT 'a'").digest);
}

TEST(DigestOf, TellsWordsOfAnyLengthApart)
{
    const auto of = [](std::string_view word) {
        return digest_of("SELECT " + std::string(word), dialect::mysql);
    };
    const std::string word = "abcdefghijklmnopqrst";
    for (std::size_t size = 1; size <= word.size(); ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            std::string other = word.substr(0, size);
            other[at] = '_';
            EXPECT_NE(of(word.substr(0, size)), of(other)) << other;
        }
        EXPECT_NE(of(word.substr(0, size)), of(word.substr(0, size - 1))) << size;
    }
}

}  // namespace
}  // namespace sluice::sql
