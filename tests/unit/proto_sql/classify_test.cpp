// tests/unit/proto_sql/classify_test.cpp: what pooling is told about statements.
#include "proto/sql/classify.hpp"

#include <gtest/gtest.h>

#include "texts.hpp"

namespace sluice::sql {
namespace {

using k = statement_kind;
using pr = pin_reason;

// "name=value name2 ?": what is touched, ? for unknown, * for all.
std::string touched(const statement_traits& t)
{
    std::string out;
    for (std::size_t i = 0; i < t.setting_count; ++i) {
        out += out.empty() ? "" : " ";
        out += t.settings[i].name;
        if (!t.settings[i].value.empty())
            out += '=' + std::string(t.settings[i].value);
    }
    if (t.touches_unknown_setting)
        out += out.empty() ? "?" : " ?";
    if (t.resets_all)
        out += out.empty() ? "*" : " *";
    return out;
}

struct kind_case {
    std::string_view text;
    k kind;
    std::uint32_t statements = 1;
    std::string_view name = "";
};

TEST(Classify, Kinds)
{
    const kind_case cases[] = {
        {"", k::empty, 0},
        {" ; ;; -- select\n /* x */", k::empty, 0},
        {"select 1", k::select},
        {"SELECT 1; ;SELECT 2;", k::select, 2},
        {"(SELECT 1) UNION (SELECT 2)", k::select},
        {"((select 1)); select 2", k::select, 2},
        {"/* hint */ INSERT INTO t VALUES (1)", k::insert},
        {"UPDATE t SET a = 1", k::update},
        {"DELETE FROM t", k::delete_},
        {"MERGE INTO t USING s ON true WHEN MATCHED THEN DO NOTHING", k::merge},
        {"VALUES (1)", k::values},
        {"TABLE t", k::table},
        {"WITH a AS (SELECT 1) SELECT * FROM a", k::with},
        {"begin", k::begin},
        {"START TRANSACTION READ ONLY", k::begin},
        {"COMMIT", k::commit},
        {"END WORK", k::commit},
        {"COMMIT PREPARED 'x'", k::commit_prepared},
        {"ROLLBACK", k::rollback},
        {"ABORT TRANSACTION", k::rollback},
        {"ROLLBACK AND CHAIN", k::rollback},
        {"ROLLBACK PREPARED 'x'", k::rollback_prepared},
        {"ROLLBACK TO s", k::rollback_to, 1, "s"},
        {"ROLLBACK WORK TO SAVEPOINT \"S 1\"", k::rollback_to, 1, "\"S 1\""},
        {"SAVEPOINT s", k::savepoint, 1, "s"},
        {"RELEASE s", k::release, 1, "s"},
        {"RELEASE SAVEPOINT s", k::release, 1, "s"},
        {"PREPARE p AS SELECT 1", k::prepare, 1, "p"},
        {"PREPARE p (int) AS SELECT $1", k::prepare, 1, "p"},
        {"PREPARE TRANSACTION 'x'", k::prepare_transaction},
        {"PREPARE transaction AS SELECT 1", k::prepare, 1, "transaction"},
        {"EXECUTE \"P\"\"q\" (1)", k::execute, 1, "\"P\"\"q\""},
        {"DEALLOCATE p", k::deallocate, 1, "p"},
        {"DEALLOCATE PREPARE p", k::deallocate, 1, "p"},
        {"DEALLOCATE prepare", k::deallocate, 1, "prepare"},
        {"DEALLOCATE ALL", k::deallocate, 1, ""},
        {"DEALLOCATE PREPARE ALL", k::deallocate, 1, ""},
        {"DEALLOCATE \"all\"", k::deallocate, 1, "\"all\""},
        {"DISCARD ALL", k::discard},
        {"DECLARE c CURSOR FOR SELECT 1", k::declare_cursor, 1, "c"},
        {"FETCH FORWARD 5 FROM c", k::fetch, 1, "c"},
        {"MOVE c", k::fetch, 1, "c"},
        {"CLOSE c", k::close_cursor, 1, "c"},
        {"CLOSE ALL", k::close_cursor, 1, ""},
        {"COPY t FROM STDIN", k::copy},
        {"LISTEN ch", k::listen, 1, "ch"},
        {"UNLISTEN ch", k::unlisten, 1, "ch"},
        {"NOTIFY ch, 'x;y'", k::notify, 1, "ch"},
        {"LOCK TABLE t", k::lock},
        {"LOAD 'x'", k::load},
        {"CREATE TABLE t (a int)", k::create},
        {"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3", k::create, 2},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN 1=1 THEN 2 "
         "END; SELECT 3; END; SELECT 4",
         k::create,
         2},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2 $$", k::create},
        {"ALTER TABLE t ADD COLUMN b int", k::ddl},
        {"DROP TABLE t", k::ddl},
        {"TRUNCATE t", k::ddl},
        {"VACUUM", k::maintenance},
        {"CHECKPOINT", k::maintenance},
        {"CALL p()", k::call},
        {"DO $$ begin; end $$", k::do_},
        {"EXPLAIN (ANALYZE, VERBOSE) SELECT 1", k::explain},
        {"SHOW search_path", k::show},
        {"SET LOCAL x = 1", k::set_local},
        {"SET TRANSACTION READ ONLY", k::set_local},
        {"SET SESSION TRANSACTION READ ONLY", k::set_local},
        {"SET CONSTRAINTS ALL DEFERRED", k::set_local},
        {"SET x = 1", k::set},
        {"RESET x", k::reset},
        {"\"select\" 1", k::other},
        {"selects", k::other},
        {"'select'", k::other},
        {"SELECT $$;$$, ';', E'\\';', \";\" /* ; */", k::select},
    };
    for (const auto& c : cases) {
        const auto t = classify_postgres(c.text);
        EXPECT_EQ(static_cast<int>(t.kind), static_cast<int>(c.kind)) << c.text;
        EXPECT_EQ(t.statements, c.statements) << c.text;
        EXPECT_EQ(t.name.raw, c.name) << c.text;
        EXPECT_EQ(t.has(c.kind), c.statements > 0) << c.text;
        EXPECT_EQ(t.is_rollback_to, c.kind == k::rollback_to) << c.text;
    }
}

struct setting_case {
    std::string_view text;
    std::string_view touched;
};

TEST(Classify, Settings)
{
    const setting_case cases[] = {
        {"SELECT 1", ""},
        {"SET search_path = a, \"B\"", "search_path=a, \"B\""},
        {"SET search_path TO 'x;y' ; SELECT 1", "search_path='x;y'"},
        {"SET SESSION work_mem = '64MB'", "work_mem='64MB'"},
        {"SET \"TimeZone\" TO DEFAULT", "TimeZone=DEFAULT"},
        {"SET my.Var = 1", "my.Var=1"},
        {"SET my . var = 1", "?"},
        {"SET \"my\".var = 1", "?"},
        {"SET \"a\"\"b\" = 1", "?"},
        {"SET U&\"x\" = 1", "?"},
        {"SET x FROM CURRENT", "x"},
        {"SET geqo_threshold = -1", "geqo_threshold=-1"},
        {"SET TIME ZONE 'UTC'", "TimeZone='UTC'"},
        {"set time zone -7", "TimeZone=-7"},
        {"SET TIME ZONE LOCAL", "TimeZone=DEFAULT"},
        {"SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE", "TimeZone"},
        {"SET NAMES 'utf8'", "client_encoding='utf8'"},
        {"SET NAMES", "client_encoding=DEFAULT"},
        {"SET SCHEMA 's'", "search_path='s'"},
        {"SET ROLE r", "role=r"},
        {"SET SESSION ROLE NONE", "role=NONE"},
        {"SET role = 'r'", "role='r'"},
        {"SET names = 1", "names=1"},
        {"SET XML OPTION DOCUMENT", "xmloption=DOCUMENT"},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
         "default_transaction_isolation"},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, NOT "
         "DEFERRABLE",
         "default_transaction_isolation default_transaction_read_only "
         "default_transaction_deferrable"},
        {"SET LOCAL x = 1", ""},
        {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", ""},
        {"SET CONSTRAINTS ALL IMMEDIATE", ""},
        {"SET a = 1; SET b = 2; SET A = 3", "a=3 b=2"},
        {"SET a=1;SET b=2;SET c=3;SET d=4;SET e=5;SET f=6;SET g=7", "a=1 b=2 c=3 d=4 e=5 f=6 ?"},
        {"RESET x", "x"},
        {"RESET my.var", "my.var"},
        {"RESET TIME ZONE", "TimeZone"},
        {"RESET TRANSACTION ISOLATION LEVEL", ""},
        {"RESET ALL", "*"},
        {"RESET \"all\"", "all"},
        {"DISCARD ALL", "*"},
        {"SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;", "*"},
        {"SELECT set_config('a.b', 'c', false)", "a.b"},
        {"SELECT pg_catalog.set_config ( 'search_path' , $1 , FALSE )", "search_path"},
        {"SELECT \"set_config\"('x', 'y', false)", "x"},
        {"SELECT set_config('x', 'y', true)", ""},
        {"SELECT set_config('x', f(1, 2), true), set_config('z', 'y', 't')", ""},
        {"SELECT set_config('x', 'y', $1)", "x"},
        {"SELECT set_config('x', 'y', not true)", "x"},
        {"SELECT set_config($1, 'y', false)", "?"},
        {"SELECT set_config($1, 'y', true)", ""},
        {"SELECT set_config('a' || 'b', 'y', false)", "?"},
        {"SELECT set_config(E'a', 'y', false)", "?"},
        {"SELECT set_config('x', set_config('z', '', false), true)", "z"},
        {"WITH s AS (SELECT set_config('x', 'y', false)) SELECT * FROM s", "x"},
        {"SELECT set_config", ""},
        {"SELECT 'set_config(''x'',''y'',false)'", ""},
        {"SELECT set_config('x', 'y'", "x"},
        {"UPDATE pg_settings SET setting = 'x' WHERE name = 'y'", "?"},
        {"UPDATE pg_catalog.pg_settings SET setting = 'x'", "?"},
        {"SELECT * FROM pg_settings", ""},
        {"UPDATE t SET search_path = 1", ""},
        {"INSERT INTO t VALUES ('x') ON CONFLICT DO UPDATE SET a = 1", ""},
        {"CREATE FUNCTION f() RETURNS int SET x = 1 LANGUAGE sql AS 'SELECT 1'", ""},
        {"ALTER ROLE r SET x = 1", ""},
        {"SET x = 'abc", "x"},
        {"SET", "?"},
    };
    for (const auto& c : cases) {
        const auto t = classify_postgres(c.text);
        EXPECT_EQ(touched(t), c.touched) << c.text;
        EXPECT_EQ(t.session_settings_touched(), !c.touched.empty()) << c.text;
    }
}

