// tests/unit/proto_sql/classify_mysql_test.cpp: what pooling is told about MySQL's statements.
#include "proto/sql/classify_mysql.hpp"

#include <gtest/gtest.h>

#include "texts.hpp"

namespace sluice::sql {
namespace {

using k = mysql_kind;
using p = mysql_pin;
using l = looks_back;

// "name=value name2=": what is touched, ? for too many.
std::string touched(const mysql_traits& t)
{
    std::string out;
    for (std::size_t i = 0; i < t.setting_count; ++i) {
        out += out.empty() ? "" : " ";
        out += std::string(t.settings[i].name) + '=' + std::string(t.settings[i].value);
    }
    if (t.touches_unknown_setting)
        out += " ?";
    return out;
}

TEST(ClassifyMysql, Kinds)
{
    struct {
        std::string_view text;
        k kind;
        std::uint32_t statements = 1;
        std::string_view name = "";
    } const cases[] = {
        {"", k::empty, 0},
        {" ; ;; -- select\n /* x */ # y", k::empty, 0},
        {"select 1", k::select},
        {"SELECT 1; ;SELECT 2;", k::select, 2},
        {"(SELECT 1) UNION (SELECT 2)", k::select},
        {"/* hint */ INSERT INTO t VALUES (1)", k::insert},
        {"replace into t values (1)", k::replace},
        {"UPDATE t SET a = 1", k::update},
        {"DELETE FROM t", k::delete_},
        {"VALUES ROW(1)", k::values},
        {"TABLE t", k::table},
        {"WITH a AS (SELECT 1) SELECT * FROM a", k::with},
        {"begin", k::begin},
        {"BEGIN WORK", k::begin},
        {"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", k::begin},
        {"START SLAVE", k::other},
        {"COMMIT AND CHAIN", k::commit},
        {"ROLLBACK", k::rollback},
        {"ROLLBACK WORK TO SAVEPOINT s", k::rollback_to, 1, "s"},
        {"ROLLBACK TO `s p`", k::rollback_to, 1, "`s p`"},
        {"SAVEPOINT a", k::savepoint, 1, "a"},
        {"RELEASE SAVEPOINT a", k::release, 1, "a"},
        {"SET autocommit=0", k::set},
        {"SET TRANSACTION READ ONLY", k::set_transaction},
        {"SHOW TABLES", k::show},
        {"SHOW WARNINGS LIMIT 1", k::show_warnings},
        {"SHOW COUNT(*) ERRORS", k::show_warnings},
        {"use `my db`", k::use, 1, "`my db`"},
        {"CALL p(1)", k::call},
        {"DO 1", k::do_},
        {"PREPARE s FROM 'SELECT 1'", k::prepare, 1, "s"},
        {"EXECUTE s USING @a", k::execute, 1, "s"},
        {"EXECUTE IMMEDIATE 'SELECT 1'", k::execute},
        {"DEALLOCATE PREPARE s", k::deallocate, 1, "s"},
        {"DROP PREPARE s", k::deallocate, 1, "s"},
        {"LOCK TABLES t WRITE", k::lock_tables},
        {"UNLOCK TABLES", k::unlock_tables},
        {"FLUSH PRIVILEGES", k::flush},
        {"HANDLER d.t OPEN AS x", k::handler_open, 1, "d"},
        {"HANDLER t READ FIRST", k::handler_read, 1, "t"},
        {"HANDLER t CLOSE", k::handler_close, 1, "t"},
        {"LOAD DATA INFILE 'x' INTO TABLE t", k::load_data},
        {"CREATE TABLE t (a INT)", k::create},
        {"CREATE OR REPLACE TEMPORARY TABLE t (a INT)", k::create_temporary_table},
        {"DROP TEMPORARY TABLE t", k::drop_temporary_table},
        {"DROP TABLE t", k::ddl},
        {"ALTER TABLE t ADD b INT", k::ddl},
        {"TRUNCATE t", k::ddl},
        {"ANALYZE TABLE t", k::maintenance},
        {"KILL 5", k::kill},
        {"XA RECOVER", k::xa},
        {"EXPLAIN SELECT 1", k::explain},
        {"desc t", k::explain},
        {"GET DIAGNOSTICS @n = NUMBER", k::get_diagnostics},
        {"SIGNAL SQLSTATE '45000'", k::signal},
        {"BEGIN NOT ATOMIC SELECT 1; SELECT 2; END; SELECT 3", k::compound},
        {"IF 1 THEN SELECT 1; END IF", k::compound},
        {"l: LOOP LEAVE l; END LOOP", k::compound},
        {"HELP 'x'", k::help},
        {"SELEC 1", k::other},
        {"1", k::other},
        {"/*!50001 SELECT */ 1", k::select},
        {"/*!40101 SET NAMES utf8 */;", k::set},
        {"SET STATEMENT max_statement_time=1 FOR SELECT 1", k::select},
        {"CREATE PROCEDURE p() BEGIN IF 1 THEN SELECT 1; END IF; CASE WHEN 1 THEN SELECT 2; "
         "END CASE; END; SELECT CASE 1 WHEN 1 THEN 2 END",
         k::create,
         2},
        {"CREATE DEFINER=`root`@`%` TRIGGER t BEFORE INSERT ON u FOR EACH ROW BEGIN SET @a = 1; "
         "END; SELECT 1",
         k::create,
         2},
        {"CREATE FUNCTION f() RETURNS INT RETURN 1; SELECT 2", k::create, 2},
    };
    for (const auto& c : cases) {
        const auto t = classify_mysql(c.text);
        EXPECT_EQ(static_cast<int>(t.kind), static_cast<int>(c.kind)) << c.text;
        EXPECT_EQ(t.statements, c.statements) << c.text;
        EXPECT_EQ(t.name, c.name) << c.text;
        EXPECT_TRUE(c.statements == 0 || t.has(c.kind)) << c.text;
    }
}

TEST(ClassifyMysql, Pins)
{
    struct {
        std::string_view text;
        p pins;
        p unpins = p::none;
    } const cases[] = {
        {"SELECT GET_LOCK('a', 1)", p::lock},
        {"select `get_lock` ('a', 1)", p::lock},
        {"SELECT 1 WHERE get_lock /* x */ ('a', 1)", p::lock},
        {"DO GET_LOCK('a', 1)", p::lock},
        {"SELECT get_lock FROM t", p::none},
        {"SELECT 'get_lock(1)', \"get_lock(1)\", `a get_lock(`", p::none},
        {"SELECT 'a\\' , get_lock(1) '", p::none},
        {"SELECT 1 /*! , GET_LOCK('a', 1) */", p::lock},
        {"SELECT 1 /*M!100100 , GET_LOCK('a', 1) */", p::lock},
        {"SELECT 1 /* , GET_LOCK('a', 1) */ -- get_lock('a')\n# get_lock('b')", p::none},
        {"SELECT 1 --GET_LOCK('a', 1)", p::lock},
        {"SELECT RELEASE_ALL_LOCKS()", p::none, p::lock},
        {"SELECT RELEASE_ALL_LOCKS(); DO GET_LOCK('b', 0)", p::lock},
        {"SELECT RELEASE_LOCK('a')", p::none},
        {"SET @x = 1", p::user_variable},
        {"SET autocommit = 1, @`x y` := 2", p::user_variable},
        {"SELECT @x := 1", p::user_variable},
        {"SELECT @x:=@x+1 FROM t", p::user_variable},
        {"SELECT @x, @y = 1", p::none},
        {"SELECT a INTO @x FROM t", p::user_variable},
        {"SELECT a FROM t INTO @x", p::user_variable},
        {"CALL p(@x)", p::user_variable},
        {"CALL p(1)", p::none},
        {"LOAD DATA INFILE 'f' INTO TABLE t (a, @b) SET c = @b", p::user_variable},
        {"GET DIAGNOSTICS @n = NUMBER", p::user_variable},
        {"CREATE USER a@localhost", p::none},
        {"GRANT ALL ON *.* TO 'a'@'%'", p::none},
        {"CREATE PROCEDURE p() BEGIN SET @x = 1; SELECT GET_LOCK('a', 1); END", p::none},
        {"CREATE PROCEDURE p() SELECT 1; DO GET_LOCK('a', 1)", p::lock},
        {"CREATE PROCEDURE p() BEGIN SELECT begin FROM t; END; DO GET_LOCK('a', 1)", p::lock},
        {"BEGIN NOT ATOMIC SET @x = 1; END", p::user_variable},
        {"LOCK TABLES t READ", p::table_lock},
        {"UNLOCK TABLES", p::none, p::table_lock | p::global_lock},
        {"LOCK TABLES t READ; UNLOCK TABLES", p::none, p::table_lock | p::global_lock},
        {"FLUSH TABLES WITH READ LOCK", p::global_lock},
        {"FLUSH TABLES t FOR EXPORT", p::global_lock},
        {"FLUSH TABLES", p::none},
        {"BACKUP STAGE START", p::global_lock},
        {"BACKUP STAGE END", p::none, p::global_lock},
        {"CREATE TEMPORARY TABLE t (a INT)", p::temporary_table},
        {"CREATE TABLE temporary (a INT)", p::none},
        {"PREPARE s FROM 'SELECT 1'", p::sql_prepare},
        {"HANDLER t OPEN", p::handler},
        {"SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1", p::found_rows},
        {"XA START 'x'", p::xa},
        {"XA COMMIT 'x'", p::none, p::xa},
        {"SET ROLE admin", p::role},
    };
    for (const auto& c : cases) {
        const auto t = classify_mysql(c.text);
        EXPECT_EQ(static_cast<int>(t.pins), static_cast<int>(c.pins)) << c.text;
        EXPECT_EQ(static_cast<int>(t.unpins), static_cast<int>(c.unpins)) << c.text;
    }
    EXPECT_EQ(describe(p::lock), "GET_LOCK");
    EXPECT_EQ(describe(p::lock | p::xa), "several");
}

TEST(ClassifyMysql, LooksBack)
{
    struct {
        std::string_view text;
        l looks;
    } const cases[] = {
        {"SELECT LAST_INSERT_ID()", l::insert_id},
        {"INSERT INTO t VALUES (last_insert_id ( ))", l::insert_id},
        {"UPDATE s SET id = LAST_INSERT_ID(id + 1)", l::none},
        {"SELECT @@identity", l::insert_id},
        {"SELECT @@session.last_insert_id", l::insert_id},
        {"SELECT FOUND_ROWS()", l::found_rows},
        {"select row_count()", l::row_count},
        {"SHOW WARNINGS", l::diagnostics},
        {"SHOW ERRORS", l::diagnostics},
        {"SHOW COUNT(*) WARNINGS", l::diagnostics},
        {"SELECT @@warning_count", l::diagnostics},
        {"SELECT @@SESSION.error_count, row_count()", l::diagnostics | l::row_count},
        {"SELECT @@session.`warning_count`", l::diagnostics},
        {"GET DIAGNOSTICS CONDITION 1 @a = MESSAGE_TEXT", l::diagnostics},
        {"SHOW PROFILES", l::profile},
        {"SELECT LASTVAL(s)", l::sequence},
        {"SELECT PREVIOUS VALUE FOR s", l::sequence},
        {"SELECT NEXT VALUE FOR s", l::none},
        {"SHOW TABLES", l::none},
        {"SELECT last_insert_id, 'FOUND_ROWS()', @warning_count FROM row_count", l::none},
    };
    for (const auto& c : cases)
        EXPECT_EQ(static_cast<int>(classify_mysql(c.text).looks), static_cast<int>(c.looks))
            << c.text;
}

TEST(ClassifyMysql, Settings)
{
    struct {
        std::string_view text;
        std::string_view touched;
        bool global = false;
    } const cases[] = {
        {"SET autocommit=0", "autocommit=0"},
        {"set session sql_mode = 'ANSI_QUOTES', @@time_zone='+00:00' ;",
         "sql_mode='ANSI_QUOTES' time_zone='+00:00'"},
        {"SET @@session.a=1, @@local.b=2, LOCAL c:=3, @@`d`=4, `e` = 5", "a=1 b=2 c=3 d=4 e=5"},
        {"SET a=1, A=2", "a=2"},
        {"SET GLOBAL a=1", "", true},
        {"SET @@global.a=1, @@persist.b=2, PERSIST c=3", "", true},
        {"SET sql_mode=CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES'), a=(SELECT 1, 2)",
         "sql_mode=CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES') a=(SELECT 1, 2)"},
        {"SET NAMES utf8mb4 COLLATE utf8mb4_bin", "names=utf8mb4 COLLATE utf8mb4_bin"},
        {"SET NAMES 'latin1', autocommit=1", "names='latin1' autocommit=1"},
        {"/*!40101 SET NAMES utf8mb4 */", "names=utf8mb4"},
        {"SET CHARACTER SET latin1", "character set=latin1"},
        {"SET CHARSET DEFAULT", "character set=DEFAULT"},
        {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", ""},
        {"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
         "transaction=ISOLATION LEVEL SERIALIZABLE, READ ONLY"},
        {"SET GLOBAL TRANSACTION READ ONLY", "", true},
        {"SET a.b=1", "a.b=1"},
        {"SET @@session.a.b=1", "a.b=1"},
        {"SET @@a.b=1", "a.b=1"},
        {"SET PASSWORD = 'x'", ""},
        {"SET PASSWORD FOR a@b = 'x'", ""},
        {"SET DEFAULT ROLE x TO y", ""},
        {"SET ROLE admin", "role=admin"},
        {"SET @x = 1", ""},
        {"SET a=1,b=2,c=3,d=4,e=5,f=6,g=7", "a=1 b=2 c=3 d=4 e=5 f=6 ?"},
        {"SET a=1; SET b=2", "a=1 b=2"},
        {"SET STATEMENT a=1, b=2 FOR SELECT 1", ""},
        {"SET", ""},
        {"SET ,", ""},
        {"UPDATE t SET a = 1", ""},
    };
    for (const auto& c : cases) {
        const auto t = classify_mysql(c.text);
        EXPECT_EQ(touched(t), c.touched) << c.text;
        EXPECT_EQ(t.sets_global, c.global) << c.text;
    }
}

TEST(ClassifyMysql, SelfContained)
{
    for (const std::string_view text : {
             "SELECT 1",
             "SELECT c FROM sbtest1 WHERE id=5",
             "SELECT c FROM sbtest1 WHERE id=?",
             "INSERT IGNORE INTO t VALUES ('@x := 1')",
             "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2",
             "REPLACE DELAYED INTO t VALUES (1)",
             "UPDATE t SET a = REPLACE(a, 'b', 'c')",
             "DELETE FROM t WHERE a = 1;",
             "SELECT SUBSTRING('abc' FROM 1 FOR 2), sleep, nextval FROM t USE INDEX FOR JOIN (a)",
             "(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1",
             "WITH x AS (SELECT 1) SELECT * FROM x",
         })
        EXPECT_TRUE(classify_mysql(text).self_contained) << text;
    for (const std::string_view text : {
             "",
             "SELECT 1; SELECT 2",
             "SELECT 1 FROM t FOR UPDATE",
             "SELECT 1 FROM t LOCK IN SHARE MODE",
             "SELECT 1 FROM t FOR SHARE",
             "SELECT 1 INTO OUTFILE 'x'",
             "SELECT 1 INTO @x",
             "SELECT @x",
             "SELECT @@version",
             "SELECT SLEEP(1)",
             "SELECT BENCHMARK(1, 2)",
             "SELECT CONNECTION_ID()",
             "SELECT MASTER_POS_WAIT('a', 1)",
             "SELECT NEXTVAL(s)",
             "SELECT GET_LOCK('a', 1)",
             "SELECT RELEASE_LOCK('a')",
             "SELECT LAST_INSERT_ID()",
             "UPDATE s SET id = LAST_INSERT_ID(id + 1)",
             "SELECT 1 /*! FOR UPDATE */",
             "SELECT 1 /*!99999 + 1 */",
             "SELECT 'open",
             "SELECT 1 /* open",
             "BEGIN",
             "SET a=1",
             "CALL p()",
             "SET STATEMENT a=1 FOR SELECT 1",
             "SELECT SQL_CALC_FOUND_ROWS 1",
             "EXPLAIN SELECT 1",
             "SHOW TABLES",
         })
        EXPECT_FALSE(classify_mysql(text).self_contained) << text;
}

TEST(ClassifyMysql, UnknownCalls)
{
    for (const std::string_view text : {
             "SELECT mine(1)",
             "SELECT `mine` (1)",
             "SELECT shop.count(1)",
             "SELECT 1 FROM t WHERE a = mine(b)",
             "INSERT INTO t (a, b) VALUES (1, mine(2))",
             "INSERT t VALUES (mine())",
             "DO mine()",
             "SET a = mine()",
             "UPDATE t SET a = x.mine(1)",
         })
        EXPECT_TRUE(classify_mysql(text).unknown_call) << text;
    for (const std::string_view text : {
             "SELECT COUNT(*), MAX(a), IF(1, 2, 3) FROM t WHERE a IN (1, 2) AND (b OR c)",
             "INSERT INTO t (a, b) VALUES (1, 2), (3, NOW()) ON DUPLICATE KEY UPDATE a = VALUES(a)",
             "INSERT INTO shop.`t` (a) SELECT b FROM u",
             "INSERT IGNORE t (a) VALUES (1)",
             "REPLACE INTO t (a) VALUES (1)",
             "SELECT t.a IN (1) FROM t JOIN (SELECT 1) x USING (a)",
             "SELECT group_concat(a ORDER BY a SEPARATOR ',') FROM t FORCE INDEX (i)",
             "SELECT ROW_NUMBER() OVER (PARTITION BY a), CAST(a AS CHAR(10)) FROM t",
             "SELECT 'mine(1)' /* mine(1) */",
             "",
         })
        EXPECT_FALSE(classify_mysql(text).unknown_call) << text;
}

TEST(ClassifyMysql, OnlyReads)
{
    for (const std::string_view text : {"SELECT 1",
                                        "(SELECT a FROM t WHERE b = ?) UNION (VALUES (1))",
                                        "VALUES (1)",
                                        "SELECT LOWER(a) FROM t LIMIT 5;"})
        EXPECT_TRUE(classify_mysql(text).only_reads) << text;
    for (const std::string_view text : {"SELECT mine()",
                                        "SELECT 1 FOR UPDATE",
                                        "SELECT SLEEP(1)",
                                        "SELECT 1 INTO OUTFILE 'x'",
                                        "SELECT GET_LOCK('x', 1)",
                                        "SELECT FOUND_ROWS()",
                                        "SELECT NEXTVAL(s)",
                                        "INSERT INTO t VALUES (1)",
                                        "DELETE FROM t",
                                        "WITH a AS (SELECT 1) DELETE FROM t",
                                        "SELECT 1; SELECT 2",
                                        "SHOW TABLES",
                                        "CALL p()"})
        EXPECT_FALSE(classify_mysql(text).only_reads) << text;
}

TEST(ClassifyMysql, Kill)
{
    struct {
        std::string_view text;
        std::uint64_t id;
        bool query;
        bool constant;
    } const cases[] = {
        {"KILL 7", 7, false, true},
        {"kill connection 7;", 7, false, true},
        {"KILL QUERY 18446744073709551615", ~0ull, true, true},
        {"KILL HARD QUERY 7", 7, true, true},
        {"KILL SOFT 7", 7, false, true},
        {"KILL QUERY ID 7", 7, true, true},
        {"KILL QUERY ?", 0, true, false},
        {"KILL @a", 0, false, false},
        {"KILL 7 + 1", 7, false, false},
        {"KILL 99999999999999999999999", 0, false, false},
        {"KILL USER a", 0, false, false},
        {"KILL CONNECTION_ID()", 0, false, false},
    };
    for (const auto& c : cases) {
        const auto t = classify_mysql(c.text);
        EXPECT_EQ(t.kind, k::kill) << c.text;
        EXPECT_EQ(t.kill.connection, c.id) << c.text;
        EXPECT_EQ(t.kill.query, c.query) << c.text;
        EXPECT_EQ(t.kill.constant, c.constant) << c.text;
    }
    EXPECT_TRUE(classify_mysql("KILL QUERY ID 7").kill.by_query_id);
    EXPECT_EQ(classify_mysql("KILL 1; KILL 2").kill.connection, 1u);
}

TEST(ClassifyMysql, Flags)
{
    EXPECT_TRUE(classify_mysql("LOAD DATA LOCAL INFILE 'f' INTO TABLE t").local_infile);
    EXPECT_TRUE(classify_mysql("LOAD DATA CONCURRENT LOCAL INFILE 'f' INTO TABLE t").local_infile);
    EXPECT_TRUE(classify_mysql("SELECT 1; load xml local infile 'f' INTO TABLE t").local_infile);
    EXPECT_FALSE(classify_mysql("LOAD DATA INFILE 'f' INTO TABLE local").local_infile);
    EXPECT_TRUE(classify_mysql("COMMIT RELEASE").disconnects);
    EXPECT_TRUE(classify_mysql("ROLLBACK AND NO CHAIN RELEASE").disconnects);
    EXPECT_FALSE(classify_mysql("COMMIT AND CHAIN NO RELEASE").disconnects);
    EXPECT_TRUE(classify_mysql("SELECT 1; SHUTDOWN").disconnects);
    EXPECT_TRUE(classify_mysql("CALL p").opaque);
    EXPECT_TRUE(classify_mysql("EXECUTE s").opaque);
    EXPECT_TRUE(classify_mysql("CLONE LOCAL DATA DIRECTORY = 'x'").opaque);
    EXPECT_FALSE(classify_mysql("SELECT 1").opaque);
    EXPECT_TRUE(classify_mysql("SELECT CONNECTION_ID()").connection_id);
    EXPECT_TRUE(classify_mysql("SELECT @a").user_variables);
    EXPECT_TRUE(classify_mysql("PREPARE a FROM 'x'; PREPARE b FROM 'y'").more_names);
}

TEST(ClassifyMysql, Modes)
{
    const std::string_view escaped = "SELECT 'a\\', GET_LOCK('b', 1)";
    EXPECT_FALSE(any(classify_mysql(escaped).pins));
    EXPECT_TRUE(any(classify_mysql(escaped, {.backslash_escapes = false}).pins));
    const std::string_view quoted = "SELECT \"get_lock\"('b', 1)";
    EXPECT_FALSE(any(classify_mysql(quoted).pins));
    EXPECT_TRUE(any(classify_mysql(quoted, {.ansi_quotes = true}).pins));
    std::string name;
    append_mysql_name(name, "`a``b`");
    append_mysql_name(name, " c");
    append_mysql_name(name, "``");
    EXPECT_EQ(name, "a`b c");
}

// Nesting of any depth must not use the stack.
TEST(ClassifyMysql, LongTexts)
{
    std::string sets;
    for (int i = 0; i < 100000; ++i)
        sets += "SET STATEMENT a=1 FOR ";
    EXPECT_EQ(classify_mysql(sets + "SELECT 1").kind, k::select);
    EXPECT_EQ(classify_mysql(std::string(100000, '(') + "SELECT 1").kind, k::select);
}

TEST(ClassifyMysql, ReadsNothingPastAnyPrefix)
{
    for (const std::string_view text :
         {"SET @@session.`a`='x\\'y', NAMES 'z' COLLATE q; /*!50001 KILL QUERY ID 5 */",
          "CREATE DEFINER=a@b PROCEDURE p() BEGIN CASE 1 WHEN 2 THEN 3 END; END; X'0f' N'a' $$ "
          "b'1'",
          "HANDLER a.b OPEN; XA START 'a'; COMMIT AND NO CHAIN RELEASE; SELECT a->>'$.b', 1.e5, @",
          "SET STATEMENT a=1 FOR LOAD DATA LOCAL INFILE \"a\"\"b\" INTO TABLE t (@x, @'y', @@)"})
        test::for_every_prefix(text, [](std::string_view cut) {
            const auto t = classify_mysql(cut);
            EXPECT_TRUE(!t.self_contained || t.leaves_session_alone());
        });
}

}  // namespace
}  // namespace sluice::sql
