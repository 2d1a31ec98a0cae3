// tests/unit/drivers_sqlite/inline_test.cpp: reads inside an event loop: which, and what they see.

#include "unit/drivers_sqlite/inline_fixture.hpp"

namespace sluice::sqlite {

TEST_F(InlineTest, PointReadsRunInsideTheLoop)
{
    open();
    auto a = connect();
    EXPECT_GOOD(a.run("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)"));
    EXPECT_GOOD(a.run("INSERT INTO t VALUES (1, 'one'), (2, 'two')"));
    EXPECT_EQ(now(a, "SELECT v FROM t WHERE id = ?1", {std::int64_t{2}}), "two");
    EXPECT_EQ(now(a, "SELECT v FROM t WHERE id = ?1", {std::int64_t{1}}), "one");
    EXPECT_EQ(database_->stats().inline_reads, 2u);
}

}  // namespace sluice::sqlite
