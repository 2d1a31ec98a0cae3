// tests/unit/proto_sql/to_sqlite_test.cpp: PostgreSQL's surface, SQLite's words.
#include "proto/sql/to_sqlite.hpp"

#include <gtest/gtest.h>

#include "proto/sql/split.hpp"
#include "texts.hpp"

namespace sluice::sql {
namespace {

struct rewrite_case {
    std::string_view from;
    std::string_view to;
};

void expect_rewrites(std::initializer_list<rewrite_case> cases)
{
    for (const auto& c : cases)
        EXPECT_EQ(to_sqlite(c.from).text, c.to) << c.from;
}

TEST(ToSqlite, PassesWhatSqliteKnows)
{
    for (const std::string_view text :
         {"SELECT a, \"b\" FROM t WHERE x = 'it''s' AND y <> -1.5e3 ORDER BY 1 DESC",
          "INSERT INTO t (user, b) VALUES (1, TRUE) ON CONFLICT (a) DO UPDATE SET b = excluded.b "
          "RETURNING id",
          "SELECT * FROM user",
          "SELECT u.user FROM users u",
          "SELECT t.\"user\" FROM t",
          "CREATE TABLE user (user text, date date, primary key (user))",
          "SELECT `a b` FROM `user`",
          "SELECT [user] FROM t",
          "SELECT now(), date('now'), x->>'a'",
          "PRAGMA table_info(t)",
          "SELECT ~5, -x, a | ~b",
          "SELECT * FROM t LIMIT 5 OFFSET 2",
          "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT DEFAULT 'x' NOT NULL, b "
          "INT DEFAULT -1, c DEFAULT (1+2), d REAL DEFAULT NULL REFERENCES u (a) ON DELETE SET "
          "DEFAULT)",
          "CREATE INDEX i ON t (a, b DESC) WHERE a > 1",
          "DROP TABLE t",
          "CREATE TRIGGER r AFTER INSERT ON t FOR EACH ROW BEGIN UPDATE u SET a = 1; END",
          "SELECT CASE WHEN a THEN 1 ELSE 2 END FROM t",
          "SELECT substr(x, 2) AS current_user",
          "SELECT count(*) FILTER (WHERE x) OVER (ORDER BY y) FROM t",
          "SELECT x'00ff'",
          ""})
        EXPECT_EQ(to_sqlite(text).text, text);
}

TEST(ToSqlite, Parameters)
{
    expect_rewrites({
        {"SELECT $2, $1", "SELECT ?2, ?1"},
        {"SELECT '$1', \"$2\", $3 -- $4", "SELECT '$1', \"$2\", ?3"},
        {"SELECT $$ $1 $$", "SELECT ' $1 '"},
        {"SELECT $1::int, $2::\"char\", $1::text", "SELECT ?1, ?2, ?1"},
        {"SELECT $1::int::text", "SELECT CAST(?1 AS TEXT)"},
        {"SELECT ($1)::int", "SELECT CAST((?1) AS INTEGER)"},
        {"SELECT $70000, $0", "SELECT ?70000, ?0"},
        {"SELECT CAST($1 AS bigint), CAST($2 AS date)", "SELECT CAST(?1 AS INTEGER),     (?2 )"},
    });
    const auto s = to_sqlite(
        "SELECT $3::double precision, $1::int, $1::text, $10::TIMESTAMP(3) WITH "
        "TIME ZONE, $4::pg_catalog.int8[], $5::numeric(10,2), CAST($6 AS "
        "character varying(3)), $7::MyType, $8 + 1::int");
    EXPECT_EQ(s.parameter_count, 10u);
    EXPECT_EQ(s.parameter_type(1), "int4");
    EXPECT_EQ(s.parameter_type(2), "");
    EXPECT_EQ(s.parameter_type(3), "float8");
    EXPECT_EQ(s.parameter_type(4), "int8[]");
    EXPECT_EQ(s.parameter_type(5), "numeric");
    EXPECT_EQ(s.parameter_type(6), "varchar");
    EXPECT_EQ(s.parameter_type(7), "mytype");
    EXPECT_EQ(s.parameter_type(8), "");
    EXPECT_EQ(s.parameter_type(10), "timestamptz");
    EXPECT_EQ(to_sqlite("SELECT $70000").parameter_count, 0u);
    EXPECT_EQ(to_sqlite("SELECT '$1'").parameter_count, 0u);
}

TEST(ToSqlite, Casts)
{
    expect_rewrites({
        {"SELECT a::text", "SELECT CAST(a AS TEXT)"},
        {"SELECT a.b.\"c\"::text AS x", "SELECT CAST(a.b.\"c\" AS TEXT) AS x"},
        {"SELECT f(a, (b))::int4 + 1", "SELECT CAST(f(a, (b)) AS INTEGER) + 1"},
        {"SELECT s.f (1)::real", "SELECT CAST(s.f (1) AS REAL)"},
        {"SELECT x WHERE a AND (b)::int", "SELECT x WHERE a AND CAST((b) AS INTEGER)"},
        {"SELECT (1 + 2)::numeric(3, 1)", "SELECT CAST((1 + 2) AS NUMERIC)"},
        {"SELECT -1::int", "SELECT -CAST(1 AS INTEGER)"},
        {"SELECT a = '1'::int", "SELECT a = CAST('1' AS INTEGER)"},
        {"SELECT CASE WHEN a THEN b::int END::text",
         "SELECT CAST(CASE WHEN a THEN CAST(b AS INTEGER) END AS TEXT)"},
        {"SELECT 'x'::timestamptz, y::date b, z::json->>'a'", "SELECT 'x', y b, z->>'a'"},
        {"SELECT '{1}'::int[], '{1}'::int[3][], '{}'::text ARRAY", "SELECT '{1}', '{1}', '{}'"},
        {"SELECT 'a'::regclass::oid", "SELECT CAST(pg_reg('regclass', 'a') AS INTEGER)"},
        {"SELECT 't'::bool, 'NO'::boolean, a::bool", "SELECT TRUE, FALSE, a"},
        {"SELECT '\\xfF00'::bytea, '\\xf'::bytea", "SELECT x'fF00', CAST('\\xf' AS BLOB)"},
        {"SELECT E'\\\\x00'::bytea", "SELECT x'00'"},
        {"SELECT CAST(a AS varchar(3)), cast ( b as uuid )", "SELECT CAST(a AS TEXT),      ( b  )"},
        {"SELECT CAST('t' AS bool), CAST(CAST(a AS date) AS text)",
         "SELECT     (TRUE ), CAST(    (a ) AS TEXT)"},
        {"SELECT CAST(a::int AS text)", "SELECT CAST(CAST(a AS INTEGER) AS TEXT)"},
        {"SELECT date '2020-01-01', timestamp with time zone 'x'", "SELECT  '2020-01-01',  'x'"},
        {"SELECT count(*)::int", "SELECT CAST(count(*) AS INTEGER)"},
        {"SELECT a :: text", "SELECT CAST(a  AS TEXT)"},
        {"SELECT a::", "SELECT a::"},
        {"SELECT t.*::int", "SELECT t.*"},
    });
}

TEST(ToSqlite, Literals)
{
    expect_rewrites({
        {"SELECT E'a\\n\\'b\\\\\\t\\x41\\101\\u00e4'", "SELECT 'a\n''b\\\tAA\xc3\xa4'"},
        {"SELECT E'\\U0001F600 \\uD83D\\uDE00'", "SELECT '\xf0\x9f\x98\x80 \xf0\x9f\x98\x80'"},
        {"SELECT E'a\\000b'", "SELECT 'ab'"},
        {"SELECT U&'d\\0061t\\+000061\\\\'", "SELECT 'data\\'"},
        {"SELECT $$it's$$, $x$ $$ $x$", "SELECT 'it''s', ' $$ '"},
        {"SELECT 'a'\n  'b''c' d", "SELECT 'ab''c' d"},
        {"SELECT 'a' -- it's\n 'b'", "SELECT 'ab'"},
        {"SELECT N'a'", "SELECT 'a'"},
        {"SELECT 'a\\'", "SELECT 'a\\'"},
        // Without an end here, without an end there.
        {"SELECT 'abc", "SELECT 'abc"},
        {"SELECT E'abc\\'", "SELECT 'abc\\''"},
        {"SELECT $$abc", "SELECT '$abc"},
    });
}

TEST(ToSqlite, Words)
{
    expect_rewrites({
        {"SELECT pg_catalog.version(), pg_catalog . now ( )", "SELECT version(),  now ( )"},
        {"SELECT * FROM pg_catalog.pg_class", "SELECT * FROM pg_catalog.pg_class"},
        {"SELECT * FROM public.t JOIN \"public\".\"u\" ON true",
         "SELECT * FROM t JOIN \"u\" ON true"},
        {"SELECT current_user, session_user, user, current_schema, current_catalog",
         "SELECT current_user(), session_user(), current_user(), current_schema(), "
         "current_catalog()"},
        {"SELECT * FROM current_schema()",
         "SELECT * FROM (SELECT current_schema() AS current_schema) AS current_schema"},
        {"SELECT * FROM version() AS v, t", "SELECT * FROM (SELECT version() AS version) AS v, t"},
        {"INSERT INTO \"t\" (\"id\",\"a\") VALUES (DEFAULT,$1) RETURNING \"id\"",
         "INSERT INTO \"t\" (\"a\") VALUES (?1) RETURNING \"id\""},
        {"INSERT INTO public.t (a, b, c) VALUES ($1, default, (SELECT max(x, 2) FROM u)) RETURNING "
         "*",
         "INSERT INTO t (a , c) VALUES (?1 , (SELECT max(x, 2) FROM u)) RETURNING *"},
        {"SELECT current_schema(), current_user::text",
         "SELECT current_schema(), CAST(current_user() AS TEXT)"},
        {"SELECT a ILIKE 'b', a NOT ILIKE 'c'", "SELECT a LIKE 'b', a NOT LIKE 'c'"},
        {"SELECT a ~ 'b', a!~'c', a ~* 'd'",
         "SELECT a  REGEXP  'b', a NOT REGEXP 'c', a  REGEXP '(?i)' ||  'd'"},
        {"SELECT a ~~ 'b%'", "SELECT a  LIKE  'b%'"},
        {"WHERE c.relname OPERATOR(pg_catalog.~) '^(t)$' COLLATE pg_catalog.default",
         "WHERE c.relname  REGEXP  '^(t)$' "},
        {"SELECT a OPERATOR(pg_catalog.=) b COLLATE \"C\"", "SELECT a = b COLLATE BINARY"},
        {"SELECT 1 FOR UPDATE", "SELECT 1 "},
        {"SELECT * FROM (SELECT 1 FOR NO KEY UPDATE OF a, b.c SKIP LOCKED) x FOR KEY SHARE NOWAIT "
         "LIMIT 1",
         "SELECT * FROM (SELECT 1 ) x  LIMIT 1"},
        {"SELECT 1 LIMIT ALL", "SELECT 1 LIMIT -1"},
        {"SELECT 1 LIMIT ALL OFFSET 5", "SELECT 1 LIMIT -1 OFFSET 5"},
        {"SELECT 1 OFFSET $1", "SELECT 1 LIMIT -1 OFFSET ?1"},
        {"SELECT 1 OFFSET 2 LIMIT $1", "SELECT 1 LIMIT ?1 OFFSET 2"},
        {"SELECT 1 OFFSET $1 ROWS FETCH NEXT $2 ROWS ONLY", "SELECT 1 LIMIT ?2 OFFSET ?1"},
        {"SELECT 1 FETCH FIRST ROW ONLY", "SELECT 1 LIMIT 1"},
        {"SELECT (SELECT 1 LIMIT 1) OFFSET 1", "SELECT (SELECT 1 LIMIT 1) LIMIT -1 OFFSET 1"},
        {"SELECT 1 /* a /* b */ c */ + 2 -- x", "SELECT 1 + 2"},
        {"/* x */ SELECT 1", "SELECT 1"},
        {"SELECT 1/*x*/FROM t", "SELECT 1 FROM t"},
        {"INSERT INTO t SELECT * FROM u ON CONFLICT DO NOTHING",
         "INSERT INTO t SELECT * FROM u WHERE true ON CONFLICT DO NOTHING"},
        {"INSERT INTO t SELECT * FROM u WHERE a ON CONFLICT (b) DO NOTHING",
         "INSERT INTO t SELECT * FROM u WHERE a ON CONFLICT (b) DO NOTHING"},
        {"INSERT INTO t SELECT * FROM u JOIN v ON u.a = v.a",
         "INSERT INTO t SELECT * FROM u JOIN v ON u.a = v.a"},
        {"INSERT INTO t VALUES ((SELECT a FROM u)) ON CONFLICT DO NOTHING",
         "INSERT INTO t VALUES ((SELECT a FROM u)) ON CONFLICT DO NOTHING"},
    });
}

TEST(ToSqlite, Definitions)
{
    expect_rewrites({
        {"CREATE TABLE t (id SERIAL PRIMARY KEY, n bigserial NOT NULL)",
         "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)"},
        {"CREATE TABLE t (\"id\" bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY)",
         "CREATE TABLE t (\"id\" INTEGER NOT NULL PRIMARY KEY )"},
        {"CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (START 1, CACHE 2) PRIMARY KEY, b "
         "int)",
         "CREATE TABLE t (id INTEGER  PRIMARY KEY, b int)"},
        {"CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED)",
         "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED)"},
        {"CREATE TABLE public.t (a timestamp(3) with time zone, b timestamp without time zone, c "
         "double precision, d character varying(10) NOT NULL, e time with time zone, f text[], g "
         "varchar(3), h numeric(10, 2), i char(4))",
         "CREATE TABLE t (a TIMESTAMPTZ, b TIMESTAMP, c DOUBLE, d VARCHAR(10) NOT NULL, e TIMETZ, "
         "f TEXT, g varchar(3), h numeric(10, 2), i char(4))"},
        {"CREATE TABLE t (a timestamptz DEFAULT now() NOT NULL, b text DEFAULT 'x'::text, c int "
         "DEFAULT 1 + 2, d text DEFAULT current_user, e int DEFAULT -5, f uuid DEFAULT f(1, 2))",
         "CREATE TABLE t (a timestamptz DEFAULT ( now()) NOT NULL, b text DEFAULT ( CAST('x' AS "
         "TEXT)), c int DEFAULT ( 1 + 2), d text DEFAULT ( current_user()), e int DEFAULT -5, f "
         "uuid DEFAULT ( f(1, 2)))"},
        {"ALTER TABLE t ADD COLUMN a character varying(5) DEFAULT 'x'::text",
         "ALTER TABLE t ADD COLUMN a VARCHAR(5) DEFAULT ( CAST('x' AS TEXT))"},
        {"ALTER TABLE t ADD b double precision", "ALTER TABLE t ADD b DOUBLE"},
        {"CREATE INDEX CONCURRENTLY i ON public.t USING btree (a varchar_pattern_ops) INCLUDE (b, "
         "c)",
         "CREATE INDEX  i ON t  (a ) "},
        {"DROP TABLE IF EXISTS t CASCADE", "DROP TABLE IF EXISTS t "},
        {"CREATE UNLOGGED TABLE t (a int)", "CREATE  TABLE t (a int)"},
    });
}

// The client's text at the place where SQLite finds `needle` in its own.
std::string_view at_same_place(std::string_view from, std::string_view needle)
{
    const auto s = to_sqlite(from);
    const auto found = s.text.find(needle);
    EXPECT_NE(found, std::string::npos) << s.text;
    return from.substr(std::min(s.client_offset(found), from.size()));
}

TEST(ToSqlite, ErrorPositions)
{
    const std::string_view text =
        "/* c */ SELECT ((a)::int + f(b::text, $1::date))::text, E'\\n\\n', pg_catalog.g(x), "
        "current_user, bad FROM t LIMIT ALL";
    EXPECT_TRUE(at_same_place(text, "SELECT").starts_with("SELECT"));
    EXPECT_TRUE(at_same_place(text, "(a)").starts_with("(a)"));
    EXPECT_TRUE(at_same_place(text, "a)").starts_with("a)"));
    EXPECT_TRUE(at_same_place(text, "f(").starts_with("f("));
    EXPECT_TRUE(at_same_place(text, "b AS").starts_with("b::text"));
    EXPECT_TRUE(at_same_place(text, "?1").starts_with("$1::date"));
    EXPECT_TRUE(at_same_place(text, "g(x)").starts_with("g(x)"));
    EXPECT_TRUE(at_same_place(text, "bad").starts_with("bad"));
    EXPECT_TRUE(at_same_place(text, "FROM").starts_with("FROM"));
    EXPECT_TRUE(at_same_place(text, "LIMIT -1").starts_with("LIMIT ALL"));

    EXPECT_EQ(character_position("SELECT", 0), 1u);
    EXPECT_EQ(character_position("a\xc3\xa4"
                                 "b",
                                 3),
              3u);
    EXPECT_EQ(character_position("abc", 99), 4u);
}

TEST(ToSqlite, EveryPrefix)
{
    for (const auto text : test::nasty_texts)
        test::for_every_prefix(text, [](std::string_view prefix) {
            auto rest = prefix;
            for (auto one = next_statement(rest); !one.empty(); one = next_statement(rest)) {
                const auto s = to_sqlite(one);
                ASSERT_LE(s.parameter_count, 65535u);
                for (std::size_t i = 0; i <= s.text.size(); ++i)
                    ASSERT_LE(s.client_offset(i), one.size());
            }
        });
}

TEST(ToSqlite, DeepAndLongTextsStayFast)
{
    const auto repeated = [](std::string_view what, std::size_t times) {
        std::string out = "SELECT ";
        for (std::size_t i = 0; i < times; ++i)
            out += what;
        return out;
    };
    const std::string deep = repeated("(", 20'000) + '1' + repeated(")::int", 20'000).substr(7);
    EXPECT_FALSE(to_sqlite(deep).text.empty());
    for (const std::string_view what : {"cast(",
                                        "x::int::",
                                        "case ",
                                        "date(",
                                        "$1::int,",
                                        "::",
                                        "default ",
                                        "for update of a,",
                                        "[",
                                        "'a'\n"})
        EXPECT_FALSE(to_sqlite(repeated(what, 20'000)).text.empty());
    EXPECT_FALSE(
        to_sqlite("CREATE TABLE t (a int " + repeated("default ", 20'000).substr(7)).text.empty());
}

}  // namespace
}  // namespace sluice::sql
