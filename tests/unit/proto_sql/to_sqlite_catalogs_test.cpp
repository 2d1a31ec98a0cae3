// tests/unit/proto_sql/to_sqlite_catalogs_test.cpp: what tools write that SQLite has no words for.
#include <gtest/gtest.h>

#include "proto/sql/sqlite_schema.hpp"
#include "proto/sql/to_sqlite.hpp"

namespace sluice::sql {
namespace {

std::string rewritten(std::string_view text)
{
    return to_sqlite(text).text;
}

TEST(ToSqliteCatalogs, RegistryCasts)
{
    EXPECT_EQ(rewritten("SELECT 1 WHERE a = 'pg_class'::regclass"),
              "SELECT 1 WHERE a = pg_reg('regclass', 'pg_class')");
    EXPECT_EQ(rewritten("SELECT conrelid::pg_catalog.regclass AS t FROM c"),
              "SELECT pg_reg_name('regclass', conrelid) AS t FROM c");
    EXPECT_EQ(rewritten("SELECT 1 ORDER BY c.oid::regclass::text"),
              "SELECT 1 ORDER BY CAST(pg_reg_name('regclass', c.oid) AS TEXT)");
    EXPECT_EQ(rewritten("SELECT 1 WHERE x = CAST('t' AS regclass)"),
              "SELECT 1 WHERE x = pg_reg('regclass',     ('t' ))");
    const auto parameter = to_sqlite("SELECT 1 WHERE a = $1::regclass");
    EXPECT_EQ(parameter.text, "SELECT 1 WHERE a = pg_reg('regclass', ?1)");
    EXPECT_EQ(parameter.parameter_type(1), "text");
}

TEST(ToSqliteCatalogs, Arrays)
{
    EXPECT_EQ(rewritten("SELECT ARRAY[1, 2]"), "SELECT pg_array(1, 2)");
    EXPECT_EQ(rewritten("SELECT con.conkey[1]"), "SELECT pg_subscript(con.conkey, 1)");
    EXPECT_EQ(rewritten("SELECT (f(true))[s.r - 1]"), "SELECT pg_subscript((f(true)), s.r - 1)");
    EXPECT_EQ(rewritten("SELECT ARRAY(SELECT a FROM t)"),
              "SELECT (WITH pg_a(v) AS (SELECT a FROM t) SELECT coalesce(array_agg(v), '{}') FROM "
              "pg_a)");
    EXPECT_EQ(rewritten("SELECT 1 WHERE a = ANY (b)"),
              "SELECT 1 WHERE a  IN (SELECT v FROM \"pg:unnest:v\"(b))");
    EXPECT_EQ(rewritten("SELECT 1 WHERE a <> ALL (ARRAY['x'])"),
              "SELECT 1 WHERE a  NOT IN (SELECT v FROM \"pg:unnest:v\"(pg_array('x')))");
    EXPECT_EQ(rewritten("SELECT 1 WHERE a = ANY (SELECT 2)"), "SELECT 1 WHERE a  IN  (SELECT 2)");
    EXPECT_EQ(rewritten("SELECT array_agg(a ORDER BY b DESC, c) FROM t"),
              "SELECT array_agg(a , b , 1, c, 0) FROM t");
    EXPECT_EQ(rewritten("SELECT [user] FROM [t]"), "SELECT [user] FROM [t]");
}

TEST(ToSqliteCatalogs, FunctionsThatReturnRows)
{
    EXPECT_EQ(rewritten("SELECT * FROM unnest(a) WITH ORDINALITY AS k(n, i) JOIN t ON t.a = k.n"),
              "SELECT * FROM \"pg:unnest+:n:i\"(a) AS \"k\"  JOIN t ON t.a = k.n");
    EXPECT_EQ(rewritten("SELECT * FROM pg_catalog.generate_series(1, 32) pos(n), t"),
              "SELECT * FROM \"pg:generate_series:n\"(1, 32) AS \"pos\" , t");
    EXPECT_EQ(rewritten("SELECT x FROM unnest(a) x"), "SELECT x FROM \"pg:unnest:x\"(a) AS \"x\" ");
    EXPECT_EQ(rewritten("SELECT unnest(k) n, generate_subscripts(k, 1) o FROM i WHERE p"),
              "SELECT pg_1.unnest n, pg_2.generate_subscripts o FROM i , "
              "\"pg:unnest+:unnest:pg_n\"(k) AS pg_1 JOIN "
              "\"pg:generate_subscripts+:generate_subscripts:pg_n\"(k, 1) AS pg_2 ON "
              "pg_2.pg_n=pg_1.pg_n WHERE p");
    EXPECT_EQ(rewritten("SELECT (information_schema._pg_expandarray(i.k)).n AS s FROM i"),
              "SELECT pg_1.n AS s FROM i, \"pg:_pg_expandarray+:x:n:pg_n\"(i.k) AS pg_1 ");
    const auto bulk = to_sqlite("INSERT INTO t SELECT unnest($1::int[]), unnest($2::text[])");
    EXPECT_EQ(bulk.parameter_count, 2u);
    EXPECT_EQ(bulk.parameter_type(2), "text[]");
}

TEST(ToSqliteCatalogs, CallsWithWordsInside)
{
    EXPECT_EQ(rewritten("SELECT trim(both '\"' from x)"), "SELECT pg_trim('both',  '\"' , x)");
    EXPECT_EQ(rewritten("SELECT trim(trailing from x), trim(x)"),
              "SELECT pg_trim('trailing', ' ',  x), trim(x)");
    EXPECT_EQ(rewritten("SELECT substring(x from 2 for 3) FROM t"),
              "SELECT substr(x , 2 , 3) FROM t");
    EXPECT_EQ(rewritten("SELECT position('a' in b)"), "SELECT pg_position('a' , b)");
    EXPECT_EQ(rewritten("SELECT extract(year from d) FROM t"),
              "SELECT date_part('year',  d) FROM t");
    EXPECT_EQ(rewritten("SELECT left(a, 2) FROM x LEFT JOIN y ON 1"),
              "SELECT pg_left(a, 2) FROM x LEFT JOIN y ON 1");
    EXPECT_EQ(rewritten("SELECT a AS default, b AS x"), "SELECT a AS \"default\", b AS x");
    EXPECT_EQ(rewritten("CREATE TABLE x AS SELECT 1"), "CREATE TABLE x AS SELECT 1");
    EXPECT_EQ(rewritten("SELECT a.oid, b FROM a JOIN b ON x ORDER BY oid, b"),
              "SELECT a.oid, b FROM a JOIN b ON x ORDER BY a.oid, b");
    EXPECT_EQ(rewritten("SELECT 1 FROM i WHERE i.indisprimary = 'f'"),
              "SELECT 1 FROM i WHERE i.indisprimary = FALSE");
}

TEST(ToSqliteCatalogs, EveryPrefixEnds)
{
    const std::string_view text =
        "SELECT ARRAY(SELECT a[1] FROM unnest(x, y) WITH ORDINALITY AS t(a, b, c)), "
        "(_pg_expandarray("
        "k)).n, trim(both from q) FROM t WHERE a = ANY (ARRAY[[1]]) ORDER BY array_agg(x ORDER BY "
        "y)";
    for (std::size_t i = 0; i <= text.size(); ++i)
        (void)rewritten(text.substr(0, i));
}

TEST(SqliteSchema, Tables)
{
    const auto t = read_table_definition(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INT CHECK (a > (1)) REFERENCES u, "
        "b TEXT CONSTRAINT one UNIQUE, c AS (a + 1) STORED, CONSTRAINT \"k 2\" UNIQUE (a, [b]), "
        "CONSTRAINT f FOREIGN KEY (a) REFERENCES u (x) DEFERRABLE INITIALLY DEFERRED, CHECK "
        "(b<>''))");
    EXPECT_TRUE(t.autoincrement);
    ASSERT_EQ(t.clauses.size(), 7u);
    EXPECT_EQ(t.clauses[1].expression, "a > (1)");
    EXPECT_EQ(t.clauses[3].name, "one");
    EXPECT_EQ(t.clauses[4].name, "k 2");
    EXPECT_EQ(t.clauses[4].columns, (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(t.clauses[5].deferred);
    ASSERT_EQ(t.generated.size(), 1u);
    EXPECT_EQ(t.generated[0].second, "a + 1");
}

TEST(SqliteSchema, IndexesAndViews)
{
    const auto i = read_index_definition(
        "CREATE UNIQUE INDEX i ON t (lower(a) COLLATE nocase DESC, b) WHERE b > 1;");
    EXPECT_EQ(i.keys, (std::vector<std::string>{"lower(a) COLLATE nocase DESC", "b"}));
    EXPECT_EQ(i.predicate, "b > 1");
    EXPECT_EQ(read_view_query("CREATE VIEW v (a) AS SELECT 1 AS x"), "SELECT 1 AS x");
    EXPECT_EQ(read_view_query("nonsense ("), "");
}

}  // namespace
}  // namespace sluice::sql
