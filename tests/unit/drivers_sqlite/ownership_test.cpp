// tests/unit/drivers_sqlite/ownership_test.cpp: files that must not be opened.
#include <fstream>

#include "unit/drivers_sqlite/fixture.hpp"

namespace sluice::sqlite {

TEST_F(SqliteTest, AFileHasOneOwner)
{
    open();
    sql_error why;
    EXPECT_FALSE(database::open(with_, why));
    EXPECT_EQ(why.sqlstate, "55006");
    EXPECT_NE(why.message.find("another Sluice serves it"), std::string::npos) << why.message;
    EXPECT_GOOD(connect().run("CREATE TABLE t(n)"));  // the first one's locks are as they were
    EXPECT_EQ(connect().ask("SELECT count(*) FROM t"), "0");
    database_.reset();
    open();
    EXPECT_EQ(connect().ask("SELECT count(*) FROM t"), "0");
}

TEST_F(SqliteTest, ASymbolicLinkIsRefused)
{
    open();
    options other = with_;
    other.path = folder_ / "link.db";
    std::filesystem::create_symlink(with_.path, other.path);
    sql_error why;
    EXPECT_FALSE(database::open(other, why));
    EXPECT_EQ(why.sqlstate, "42501") << why.message;
    EXPECT_NE(why.message.find("symbolic link"), std::string::npos) << why.message;
}

TEST_F(SqliteTest, AFileWithTwoNamesIsRefused)
{
    open();
    database_.reset();
    std::filesystem::create_hard_link(with_.path, folder_ / "other.db");
    sql_error why;
    EXPECT_FALSE(database::open(with_, why));
    EXPECT_NE(why.message.find("hard links"), std::string::npos) << why.message;
}

TEST_F(SqliteTest, AnExclusiveFileIsOursAlone)
{
    with_.exclusive = true;
    open();
    EXPECT_GOOD(connect().run("CREATE TABLE t(n)"));
    EXPECT_GOOD(connect().run("INSERT INTO t VALUES (1)"));
    EXPECT_EQ(connect().ask("SELECT n FROM t"), "1");
    EXPECT_FALSE(std::filesystem::exists(with_.path + "-shm"));
    const auto other = "/usr/bin/python3 -c 'import sqlite3, sys; sqlite3.connect(\"" + with_.path +
                       "\", timeout=0).execute(\"SELECT * FROM t\")' 2>/dev/null";
    EXPECT_NE(std::system(other.c_str()), 0);
    database_.reset();
    EXPECT_EQ(std::system(other.c_str()), 0);
}

}  // namespace sluice::sqlite
