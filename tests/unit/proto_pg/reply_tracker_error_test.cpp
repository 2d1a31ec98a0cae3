// tests/unit/proto_pg/reply_tracker_error_test.cpp: what an ErrorResponse leaves owed.
#include <gtest/gtest.h>

#include <vector>

#include "proto/pg/reply_tracker.hpp"

namespace sluice::pg {
namespace {

using enum owed_kind;

class TrackerError : public ::testing::Test {
protected:
    void send(std::initializer_list<owed_kind> kinds)
    {
        for (const auto kind : kinds)
            tracker_.sent({.owner = this, .kind = kind});
    }
    // The kinds that an error leaves without a reply.
    std::vector<owed_kind> error()
    {
        std::vector<owed_kind> dropped;
        tracker_.on_error([&](const owed& entry) { dropped.push_back(entry.kind); });
        return dropped;
    }
    reply_tracker tracker_;
};

TEST_F(TrackerError, OfAQueryIsFollowedByReadyForQuery)
{
    send({query, query});
    EXPECT_TRUE(error().empty());
    EXPECT_FALSE(tracker_.skipping());
    EXPECT_FALSE(tracker_.on_ready('I').unexpected);
    EXPECT_EQ(tracker_.size(), 1u);
}

TEST_F(TrackerError, OfTheExtendedProtocolDropsUpToSync)
{
    send({parse, bind, execute, sync, query});
    EXPECT_EQ(error(), (std::vector{parse, bind, execute}));
    EXPECT_FALSE(tracker_.skipping());
    EXPECT_FALSE(tracker_.on_ready('I').unexpected);
    EXPECT_FALSE(tracker_.on_ready('I').unexpected);
    EXPECT_TRUE(tracker_.idle());
}

TEST_F(TrackerError, OfTheExtendedProtocolDropsAQueryBeforeSyncToo)
{
    send({bind, query, execute, sync});
    EXPECT_EQ(error(), (std::vector{bind, query, execute}));
    EXPECT_FALSE(tracker_.on_ready('E').unexpected);
    EXPECT_TRUE(tracker_.idle());
}

TEST_F(TrackerError, WithoutASyncBehindItSkipsWhatIsSentNext)
{
    send({parse, query});
    EXPECT_EQ(error(), (std::vector{parse, query}));
    EXPECT_TRUE(tracker_.skipping());
    EXPECT_FALSE(tracker_.sent({.owner = this, .kind = query}));
    EXPECT_TRUE(tracker_.sent({.owner = this, .kind = sync}));
    EXPECT_FALSE(tracker_.on_ready('I').unexpected);
    EXPECT_TRUE(tracker_.idle());
}

TEST_F(TrackerError, AtSyncIsFollowedByItsReadyForQuery)
{
    send({sync, execute});
    EXPECT_TRUE(error().empty());
    EXPECT_FALSE(tracker_.on_ready('I').unexpected);
    EXPECT_EQ(tracker_.size(), 1u);
}

TEST_F(TrackerError, OfNobodysRequestIsUnexpected)
{
    EXPECT_TRUE(tracker_.on_error([](const owed&) {}).unexpected);
    EXPECT_FALSE(tracker_.skipping());
}

}  // namespace
}  // namespace sluice::pg
