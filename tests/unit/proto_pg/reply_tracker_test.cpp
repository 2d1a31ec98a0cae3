// What a PostgreSQL backend owes, message by message (PostgreSQL documentation, "Message Flow").
#include "proto/pg/reply_tracker.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::pg {
namespace {

using enum owed_kind;

int alice_object;
int bob_object;
void* const alice = &alice_object;
void* const bob = &bob_object;

class tracker_test : public testing::Test {
protected:
    bool send(void* owner, owed_kind kind, std::uint64_t tag = 0, bool fake = false)
    {
        owed entry;
        entry.owner = owner;
        entry.kind = kind;
        entry.tag = tag;
        entry.fake = fake;
        return tracker.sent(entry);
    }
    std::vector<std::uint64_t> fail()
    {
        std::vector<std::uint64_t> dropped;
        last = tracker.on_error([&](const owed& entry) { dropped.push_back(entry.tag); });
        return dropped;
    }

    reply_tracker tracker;
    reply_tracker::verdict last;
};

TEST_F(tracker_test, ASimpleQueryEndsWithReadyForQuery)
{
    send(alice, query);
    EXPECT_EQ(tracker.on_message('T').owner, alice);
    EXPECT_EQ(tracker.on_message('D').owner, alice);
    EXPECT_EQ(tracker.on_message('C').owner, alice);
    EXPECT_FALSE(tracker.idle());
    const auto end = tracker.on_ready('T');
    EXPECT_EQ(end.owner, alice);
    ASSERT_TRUE(end.ended);
    EXPECT_EQ(end.ended->kind, query);
    EXPECT_TRUE(tracker.idle());
    EXPECT_EQ(tracker.status(), 'T');
}

TEST_F(tracker_test, RepliesOfTwoOwnersEndEachAtItsOwnReadyForQuery)
{
    send(nullptr, query);
    send(alice, query);
    send(bob, query);
    EXPECT_EQ(tracker.on_message('C').owner, nullptr);
    tracker.on_ready('I');
    EXPECT_EQ(tracker.on_message('C').owner, alice);
    fail();
    EXPECT_EQ(last.owner, alice) << "an error in one leaves the other untouched";
    tracker.on_ready('I');
    EXPECT_EQ(tracker.on_message('C').owner, bob);
    tracker.on_ready('I');
    EXPECT_TRUE(tracker.idle());
}

TEST_F(tracker_test, TheExtendedProtocolIsMatchedMessageByMessage)
{
    for (const auto kind : {parse, bind, describe_portal, execute, sync})
        send(alice, kind);
    EXPECT_EQ(tracker.on_message('1').ended->kind, parse);
    EXPECT_EQ(tracker.on_message('2').ended->kind, bind);
    EXPECT_EQ(tracker.on_message('T').ended->kind, describe_portal);
    EXPECT_FALSE(tracker.on_message('D').ended);
    EXPECT_EQ(tracker.on_message('C').ended->kind, execute);
    EXPECT_EQ(tracker.on_ready('I').ended->kind, sync);
}

TEST_F(tracker_test, AnErrorDropsEverythingUpToTheNextSync)
{
    send(alice, parse, 1);
    send(alice, bind, 2);
    send(alice, sync);
    send(alice, parse, 3);
    send(alice, sync);
    EXPECT_EQ(fail(), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_FALSE(tracker.on_ready('I').unexpected);
    EXPECT_EQ(tracker.on_message('1').ended->tag, 3u);
    EXPECT_FALSE(tracker.on_ready('I').unexpected);
    EXPECT_TRUE(tracker.idle());
}

TEST_F(tracker_test, WhatIsSentAfterAnErrorIsIgnoredUntilASync)
{
    send(alice, bind);
    fail();
    EXPECT_TRUE(tracker.skipping());
    EXPECT_FALSE(tracker.idle());
    EXPECT_FALSE(send(alice, execute));
    EXPECT_FALSE(send(alice, query)) << "the server ignores a Query, too";
    EXPECT_TRUE(send(alice, sync));
    EXPECT_FALSE(tracker.on_ready('I').unexpected);
    EXPECT_TRUE(tracker.idle());
}

TEST_F(tracker_test, AFakeReplyWaitsForItsTurn)
{
    send(alice, bind);
    send(alice, parse, 7, true);
    send(alice, bind);
    EXPECT_FALSE(tracker.take_fake());
    tracker.on_message('2');
    const auto fake = tracker.take_fake();
    ASSERT_TRUE(fake);
    EXPECT_EQ(fake->tag, 7u);
    EXPECT_FALSE(tracker.take_fake());
    EXPECT_EQ(tracker.on_message('2').ended->kind, bind);
}

TEST_F(tracker_test, AFakeReplyBehindAnErrorIsDropped)
{
    send(alice, bind);
    send(alice, parse, 7, true);
    send(alice, sync);
    EXPECT_EQ(fail().back(), 7u);
    EXPECT_FALSE(tracker.take_fake());
}

TEST_F(tracker_test, SyncsSentIntoACopyAreIgnoredByTheServer)
{
    send(alice, bind);
    send(alice, execute);
    send(alice, sync);  // as libpq does before it knows that it is a copy
    tracker.on_message('2');
    EXPECT_EQ(tracker.on_message('G').owner, alice);
    EXPECT_TRUE(tracker.copying_in());
    EXPECT_FALSE(send(alice, sync));
    EXPECT_FALSE(send(alice, copy_end));
    EXPECT_FALSE(tracker.copying_in());
    EXPECT_TRUE(send(alice, sync));
    EXPECT_EQ(tracker.on_message('C').ended->kind, execute);
    EXPECT_FALSE(tracker.on_ready('I').unexpected);
    EXPECT_TRUE(tracker.idle());
}

TEST_F(tracker_test, ACopyThatWasSentAheadEndsAtItsMarker)
{
    send(alice, execute);
    send(alice, copy_end);
    send(alice, sync);
    tracker.on_message('G');
    EXPECT_FALSE(tracker.copying_in());
    EXPECT_EQ(tracker.on_message('C').ended->kind, execute);
    EXPECT_FALSE(tracker.on_ready('I').unexpected);
}

TEST_F(tracker_test, AFailedCopyLeavesLateDataBehind)
{
    send(alice, query);
    tracker.on_message('G');
    fail();
    EXPECT_FALSE(tracker.copying_in());
    EXPECT_TRUE(send(alice, copy_end)) << "the marker is dropped when its turn comes";
    EXPECT_FALSE(tracker.on_ready('I').unexpected);
    EXPECT_TRUE(tracker.idle());
}

TEST_F(tracker_test, AnyOtherMessageInACopyIsUsedUpByItsError)
{
    send(alice, query);
    send(alice, query);
    tracker.on_message('G');
    EXPECT_EQ(tracker.size(), 1u);
    fail();
    tracker.on_ready('I');
    EXPECT_TRUE(tracker.idle());
}

TEST_F(tracker_test, MessagesThatNobodyAskedForAreUnexpected)
{
    EXPECT_TRUE(tracker.on_message('D').unexpected);
    EXPECT_TRUE(tracker.on_ready('I').unexpected);
    fail();
    EXPECT_TRUE(last.unexpected);
    for (const char type : {'N', 'S', 'A'})
        EXPECT_FALSE(tracker.on_message(type).unexpected) << type;
    send(alice, bind);
    EXPECT_TRUE(tracker.on_message('1').unexpected) << "out of order";
}

TEST_F(tracker_test, RepliesOfAnOwnerThatHasGoneAreSwallowed)
{
    send(alice, query);
    send(bob, query);
    EXPECT_EQ(tracker.ready_owed(alice), 1u);
    tracker.disown(alice);
    EXPECT_EQ(tracker.ready_owed(alice), 0u);
    EXPECT_EQ(tracker.on_message('C').owner, nullptr);
    tracker.on_ready('I');
    EXPECT_EQ(tracker.on_message('C').owner, bob);
}

TEST_F(tracker_test, TheQueueGrowsAndKeepsItsOrder)
{
    for (std::uint64_t i = 0; i < 10; ++i)
        send(alice, bind, i);
    for (std::uint64_t i = 0; i < 5; ++i)
        tracker.on_message('2');
    for (std::uint64_t i = 10; i < 200; ++i)
        send(alice, bind, i);
    for (std::uint64_t i = 5; i < 200; ++i)
        ASSERT_EQ(tracker.on_message('2').ended->tag, i);
    EXPECT_TRUE(tracker.idle());
}

TEST_F(tracker_test, WhatIsHeldIsReleasedByFlush)
{
    owed held{alice, 7, parse, true, true};
    send(alice, execute);
    tracker.sent(held);
    tracker.release_held();
    held.tag = 8;
    tracker.sent(held);
    EXPECT_FALSE(tracker.take_fake());
    tracker.on_message('C');
    const auto first = tracker.take_fake();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->tag, 7u);
    EXPECT_FALSE(first->held);
    const auto second = tracker.take_fake();
    ASSERT_TRUE(second);
    EXPECT_TRUE(second->held);  // it came behind the Flush
    EXPECT_TRUE(tracker.empty());
}

}  // namespace
}  // namespace sluice::pg
