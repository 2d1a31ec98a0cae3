// tests/unit/drivers_sqlite/sharing_test.cpp: a file that one gateway hands over to the next.
#include "unit/drivers_sqlite/fixture.hpp"

namespace sluice::sqlite {
namespace {

class SharingTest : public SqliteTest {
protected:
    std::unique_ptr<database> next()
    {
        options with = with_;
        with.after_another = true;
        sql_error why;
        auto made = database::open(with, why);
        EXPECT_TRUE(made) << why.message;
        return made;
    }
    std::string log() const { return with_.path + "-wal"; }
};

TEST_F(SharingTest, BothWriteAndNeitherCheckpoints)
{
    with_.checkpoint_frames = 10;
    open();
    EXPECT_GOOD(connect().run("CREATE TABLE t(n)"));
    ASSERT_TRUE(database_->share());
    auto second = next();
    const auto before = database_->stats().checkpoints;
    client theirs(*second, loop_);
    auto ours = connect();
    for (int i = 0; i < 100; ++i) {
        auto one = ours.start("INSERT INTO t VALUES (1)");
        auto other = theirs.start("INSERT INTO t VALUES (2)");
        EXPECT_GOOD(client::take(std::move(one)));
        EXPECT_GOOD(client::take(std::move(other)));
    }
    EXPECT_EQ(theirs.ask("SELECT count(*) FROM t"), "200");
    EXPECT_EQ(database_->stats().checkpoints, before);
    EXPECT_EQ(second->stats().checkpoints, 0u);
    const auto grown = std::filesystem::file_size(log());
    EXPECT_GT(grown, 100u * 4096);
    database_.reset();
    // Nobody copied the log when the first one ended; the second one does, and owns the file.
    EXPECT_TRUE(soon([&] { return second->stats().checkpoints > 0; }));
    EXPECT_EQ(theirs.ask("SELECT count(*) FROM t"), "200");
    sql_error why;
    EXPECT_FALSE(database::open(with_, why));
    EXPECT_EQ(why.sqlstate, "55006");
}

TEST_F(SharingTest, ATransactionOfTheOldOneKeepsTheNewOneWaiting)
{
    with_.busy_timeout = 50ms;
    open();
    auto ours = connect();
    EXPECT_GOOD(ours.run("CREATE TABLE t(n)"));
    EXPECT_GOOD(ours.begin());
    EXPECT_GOOD(ours.run("INSERT INTO t VALUES (1)"));
    ASSERT_TRUE(database_->share());
    auto second = next();
    client theirs(*second, loop_);
    EXPECT_EQ(theirs.ask("SELECT count(*) FROM t"), "0");
    auto waits = theirs.start("INSERT INTO t VALUES (2)");
    EXPECT_EQ(waits.wait_for(300ms), std::future_status::timeout);
    EXPECT_GOOD(ours.run("INSERT INTO t VALUES (1)"));
    EXPECT_GOOD(ours.commit());
    EXPECT_GOOD(client::take(std::move(waits)));
    EXPECT_EQ(theirs.ask("SELECT count(*) FROM t"), "3");
}

TEST_F(SharingTest, ThereAreNeverThree)
{
    open();
    EXPECT_GOOD(connect().run("CREATE TABLE t(n)"));
    ASSERT_TRUE(database_->share());
    EXPECT_FALSE(database_->share());
    auto second = next();
    EXPECT_FALSE(second->share());
    second->stop_sharing();  // changes nothing: the first one is there still
    EXPECT_FALSE(second->share());
    database_.reset();
    EXPECT_TRUE(second->share());
    auto third = next();
    // The second one has handed over: it must not believe later that the file is its own again.
    client seconds(*second, loop_);
    for (int i = 0; i < 20; ++i) {
        EXPECT_GOOD(seconds.run("INSERT INTO t VALUES (1)"));
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_FALSE(second->share());
    second.reset();
    EXPECT_TRUE(third->share());
}

TEST_F(SharingTest, ANewOneThatFailsLeavesEverythingAsItWas)
{
    with_.checkpoint_frames = 5;
    open();
    EXPECT_GOOD(connect().run("CREATE TABLE t(n)"));
    ASSERT_TRUE(database_->share());
    next().reset();
    database_->stop_sharing();
    const auto before = database_->stats().checkpoints;
    for (int i = 0; i < 20; ++i)
        EXPECT_GOOD(connect().run("INSERT INTO t VALUES (1)"));
    EXPECT_TRUE(soon([&] { return database_->stats().checkpoints > before; }));
    sql_error why;
    EXPECT_FALSE(database::open(with_, why));
    EXPECT_EQ(why.sqlstate, "55006");
}

}  // namespace
}  // namespace sluice::sqlite
