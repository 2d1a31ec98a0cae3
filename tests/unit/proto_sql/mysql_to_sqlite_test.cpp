// tests/unit/proto_sql/mysql_to_sqlite_test.cpp: MySQL's words in SQLite's.
#include "proto/sql/mysql_to_sqlite.hpp"

#include <gtest/gtest.h>

namespace sluice::sql {
namespace {

class fake_session final : public mysql_session {
public:
    fake_session() { database = "notes"; }
    std::optional<std::string> variable(std::string_view text) const override
    {
        if (text == "@@version_comment")
            return "'Sluice'";
        if (text == "@a")
            return "7";
        return std::nullopt;
    }
    std::optional<std::string> function(std::string_view name) const override
    {
        if (name == "database")
            return "'notes'";
        if (name == "current_user")
            return "'alice@%'";
        return std::nullopt;
    }
    std::optional<std::string> relation(std::string_view name) const override
    {
        if (name == "tables")
            return "SELECT 1";
        return std::nullopt;
    }
};

std::string rewritten(std::string_view text)
{
    const fake_session session;
    const auto made = mysql_to_sqlite(text, session);
    if (made.unknown_variable)
        return "UNKNOWN " + made.problem;
    EXPECT_TRUE(made.problem.empty() || made.statements.empty()) << text;
    if (!made.problem.empty())
        return "PROBLEM " + made.problem;
    std::string out;
    for (const auto& each : made.statements)
        out += (out.empty() ? "" : " ;; ") + each.text;
    return out;
}

std::string names(std::string_view text)
{
    const fake_session session;
    std::string out;
    for (const auto& each : mysql_to_sqlite(text, session).names)
        out += (out.empty() ? "" : "|") + each;
    return out;
}

struct pair {
    std::string_view mysql;
    std::string_view sqlite;
};

// Blanks do not count.
std::string squeezed(std::string_view text)
{
    std::string out;
    for (const char c : text)
        if (c != ' ')
            out += c;
    return out;
}

void check(std::initializer_list<pair> pairs)
{
    for (const auto& p : pairs)
        EXPECT_EQ(squeezed(rewritten(p.mysql)), squeezed(p.sqlite)) << p.mysql << "\n"
                                                                    << rewritten(p.mysql);
}

TEST(MySqlToSqlite, SQLitesOwnWordsPass)
{
    for (const std::string_view same :
         {"SELECT a, b FROM t WHERE c = 1 ORDER BY a LIMIT 5, 10",
          "INSERT INTO t (a, b) VALUES (1, 'x') RETURNING id",
          "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b",
          "UPDATE `t` SET `a` = `a` + 1 WHERE `id` IN (1, 2)",
          "DELETE FROM t WHERE a IS NULL",
          "WITH x AS (SELECT 1) SELECT * FROM x",
          "SELECT CASE WHEN a THEN 1 ELSE 2 END FROM t",
          "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END",
          "SELECT count(*), max(a) FROM t GROUP BY b HAVING count(*) > 1"})
        EXPECT_EQ(rewritten(same), same);
}

TEST(MySqlToSqlite, Literals)
{
    check({{R"(SELECT 'a\'b', "c\"d", 'e''f')", R"(SELECT 'a''b', 'c"d', 'e''f')"},
           {R"(SELECT 'a\nb' 'c')", "SELECT 'a\nbc'"},
           {R"(SELECT _utf8mb4'a', N'b', _binary'\0ab')", "SELECT 'a', 'b', x'006162'"},
           {"SELECT 0x4D, 0xF, x'4d', b'101'", "SELECT x'4D', x'0F', x'4d', 5"},
           {"SELECT DATE '2020-01-01', date('now')", "SELECT '2020-01-01', date('now')"},
           {"SELECT a # comment\n, b -- other\n", "SELECT a , b"},
           {"SELECT 'open", "SELECT 'open"},
           {"SELECT * FROM t WHERE a = ? AND b = ? LIMIT ?",
            "SELECT * FROM t WHERE a = ?1 AND b = ?2 LIMIT ?3"}});
}

TEST(MySqlToSqlite, OperatorsAndClauses)
{
    check({{"SELECT 1 && 0 || !a", "SELECT 1  AND  0  OR   NOT a"},
           {"SELECT a <=> b, 7 DIV 2, 7 MOD 2, MOD(7, 2)",
            "SELECT a  IS  b, 7 / 2, 7 % 2, MOD(7, 2)"},
           {"SELECT SQL_NO_CACHE DISTINCT a FROM t USE INDEX (x) WHERE BINARY a = 'b' FOR UPDATE",
            "SELECT  DISTINCT a FROM t  WHERE  a = 'b' "},
           {"SELECT 1 FROM DUAL", "SELECT 1 "},
           {"SELECT a FROM t LOCK IN SHARE MODE", "SELECT a FROM t "},
           {"SELECT a FROM t WHERE a LIKE 'x\\\\%y'",
            "SELECT a FROM t WHERE a LIKE 'x\\%y' ESCAPE '\\'"},
           {"SELECT a FROM t WHERE a LIKE 'x' ESCAPE '!'",
            "SELECT a FROM t WHERE a LIKE 'x' ESCAPE '!'"},
           {"SELECT a FROM t WHERE a LIKE ? AND b",
            "SELECT a FROM t WHERE a LIKE ?1 ESCAPE '\\' AND b"},
           {"SELECT a COLLATE utf8mb4_bin, b COLLATE utf8mb4_general_ci FROM t",
            "SELECT a COLLATE BINARY, b COLLATE NOCASE FROM t"},
           {"SELECT * FROM t LIMIT 5, 18446744073709551615",
            "SELECT * FROM t LIMIT 5, 9223372036854775807"}});
}

TEST(MySqlToSqlite, Functions)
{
    check({{"SELECT NOW(), CURDATE(), NOW(6), UTC_TIMESTAMP",
            "SELECT CURRENT_TIMESTAMP, CURRENT_DATE, now(), CURRENT_TIMESTAMP"},
           {"SELECT IF(a, 1, 2), LEFT(a, 2), LENGTH(a), CHAR_LENGTH(a)",
            "SELECT iif(a, 1, 2), \"left\"(a, 2), octet_length(a), length(a)"},
           {"SELECT a FROM t LEFT JOIN u ON t.a = u.a", "SELECT a FROM t LEFT JOIN u ON t.a = u.a"},
           {"SELECT CAST(a AS SIGNED), CONVERT(b, CHAR(5)), CONVERT(c USING utf8mb4)",
            "SELECT CAST(a AS INTEGER), CAST(b AS TEXT), (c)"},
           {"SELECT CAST(a AS DATETIME(6)), CAST(IF(a, 1, 2) AS CHAR)",
            "SELECT datetime(a), CAST(iif(a, 1, 2) AS TEXT)"},
           {"SELECT SUBSTRING(a FROM 2 FOR 3), TRIM(LEADING 'x' FROM a), TRIM(a)",
            "SELECT substr(a , 2 , 3), ltrim(a, 'x'), TRIM(a)"},
           {"SELECT GROUP_CONCAT(a SEPARATOR ';') FROM t", "SELECT GROUP_CONCAT(a , ';') FROM t"},
           {"SELECT GROUP_CONCAT(a ORDER BY b DESC, c) FROM t",
            "SELECT string_agg(a , ',',  b, 1, c, 0) FROM t"},
           {"SELECT NOW() - INTERVAL 1 DAY, t.a + INTERVAL (1 + 1) HOUR FROM t",
            "SELECT date_sub(CURRENT_TIMESTAMP , 1 , 'day'), date_add(t.a , (1 + 1) , 'hour') FROM "
            "t"},
           {"SELECT DATE_ADD(a, INTERVAL 3 MONTH)", "SELECT DATE_ADD(a,  3 , 'month')"},
           {"SELECT EXTRACT(YEAR FROM a), TIMESTAMPDIFF(DAY, a, b)",
            "SELECT extract('year',  a), timestampdiff('day',  a, b)"},
           {"SELECT a.values FROM a", "SELECT a.values FROM a"}});
}

TEST(MySqlToSqlite, TheSession)
{
    check({{"SELECT @@version_comment LIMIT 1", "SELECT 'Sluice' LIMIT 1"},
           {"SELECT @a + 1, DATABASE(), CURRENT_USER", "SELECT 7 + 1, 'notes', 'alice@%'"},
           {"SELECT @@nope", "UNKNOWN nope"},
           {"SELECT * FROM notes.t, `notes`.u WHERE notes.t.a = 1",
            "SELECT * FROM t, u WHERE t.a = 1"},
           {"SELECT notes.a FROM notes", "SELECT notes.a FROM notes"},
           {"SELECT TABLE_NAME FROM information_schema.TABLES WHERE x",
            "SELECT TABLE_NAME FROM (SELECT 1) AS `TABLES` WHERE x"},
           {"SELECT t.x FROM INFORMATION_SCHEMA.tables AS t", "SELECT t.x FROM (SELECT 1) AS t"}});
    EXPECT_EQ(rewritten("SELECT @a := 1").substr(0, 8), "PROBLEM ");
    EXPECT_EQ(rewritten("SELECT * FROM information_schema.nope").substr(0, 8), "PROBLEM ");
}

TEST(MySqlToSqlite, Inserts)
{
    check({{"INSERT IGNORE INTO t VALUES (1)", "INSERT OR IGNORE INTO t VALUES (1)"},
           {"INSERT OR ABORT INTO t VALUES (1)", "INSERT OR ABORT INTO t VALUES (1)"},
           {"UPDATE t SET a = 1 WHERE b = (SELECT 1 LIMIT 1) LIMIT 2",
            "UPDATE t SET a = 1 WHERE rowid IN (SELECT rowid FROM t "
            " WHERE b = (SELECT 1 LIMIT 1) LIMIT 2)"},
           {"DELETE FROM notes.t ORDER BY a LIMIT ?",
            "DELETE FROM t WHERE rowid IN (SELECT rowid FROM t  ORDER BY a LIMIT ?1)"},
           {"INSERT t SET a = 1, b = CONCAT('x', ?)",
            "INSERT INTO t (a, b) VALUES ( 1,  mysql_concat('x', ?1)) "},
           {"INSERT INTO t () VALUES ()", "INSERT INTO t DEFAULT VALUES"},
           {"INSERT INTO notes.t VALUE (1)", "INSERT INTO t VALUES (1)"},
           {"REPLACE t VALUES (1)", "REPLACE INTO t VALUES (1)"},
           {"INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE b = VALUES(b), c = c + 1",
            "INSERT INTO t (a) VALUES (1) ON CONFLICT DO UPDATE SET b = excluded.b, c = c + 1"},
           {"INSERT INTO t (a) VALUES (1) AS new ON DUPLICATE KEY UPDATE b = new.b",
            "INSERT INTO t (a) VALUES (1)  ON CONFLICT DO UPDATE SET b = excluded.b"},
           {"INSERT INTO t (a) SELECT b FROM u ON DUPLICATE KEY UPDATE a = 1",
            "INSERT INTO t (a) SELECT b FROM u WHERE true ON CONFLICT DO UPDATE SET a = 1"},
           {"UPDATE `t` SET `t`.`a` = `t`.`b`, t.c = 1 WHERE `t`.`a` = 2",
            "UPDATE `t` SET `a` = `t`.`b`, c = 1 WHERE `t`.`a` = 2"},
           {"INSERT INTO t (id, a) VALUES (1, 2) ON DUPLICATE KEY UPDATE t.a = 3",
            "INSERT INTO t (id, a) VALUES (1, 2) ON CONFLICT DO UPDATE SET a = 3"},
           {"INSERT INTO `t` (`id`,`a`,b) VALUES (DEFAULT,?,f(1, 2)),(DEFAULT,?,3);",
            "INSERT INTO `t` (`a`,b) VALUES (?1,f(1, 2)),(?2,3);"},
           {"INSERT INTO t (a, b) VALUES (1, DEFAULT)", "INSERT INTO t (a ) VALUES (1 )"},
           {"INSERT INTO t (a) VALUES (DEFAULT)", "INSERT INTO t  DEFAULT VALUES "},
           {"INSERT INTO t (a, b) VALUES (1, DEFAULT), (1, 2)",
            "INSERT INTO t (a, b) VALUES (1, DEFAULT), (1, 2)"},
           {"UPDATE IGNORE t SET a = 1", "UPDATE OR IGNORE  t SET a = 1"},
           {"TRUNCATE TABLE t", "DELETE FROM t"}});
}

TEST(MySqlToSqlite, Names)
{
    EXPECT_EQ(names("SELECT @@version_comment LIMIT 1"), "@@version_comment");
    EXPECT_EQ(names("SELECT COUNT(*), t.Id, 'x', 1 + 1 AS two, b bee, NULL FROM t"),
              "COUNT(*)|Id|x|two|bee|NULL");
    EXPECT_EQ(names("SELECT *, 1 FROM t"), "");
    EXPECT_EQ(names("SELECT DATABASE(), IF(a, 'b', 'c')"), "DATABASE()|IF(a, 'b', 'c')");
    EXPECT_EQ(names("SELECT a COLLATE utf8mb4_bin, NOT b, CASE WHEN a THEN b END, a IS NULL"),
              "a COLLATE utf8mb4_bin|NOT b|CASE WHEN a THEN b END|a IS NULL");
    EXPECT_EQ(names("SELECT a 'alias', (SELECT max(b) FROM t) FROM t UNION SELECT 1, 2"),
              "alias|(SELECT max(b) FROM t)");
}

TEST(MySqlToSqlite, CreateTable)
{
    check(
        {{"CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT, n VARCHAR(20) CHARACTER SET utf8mb4 "
          "COLLATE utf8mb4_general_ci DEFAULT 'x' COMMENT 'y', PRIMARY KEY (id), KEY n (n(10)), "
          "UNIQUE KEY `u` (`n`)) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4",
          "CREATE TABLE `t` (\n  `id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,\n"
          "  `n` VARCHAR(20) COLLATE NOCASE DEFAULT 'x'\n)"
          " ;; CREATE INDEX `t.n` ON `t` (`n`) ;; CREATE UNIQUE INDEX `t.u` ON `t` (`n`)"},
         {"CREATE TABLE IF NOT EXISTS notes.t (a INT(10) UNSIGNED PRIMARY KEY, "
          "b ENUM('x','y') NOT NULL, c DECIMAL(10,2) DEFAULT -1.5, d TIMESTAMP DEFAULT NOW())",
          "CREATE TABLE IF NOT EXISTS `t` (\n  `a` INT UNSIGNED(10) NOT NULL PRIMARY KEY,\n"
          "  `b` TEXT NOT NULL CHECK (`b` IN ('x','y')),\n  `c` DECIMAL(10,2) DEFAULT -1.5,\n"
          "  `d` TIMESTAMP DEFAULT CURRENT_TIMESTAMP\n)"},
         {"CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b), CONSTRAINT f FOREIGN KEY (b) "
          "REFERENCES u (id) ON DELETE CASCADE ON UPDATE SET NULL, CHECK (a > 0))",
          "CREATE TABLE `t` (\n  `a` INT NOT NULL,\n  `b` INT NOT NULL,\n"
          "  PRIMARY KEY (`a`, `b`),\n  CONSTRAINT `f` FOREIGN KEY (b) REFERENCES `u` (id) ON "
          "DELETE CASCADE ON UPDATE SET NULL,\n  CHECK (a > 0)\n)"},
         {"CREATE TABLE t AS SELECT IF(a, 1, 2) FROM u",
          "CREATE TABLE `t` AS SELECT iif(a, 1, 2) FROM u"},
         {"CREATE TABLE t (a INT, b DOUBLE PRECISION, c INT AS (a + 1) STORED) WITHOUT ROWID",
          "CREATE TABLE `t` (\n  `a` INT,\n  `b` DOUBLE PRECISION,\n  `c` INT AS (a + 1) STORED\n) "
          "WITHOUT ROWID"},
         {"CREATE TABLE t (id INT AUTO_INCREMENT, b INT, PRIMARY KEY (id, b))",
          "PROBLEM AUTO_INCREMENT needs a primary key of this one column for SQLite databases"},
         {"CREATE TABLE t (", "CREATE TABLE t ("}});
}

TEST(MySqlToSqlite, Definitions)
{
    check({{"CREATE UNIQUE INDEX i USING BTREE ON t (a(5) ASC, b DESC)",
            "CREATE UNIQUE INDEX `i` ON `t` (`a`, `b` DESC)"},
           {"DROP INDEX i ON t", "DROP INDEX IF EXISTS `t.i` ;; DROP INDEX IF EXISTS `i`"},
           {"DROP TABLE IF EXISTS a, notes.b CASCADE",
            "DROP TABLE IF EXISTS `a` ;; DROP TABLE IF EXISTS `b`"},
           {"RENAME TABLE a TO b", "ALTER TABLE `a` RENAME TO `b`"},
           {"CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=`a`@`%` SQL SECURITY DEFINER VIEW v AS "
            "SELECT IF(a, 1, 2) FROM t",
            "DROP VIEW IF EXISTS `v` ;; CREATE VIEW `v` AS SELECT iif(a, 1, 2) FROM t"},
           {"ALTER TABLE t ADD COLUMN a INT NOT NULL AFTER b, ADD INDEX k (a), DROP COLUMN c, "
            "RENAME COLUMN d TO e, ENGINE=InnoDB",
            "ALTER TABLE `t` ADD COLUMN `a` INT NOT NULL DEFAULT 0 ;; CREATE INDEX `t.k` ON `t` "
            "(`a`) ;; ALTER TABLE `t` DROP COLUMN `c` ;; ALTER TABLE `t` RENAME COLUMN `d` TO `e`"},
           {"ALTER TABLE t DISABLE KEYS", ""}});
    EXPECT_EQ(rewritten("ALTER TABLE t MODIFY a INT, RENAME TO u"),
              "ALTER TABLE `t` RENAME TO `u`");
    EXPECT_EQ(rewritten("ALTER TABLE t ADD PRIMARY KEY (a)").substr(0, 8), "PROBLEM ");
}

TEST(MySqlToSqlite, ADefinitionInAnotherDatabaseIsNotMadeInThisOne)
{
    for (const auto text : {"ALTER TABLE other.t ADD COLUMN c INT",
                            "ALTER TABLE t ADD COLUMN c INT, RENAME TO other.t",
                            "DROP TABLE other.t",
                            "DROP INDEX i ON other.t",
                            "RENAME TABLE t TO other.t",
                            "CREATE TABLE other.t (a INT)"})
        EXPECT_EQ(rewritten(text), "PROBLEM Unknown database 'other'");
}

// Whatever is said, it ends, and a text that SQLite refuses is no worse than one it takes.
TEST(MySqlToSqlite, EveryPrefix)
{
    const std::string_view texts[] = {
        "CREATE TABLE IF NOT EXISTS t (id INT(5) UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'x', e "
        "ENUM('a'), CONSTRAINT c FOREIGN KEY (a) REFERENCES b (c) ON DELETE SET NULL, UNIQUE KEY k "
        "(a(3) DESC), PRIMARY KEY USING BTREE (id)) ENGINE=InnoDB",
        "ALTER TABLE a.b ADD CONSTRAINT x UNIQUE y (a, b), CHANGE a b INT, ADD COLUMN (a INT, b "
        "INT), "
        "DROP INDEX i, RENAME TO z",
        "INSERT IGNORE INTO a.b SET a = (1), b = NOW() - INTERVAL (2) DAY ON DUPLICATE KEY UPDATE "
        "a = "
        "VALUES(a)",
        "SELECT SQL_NO_CACHE TRIM(BOTH 'x' FROM CAST(a AS CHAR)), SUBSTRING(a FROM (1) FOR 2), @a, "
        "_utf8'x' 'y' LIKE 'z' FROM information_schema.tables USE INDEX (a) FOR UPDATE OF t NOWAIT",
        "CREATE OR REPLACE DEFINER = a@b VIEW v (a) AS SELECT 1 WITH LOCAL CHECK OPTION",
        "DROP INDEX i ON t",
        "RENAME TABLE a TO b, c TO d"};
    for (const auto text : texts)
        for (std::size_t size = 0; size <= text.size(); ++size) {
            const std::string part(text.substr(0, size));
            (void)rewritten(part);
        }
}

}  // namespace
}  // namespace sluice::sql