struct pin_case {
    std::string_view text;
    pr pins;
    pr unpins = pr::none;
};

TEST(Classify, Pins)
{
    const auto all = pr::temporary_object | pr::advisory_lock | pr::listen | pr::hold_cursor |
                     pr::sql_prepare | pr::session_authorization;
    const pin_case cases[] = {
        {"CREATE TEMP TABLE t (a int)", pr::temporary_object},
        {"create local temporary table t (a int)", pr::temporary_object},
        {"CREATE OR REPLACE TEMP VIEW v AS SELECT 1", pr::temporary_object},
        {"CREATE GLOBAL TEMPORARY SEQUENCE s", pr::temporary_object},
        {"CREATE TABLE pg_temp.t (a int)", pr::temporary_object},
        {"CREATE TEMP TABLE t (a int) ON COMMIT DROP", pr::none},
        {"create temporary table t on commit drop as select 1", pr::none},
        {"CREATE TEMP TABLE t (a int) ON COMMIT DELETE ROWS", pr::temporary_object},
        {"CREATE TEMP TABLE t (a int); CREATE TEMP TABLE u (a int) ON COMMIT DROP",
         pr::temporary_object},
        {"CREATE TEMP TABLE u (a int) ON COMMIT DROP; CREATE TEMP TABLE t (a int)",
         pr::temporary_object},
        {"CREATE TABLE \"pg_temp\".t (a int)", pr::temporary_object},
        {"CREATE TABLE temp (temporary int)", pr::none},
        {"CREATE UNLOGGED TABLE t (a int)", pr::none},
        {"SELECT 1 AS a INTO TEMP t", pr::temporary_object},
        {"SELECT 1 AS a INTO LOCAL TEMPORARY TABLE t", pr::temporary_object},
        {"WITH x AS (INSERT INTO temp VALUES (1)) SELECT * INTO TEMP t FROM x",
         pr::temporary_object},
        {"INSERT INTO temp VALUES (1)", pr::none},
        {"WITH x AS (SELECT 1) INSERT INTO temp SELECT * FROM x", pr::none},
        {"MERGE INTO temp USING s ON true WHEN MATCHED THEN DO NOTHING", pr::none},
        {"EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1", pr::temporary_object},
        {"EXPLAIN (ANALYZE, COSTS off) CREATE TEMP TABLE t AS SELECT 1", pr::temporary_object},
        {"SELECT pg_advisory_lock(1)", pr::advisory_lock},
        {"SELECT pg_catalog.PG_TRY_ADVISORY_LOCK_SHARED (1, 2)", pr::advisory_lock},
        {"SELECT \"pg_try_advisory_lock\"(1)", pr::advisory_lock},
        {"WITH x AS (SELECT pg_advisory_lock_shared(1)) SELECT 1", pr::advisory_lock},
        {"UPDATE t SET a = (SELECT 1 FROM pg_advisory_lock(1))", pr::advisory_lock},
        {"SELECT pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)", pr::none},
        {"SELECT pg_advisory_lock FROM t", pr::none},
        {"SELECT 'pg_advisory_lock(1)' -- pg_advisory_lock(1)", pr::none},
        {"SELECT pg_advisory_unlock(1)", pr::none},
        {"SELECT pg_advisory_unlock_all()", pr::none, pr::advisory_lock},
        {"SELECT pg_advisory_unlock_all(); SELECT pg_advisory_lock(1)", pr::advisory_lock},
        {"LISTEN x", pr::listen},
        {"LISTEN x; UNLISTEN *", pr::none, pr::listen},
        {"UNLISTEN x", pr::none},
        {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", pr::hold_cursor},
        {"DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT 1", pr::hold_cursor},
        {"DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1", pr::none},
        {"DECLARE c CURSOR FOR WITH hold AS (SELECT 1) TABLE hold", pr::none},
        {"CLOSE ALL", pr::none, pr::hold_cursor},
        {"PREPARE p AS SELECT 1", pr::sql_prepare},
        {"PREPARE TRANSACTION 'x'", pr::none},
        {"DEALLOCATE ALL", pr::none, pr::sql_prepare},
        {"DEALLOCATE p", pr::none},
        {"LOAD 'auto_explain'", pr::load},
        {"SET SESSION AUTHORIZATION x", pr::session_authorization},
        {"SET session_authorization = x", pr::session_authorization},
        {"SELECT set_config('session_authorization', 'x', false)", pr::session_authorization},
        {"SET LOCAL SESSION AUTHORIZATION x", pr::none},
        {"SET SESSION AUTHORIZATION DEFAULT", pr::none, pr::session_authorization},
        {"RESET SESSION AUTHORIZATION", pr::none, pr::session_authorization},
        {"DISCARD ALL", pr::none, all},
        {"LISTEN x; LOAD 'y'; DISCARD ALL", pr::load, all},
        {"DISCARD TEMP", pr::none, pr::temporary_object},
        {"DISCARD PLANS", pr::none},
        {"SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;",
         pr::none,
         pr::advisory_lock | pr::hold_cursor | pr::listen},
        {"DO $$ BEGIN CREATE TEMP TABLE x (a int); END $$", pr::temporary_object},
        {"DO LANGUAGE plpgsql 'BEGIN PERFORM pg_advisory_lock(1); END'", pr::advisory_lock},
        {"SELECT 1; CREATE TEMP TABLE t (); SELECT pg_advisory_lock(1)",
         pr::temporary_object | pr::advisory_lock},
        {"SELECT E'\\'; CREATE TEMP TABLE x ()'", pr::none},
        {"SELECT '\\'; CREATE TEMP TABLE x ()", pr::temporary_object},
    };
    for (const auto& c : cases) {
        const auto t = classify_postgres(c.text);
        EXPECT_EQ(static_cast<int>(t.pins), static_cast<int>(c.pins)) << c.text;
        EXPECT_EQ(static_cast<int>(t.unpins), static_cast<int>(c.unpins)) << c.text;
    }
}

TEST(Classify, SelfContained)
{
    for (const std::string_view text : {"SELECT abalance FROM pgbench_accounts WHERE aid = 12345;",
                                        "select 1",
                                        "INSERT INTO t (a) VALUES ($1) RETURNING id",
                                        "UPDATE t SET a = a + 1 WHERE id = 1",
                                        "DELETE FROM t WHERE id = 1",
                                        "VALUES (1), (2)",
                                        "SELECT nextval('s')",
                                        "WITH x AS (SELECT 1) SELECT * FROM x",
                                        "SELECT substring('abc' FOR 2)",
                                        "INSERT INTO t SELECT * FROM s",
                                        "SELECT 'pg_sleep(1)'",
                                        "(SELECT 1)"})
        EXPECT_TRUE(classify_postgres(text).self_contained) << text;

    for (const std::string_view text : {"",
                                        "SELECT 1; SELECT 2",
                                        "BEGIN",
                                        "COMMIT",
                                        "SELECT 1 FOR UPDATE",
                                        "SELECT * FROM t FOR NO KEY UPDATE",
                                        "SELECT * FROM t FOR KEY SHARE",
                                        "SELECT * FROM (SELECT * FROM t FOR SHARE) x",
                                        "SELECT pg_sleep(1)",
                                        "SELECT pg_catalog.pg_sleep_for('1s')",
                                        "SELECT pg_advisory_xact_lock(1)",
                                        "SELECT pg_advisory_lock(1)",
                                        "SELECT set_config('a', 'b', true)",
                                        "SELECT 1 INTO t",
                                        "SELECT currval('s')",
                                        "SELECT lastval()",
                                        "SELECT setseed(0.5)",
                                        "LOCK TABLE t",
                                        "SELECT lo_open(1, 2)",
                                        "TABLE t",
                                        "COPY t TO STDOUT",
                                        "EXPLAIN SELECT 1",
                                        "CALL p()",
                                        "DO ''",
                                        "SET x = 1",
                                        "SHOW x",
                                        "SELECT 'abc",
                                        "SELECT U&\"pg\\005fsleep\"(1)",
                                        "SELECT \"pg_sleep\"(1)",
                                        "FETCH c",
                                        "EXECUTE p",
                                        "UPDATE pg_settings SET setting = 1",
                                        "WITH x AS (SELECT pg_sleep(1)) SELECT * FROM x"})
        EXPECT_FALSE(classify_postgres(text).self_contained) << text;
}

TEST(Classify, NamesOfSeveralStatements)
{
    const auto one = classify_postgres("SELECT 1; PREPARE p AS SELECT 1; SELECT 2");
    EXPECT_EQ(one.name.raw, "p");
    EXPECT_EQ(one.name_kind, k::prepare);
    EXPECT_FALSE(one.more_names);
    const auto two = classify_postgres("LISTEN a; LISTEN b");
    EXPECT_EQ(two.name.raw, "a");
    EXPECT_EQ(two.name_kind, k::listen);
    EXPECT_TRUE(two.more_names);
    EXPECT_EQ(classify_postgres("SELECT 1").name_kind, k::empty);
    EXPECT_EQ(classify_postgres("DEALLOCATE ALL").name_kind, k::empty);
}

TEST(Classify, CodeIsOpaque)
{
    EXPECT_TRUE(classify_postgres("DO $$ $$").opaque);
    EXPECT_TRUE(classify_postgres("SELECT 1; CALL p()").opaque);
    EXPECT_FALSE(classify_postgres("SELECT f()").opaque);
}

TEST(Classify, KindsOfAllStatements)
{
    const auto t = classify_postgres("SET x = 1; BEGIN; ROLLBACK TO s; SELECT 'a");
    EXPECT_TRUE(t.has(k::set) && t.has(k::begin) && t.has(k::rollback_to) && t.has(k::select));
    EXPECT_FALSE(t.has(k::commit));
    EXPECT_TRUE(t.is_rollback_to);
    EXPECT_TRUE(t.unterminated);
}

TEST(Classify, EveryPrefix)
{
    for (const auto text : test::nasty_texts)
        test::for_every_prefix(text, [](std::string_view prefix) {
            const auto t = classify_postgres(prefix);
            for (std::size_t i = 0; i < t.setting_count; ++i)
                ASSERT_FALSE(t.settings[i].name.empty());
            ASSERT_TRUE(t.kind != k::empty || t.statements == 0);
        });
}

TEST(Classify, EveryReasonHasItsText)
{
    for (unsigned bit = 1; bit <= 64; bit <<= 1)
        EXPECT_NE(describe(static_cast<pr>(bit)), "several");
}

}  // namespace
TEST(Classify, OnlyReads)
{
    for (const char* text : {
             "SELECT 1",
             "select abalance from pgbench_accounts where aid = $1",
             "SELECT count(*), max(a.x) FROM a JOIN b USING (id) WHERE b.y IN (1, 2) GROUP BY 1",
             "WITH recent AS (SELECT id FROM t ORDER BY id LIMIT 5) SELECT * FROM recent",
             "SELECT coalesce(lower(name), '') FROM (VALUES (1)) AS v",
             "SELECT x::numeric(10, 2) FROM t WHERE EXISTS (SELECT 1)",
         })
        EXPECT_TRUE(classify_postgres(text).only_reads) << text;
    for (const char* text : {
             "INSERT INTO t VALUES (1)",
             "UPDATE t SET a = 1",
             "SELECT create_order(1)",
             "SELECT app.count(1)",
             "SELECT \"count\"(1)",
             "SELECT create_order /* spaced */ (1)",
             "SELECT nextval('s')",
             "WITH gone AS (DELETE FROM t RETURNING id) SELECT * FROM gone",
             "WITH made AS (insert into t values (1) returning id) SELECT * FROM made",
             "SELECT * FROM t FOR UPDATE",
             "SELECT 1; SELECT 2",
             "SELECT pg_sleep(1)",
             "SELECT * INTO u FROM t",
             "BEGIN",
             "EXPLAIN ANALYZE SELECT 1",
         })
        EXPECT_FALSE(classify_postgres(text).only_reads) << text;
}

TEST(Classify, DigestsIgnoreConstantsOnly)
{
    const auto digest = [](const char* text) { return classify_postgres(text).digest; };
    EXPECT_EQ(digest("SELECT a FROM t WHERE id = 1"), digest("SELECT a FROM t WHERE id = 99"));
    EXPECT_EQ(digest("SELECT a FROM t WHERE n = 'x'"), digest("SELECT a  FROM t WHERE n = 'yy'"));
    EXPECT_NE(digest("SELECT a FROM t WHERE id = 1"), digest("SELECT b FROM t WHERE id = 1"));
    EXPECT_NE(digest("SELECT a FROM t WHERE id = 1"), digest("SELECT a FROM t WHERE id > 1"));
    EXPECT_NE(digest("SELECT 1"), digest("SELECT 1, 1"));
    EXPECT_NE(digest("SELECT a_long_name_1 FROM t"), digest("SELECT a_long_name_2 FROM t"));
}

}  // namespace sluice::sql
