// tests/unit/drivers_sqlite/statement_test.cpp: values in and out, describing, errors, refusals.
#include "unit/drivers_sqlite/fixture.hpp"

namespace sluice::sqlite {
namespace {

TEST_F(SqliteTest, RoundTripsEveryStorageClass)
{
    open();
    auto c = connect();
    EXPECT_GOOD(c.run("CREATE TABLE t(id INTEGER PRIMARY KEY, i INT, r REAL, s TEXT, b BLOB, n)"));
    const auto done = c.run("INSERT INTO t(i, r, s, b, n) VALUES ($1, $2, $3, $4, $5)",
                            {std::int64_t{-5},
                             2.5,
                             std::string("h\0i", 3),
                             blob_value{std::byte{1}, std::byte{0}},
                             std::monostate{}});
    EXPECT_GOOD(done);
    EXPECT_EQ(done.changes, 1);
    EXPECT_EQ(done.last_insert_rowid, 1);

    auto kept = std::make_shared<rows_kept>();
    const auto read = c.run("SELECT *, typeof(b), typeof(n) FROM t", {}, kept);
    EXPECT_GOOD(read);
    EXPECT_EQ(read.rows, 1);
    const std::vector<std::string> expected = {
        "1", "-5", "2.5", std::string("h\0i", 3), std::string("\1\0", 2), "NULL", "blob", "null"};
    ASSERT_EQ(kept->rows.size(), 1u);
    EXPECT_EQ(kept->rows[0], expected);
    EXPECT_EQ(kept->columns[1].declared_type, "INT");
    EXPECT_TRUE(kept->columns[0].is_rowid);
    EXPECT_FALSE(kept->columns[1].is_rowid);
}

TEST_F(SqliteTest, NumbersParametersAsTheClientDoes)
{
    open();
    auto c = connect();
    EXPECT_EQ(c.ask("SELECT $2 || '-' || $1 || '-' || $2", {std::string("a"), std::string("b")}),
              "b-a-b");
    EXPECT_EQ(c.ask("SELECT ? || ?", {std::string("a"), std::string("b")}), "ab");
    EXPECT_EQ(c.ask("SELECT ?2 || ?1", {std::string("a"), std::string("b")}), "ba");
    EXPECT_EQ(c.state_of("SELECT $1", {}), "08P01");
    EXPECT_EQ(c.describe("SELECT $3").statement->parameters, 3);
}

TEST_F(SqliteTest, DescribesColumnsAndParameters)
{
    open();
    auto c = connect();
    c.run("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, d NUMERIC)");
    const auto done = c.describe("SELECT id, name AS n, price + 1 FROM t WHERE id = $1");
    EXPECT_GOOD(done);
    const auto& info = *done.statement;
    ASSERT_EQ(info.columns.size(), 3u);
    EXPECT_TRUE(info.read_only);
    EXPECT_EQ(info.columns[1].name, "n");
    EXPECT_EQ(info.columns[1].table, "t");
    EXPECT_EQ(info.columns[1].column, "name");
    EXPECT_TRUE(info.columns[1].not_null);
    EXPECT_TRUE(info.columns[2].declared_type.empty());
    ASSERT_EQ(info.parameter_affinity.size(), 1u);
    EXPECT_EQ(info.parameter_affinity[0], affinity::integer);

    const auto insert = c.describe("INSERT INTO t(name, price, d) VALUES ($1, $2, $3)");
    EXPECT_GOOD(insert);
    EXPECT_FALSE(insert.statement->read_only);
    EXPECT_FALSE(insert.statement->returns_rows());
    const std::vector<affinity> expected = {affinity::text, affinity::real, affinity::numeric};
    EXPECT_EQ(insert.statement->parameter_affinity, expected);
    EXPECT_TRUE(
        c.describe("INSERT INTO t(name) VALUES ('x') RETURNING id").statement->returns_rows());
    EXPECT_EQ(c.ask("SELECT count(*) FROM t"), "0");
}

TEST_F(SqliteTest, TranslatesErrors)
{
    open();
    auto c = connect();
    c.run("CREATE TABLE p(id INTEGER PRIMARY KEY)");
    c.run(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE, n INT NOT NULL DEFAULT 1, "
        "k INT CONSTRAINT positive CHECK (k > 0), f INT REFERENCES p)");
    c.run("CREATE TABLE s(i INTEGER) STRICT");
    c.run("CREATE TRIGGER tr BEFORE DELETE ON t BEGIN SELECT raise(ABORT, 'kept'); END");
    c.run("INSERT INTO t(id, u) VALUES (1, 'a')");
    const std::pair<const char*, const char*> table[] = {
        {"INSERT INTO t(u) VALUES ('a')", "23505"},
        {"INSERT INTO t(id) VALUES (1)", "23505"},
        {"INSERT INTO t(n) VALUES (NULL)", "23502"},
        {"INSERT INTO t(k) VALUES (-1)", "23514"},
        {"INSERT INTO t(f) VALUES (9)", "23503"},
        {"INSERT INTO s VALUES ('x')", "22P02"},
        {"DELETE FROM t", "P0001"},
        {"SELEC 1", "42601"},
        {"SELECT * FROM nowhere", "42P01"},
        {"SELECT wrong FROM t", "42703"},
        {"SELECT wrong()", "42883"},
        {"CREATE TABLE t(x)", "42P07"},
        {"SELECT 1; SELECT 2", "42601"},
        {"SELECT current_setting('nope')", "42704"},
        {"SELECT zeroblob(1000000000)", "54000"},
        {"", "42601"},
        {"-- nothing", "42601"},
    };
    for (const auto& [sql, expected] : table)
        EXPECT_EQ(c.state_of(sql), expected) << sql;
    EXPECT_EQ(c.state_of("SELECT 1; -- one statement"), "00000");
}

TEST_F(SqliteTest, NamesConstraintTableColumnAndPosition)
{
    open();
    auto c = connect();
    c.run("CREATE TABLE t(u TEXT UNIQUE, n INT NOT NULL, k INT CONSTRAINT positive CHECK (k > 0))");
    c.run("INSERT INTO t(u, n) VALUES ('a', 1)");
    const auto unique = c.run("INSERT INTO t(u, n) VALUES ('a', 1)");
    ASSERT_TRUE(unique.error);
    EXPECT_EQ(unique.error->table, "t");
    EXPECT_EQ(unique.error->column, "u");
    EXPECT_EQ(unique.error->constraint, "t_u_key");
    EXPECT_EQ(unique.error->key, "u");
    const auto null = c.run("INSERT INTO t(u) VALUES ('b')");
    ASSERT_TRUE(null.error);
    EXPECT_EQ(null.error->column, "n");
    const auto check = c.run("INSERT INTO t(n, k) VALUES (1, 0)");
    ASSERT_TRUE(check.error);
    EXPECT_EQ(check.error->constraint, "positive");
    const auto missing = c.run("SELECT 1 FROM nowhere");
    ASSERT_TRUE(missing.error);
    const auto syntax = c.run("SELECT 1 FORM t");
    ASSERT_TRUE(syntax.error);
    EXPECT_EQ(syntax.error->position, 14);
}

TEST_F(SqliteTest, RefusesWhatWouldReachBeyondTheDatabase)
{
    open();
    auto c = connect();
    const auto other = (folder_ / "other.db").string();
    EXPECT_EQ(c.state_of("ATTACH '" + other + "' AS x"), "42501");
    EXPECT_EQ(c.state_of("DETACH main"), "42501");
    EXPECT_EQ(c.state_of("VACUUM INTO '" + other + "'"), "42501");
    EXPECT_NE(c.state_of("VACUUM"), "00000");
    EXPECT_FALSE(std::filesystem::exists(other));
    for (const char* sql : {"PRAGMA journal_mode=OFF",
                            "PRAGMA synchronous=OFF",
                            "PRAGMA locking_mode=EXCLUSIVE",
                            "PRAGMA writable_schema=ON",
                            "PRAGMA hard_heap_limit=1000000",
                            "PRAGMA database_list",
                            "PRAGMA wal_autocheckpoint=1",
                            "PRAGMA query_only=OFF",
                            "PRAGMA foreign_keys=OFF",
                            "SELECT * FROM pragma_database_list"})
        EXPECT_EQ(c.state_of(sql), "42501") << sql;
    // Refused, or not even compiled in.
    for (const char* sql : {"SELECT load_extension('x')", "SELECT fts3_tokenizer('simple')"})
        EXPECT_TRUE(c.state_of(sql) == "42501" || c.state_of(sql) == "42883") << sql;
    for (const char* sql : {"BEGIN",
                            "COMMIT",
                            "ROLLBACK",
                            "SAVEPOINT a",
                            "RELEASE a",
                            "BEGIN IMMEDIATE",
                            "CREATE TEMP TABLE x(y)"})
        EXPECT_EQ(c.state_of(sql), "0A000") << sql;
    EXPECT_NE(c.state_of("UPDATE sqlite_schema SET sql = ''"), "00000");
    EXPECT_EQ(c.ask("PRAGMA user_version"), "0");
    EXPECT_EQ(c.state_of("PRAGMA user_version=7"), "00000");
    EXPECT_EQ(c.ask("PRAGMA user_version"), "7");
    EXPECT_EQ(c.ask("PRAGMA foreign_keys"), "1");
    EXPECT_EQ(c.state_of("PRAGMA table_info(sqlite_schema)"), "00000");
}

TEST_F(SqliteTest, AnswersForTheSessionThatAsks)
{
    open();
    auto a = connect();
    client b(*database_, loop_, "bob");
    EXPECT_EQ(a.ask("SELECT current_user()"), "alice");
    EXPECT_EQ(b.ask("SELECT session_user()"), "bob");
    EXPECT_EQ(a.ask("SELECT current_database()"), "notes");
    EXPECT_EQ(a.ask("SELECT pg_backend_pid()"), "77");
    EXPECT_EQ(a.ask("SELECT quote_ident('a b')"), "\"a b\"");
    EXPECT_EQ(a.ask("SELECT length(now())"), "26");
    EXPECT_EQ(a.ask("SELECT coalesce(current_setting('x', 1), 'none')"), "none");
    const auto set = a.run("SELECT set_config('work_mem', '1MB', 0)");
    ASSERT_EQ(set.settings.size(), 1u);
    EXPECT_EQ(set.settings[0].second, "1MB");

    a.run("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    a.run("INSERT INTO t VALUES (41)");
    b.run("INSERT INTO t VALUES (42)");
    EXPECT_EQ(a.ask("SELECT last_insert_rowid()"), "41");
    EXPECT_EQ(b.ask("SELECT last_insert_rowid()"), "42");
}

TEST_F(SqliteTest, CompilesOnceAndNoticesASchemaChange)
{
    with_.readers = 1;
    open();
    auto c = connect();
    c.run("CREATE TABLE t(a)");
    c.run("INSERT INTO t VALUES (1)");
    c.run("SELECT * FROM t");
    const auto before = database_->stats().prepared;
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(c.ask("SELECT * FROM t"), "1");
    EXPECT_LE(database_->stats().prepared, before + 1);
    c.run("ALTER TABLE t ADD COLUMN b DEFAULT 'new'");
    auto kept = std::make_shared<rows_kept>();
    EXPECT_GOOD(c.run("SELECT * FROM t", {}, kept));
    ASSERT_EQ(kept->columns.size(), 2u);
    EXPECT_EQ(kept->rows[0][1], "new");
}

TEST_F(SqliteTest, ReturningGivesRowsAndASinkCanUndoTheWrite)
{
    open();
    auto c = connect();
    c.run("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    EXPECT_EQ(c.ask("INSERT INTO t VALUES (5) RETURNING id * 2"), "10");
    auto stopping = std::make_shared<rows_kept>();
    stopping->stop_at = 1;
    const auto done = c.run("INSERT INTO t VALUES (6), (7) RETURNING id", {}, stopping);
    EXPECT_EQ(state(done), "22P02");
    EXPECT_EQ(c.ask("SELECT count(*) FROM t"), "1");
    EXPECT_EQ(c.state_of("WITH x AS (SELECT 9) INSERT INTO t SELECT * FROM x"), "00000");
    EXPECT_EQ(c.ask("SELECT count(*) FROM t"), "2");
}

TEST_F(SqliteTest, OpeningSaysWhatIsWrong)
{
    sql_error why;
    options with;
    with.path = folder_ / "nowhere" / "x.db";
    EXPECT_FALSE(database::open(with, why));
    EXPECT_NE(why.message.find("does not exist"), std::string::npos) << why.message;
    with.path = folder_ / "text.db";
    std::FILE* file = std::fopen(with.path.c_str(), "w");
    for (int i = 0; i < 200; ++i)
        std::fputs("this is not a database\n", file);
    std::fclose(file);
    EXPECT_FALSE(database::open(with, why));
    EXPECT_NE(why.message.find("not a database"), std::string::npos) << why.message;
    with.path = folder_;
    EXPECT_FALSE(database::open(with, why));
    with.path = folder_ / "absent.db";
    with.create = false;
    EXPECT_FALSE(database::open(with, why));
    EXPECT_EQ(why.sqlstate, "58P01");
}

}  // namespace
}  // namespace sluice::sqlite
