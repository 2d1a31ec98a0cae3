// tests/unit/proto_mysql/tracker_test.cpp: replies that no recording holds: random ones, packets of
// 16 MiB and more, what a server must not send.
#include <gtest/gtest.h>

#include "unit/proto_mysql/backend_stream.hpp"
#include "unit/proto_mysql/random_replies.hpp"

namespace {

using namespace sluice;
using namespace sluice::test;
using mysql::command;
using mysql::packet_kind;

constexpr std::uint32_t modern =
    mysql::capability::deprecate_eof | mysql::capability::session_track;

mysql::owed owed_for(command what, std::uint64_t tag = 1)
{
    mysql::owed entry;
    entry.what = what;
    entry.tag = tag;
    return entry;
}

TEST(MysqlTracker, RandomRepliesInRandomPieces)
{
    for (const auto capabilities : {0u, modern}) {
        for (unsigned seed = 0; seed < 60; ++seed) {
            random_replies replies(capabilities, seed);
            replies.add(30);
            std::mt19937 random(seed);
            backend_stream stream(capabilities);
            std::vector<std::uint64_t> tags;
            for (const auto what : replies.commands) {
                tags.push_back(tags.size() + 1);
                ASSERT_TRUE(stream.tracker.sent(owed_for(what, tags.size())));
            }
            if (seed % 3 == 0)
                stream.feed(replies.bytes.readable());
            else
                stream.feed_in_chunks(replies.bytes.readable(), random);
            ASSERT_FALSE(stream.broken) << seed;
            EXPECT_TRUE(stream.complete());
            EXPECT_TRUE(stream.tracker.empty());
            EXPECT_EQ(stream.ended, tags) << seed;
            ASSERT_EQ(stream.packets.size(), replies.kinds.size());
            for (std::size_t i = 0; i < replies.kinds.size(); ++i)
                ASSERT_EQ(static_cast<int>(stream.packets[i].kind),
                          static_cast<int>(replies.kinds[i]))
                    << seed << ' ' << i;
        }
    }
}

// One column, one row of `size` bytes; fed in large pieces through a small window.
void big_row(std::uint32_t capabilities, std::size_t size)
{
    mysql::reply_tracker tracker(capabilities);
    tracker.sent(owed_for(command::query));
    byte_queue reply;
    std::uint8_t sequence = 1;
    mysql::append_column_count(reply, sequence, 1);
    mysql::append_column(reply, sequence, {});
    mysql::append_end_of_columns(reply, sequence, {}, capabilities);
    {
        mysql::packet_writer row(reply, sequence);
        row.lenenc_string(std::string(size, 'x'));
    }
    {
        mysql::packet_writer row(reply, sequence);
        row.lenenc_string("a");
    }
    mysql::append_end_of_rows(reply, sequence, {}, capabilities);

    std::size_t rows = 0;
    std::size_t continuations = 0;
    for (auto rest = reply.readable(); !rest.empty();) {
        const auto packet = mysql::peek_packet(rest);
        // Of a row one byte of the payload is enough.
        const auto seen = packet.payload.first(std::min<std::size_t>(packet.payload.size(), 100));
        const auto verdict = tracker.on_packet(packet.header, seen);
        ASSERT_EQ(verdict.missing, 0u);
        ASSERT_FALSE(verdict.unexpected);
        rows += verdict.kind == packet_kind::row;
        continuations += verdict.kind == packet_kind::continuation;
        rest = rest.subspan(packet.wire_size());
    }
    EXPECT_TRUE(tracker.empty());
    EXPECT_EQ(rows, 2u);
    const auto payload = size + mysql::lenenc_size(size);
    EXPECT_EQ(continuations, payload / mysql::payload_max);
}

TEST(MysqlTracker, RowsOfSixteenMegabytesAndMore)
{
    for (const auto capabilities : {0u, modern}) {
        // The row's payload is exactly as long as a packet can be: an empty one follows.
        big_row(capabilities, mysql::payload_max - 4);
        big_row(capabilities, mysql::payload_max - 5);
        // Rows that begin with 0xfe, as an end does.
        big_row(capabilities, 0x1000000);
        big_row(capabilities, 0x2000005);
    }
}

TEST(MysqlTracker, CommandsWithoutReply)
{
    mysql::reply_tracker tracker;
    EXPECT_FALSE(tracker.sent(owed_for(command::stmt_close)));
    EXPECT_FALSE(tracker.sent(owed_for(command::stmt_send_long_data)));
    EXPECT_FALSE(tracker.sent(owed_for(command::quit)));
    EXPECT_TRUE(tracker.empty());
}

TEST(MysqlTracker, WhatNobodyAskedFor)
{
    mysql::reply_tracker idle;
    const auto error = wire("ff 8704 '#08S01bye'");
    const auto verdict = idle.on_packet({12, 0}, error);
    EXPECT_TRUE(verdict.unexpected);
    EXPECT_EQ(verdict.kind, packet_kind::error);

    struct {
        const char* name;
        command what;
        const char* packet;
        std::uint32_t length;
        std::uint8_t sequence;
    } const cases[] = {
        {"an empty packet", command::query, "", 0, 1},
        {"a wrong number", command::query, "00 00 00 0200 0000", 7, 2},
        {"a short OK", command::query, "00 00", 2, 1},
        {"no columns", command::query, "fc0000", 3, 1},
        {"too many columns", command::query, "fd000001", 4, 1},
        {"a count and more", command::query, "0101", 2, 1},
        {"a short prepare-OK", command::stmt_prepare, "00 01000000 0100", 7, 1},
        {"an OK of a megabyte", command::ping, "00", 1u << 21, 1},
        {"a short EOF", command::set_option, "fe 00", 2, 1},
    };
    for (const auto& c : cases) {
        mysql::reply_tracker tracker;
        tracker.sent(owed_for(c.what));
        EXPECT_TRUE(tracker.on_packet({c.length, c.sequence}, wire(c.packet)).unexpected) << c.name;
    }
}

TEST(MysqlTracker, UploadsEndWithAnEmptyPacketThatContinuesNothing)
{
    mysql::reply_tracker tracker;
    tracker.sent(owed_for(command::query));
    EXPECT_EQ(tracker.on_packet({2, 1}, wire("fb 'f'")).kind, packet_kind::local_infile);
    EXPECT_TRUE(tracker.uploading());
    tracker.on_upload({mysql::payload_max, 2});
    tracker.on_upload({0, 3});
    EXPECT_TRUE(tracker.uploading());
    tracker.on_upload({5, 4});
    tracker.on_upload({0, 5});
    EXPECT_FALSE(tracker.uploading());
    const auto verdict = tracker.on_packet({7, 6}, wire("00 02 00 0200 0000"));
    EXPECT_FALSE(verdict.unexpected);
    EXPECT_TRUE(verdict.ended);
    EXPECT_EQ(tracker.ok().affected_rows, 2u);
}

TEST(MysqlTracker, AnErrorInTheMiddleOfAnUploadEndsTheBackend)
{
    mysql::reply_tracker tracker;
    tracker.sent(owed_for(command::query));
    tracker.on_packet({2, 1}, wire("fb 'f'"));
    const auto verdict = tracker.on_packet({9, 2}, wire("ff 8704 '#08S01'"));
    EXPECT_TRUE(verdict.unexpected);
    EXPECT_EQ(verdict.kind, packet_kind::error);
    EXPECT_FALSE(tracker.uploading());
}

TEST(MysqlTracker, OwnersAndFakes)
{
    int one = 0;
    int two = 0;
    mysql::reply_tracker tracker;
    auto entry = owed_for(command::ping, 1);
    entry.owner = &one;
    tracker.sent(entry);
    entry.owner = &two;
    entry.fake = true;
    entry.what = command::stmt_close;  // even what has no reply can be faked
    entry.tag = 2;
    EXPECT_TRUE(tracker.sent(entry));
    tracker.sent(owed_for(command::ping, 3));
    EXPECT_FALSE(tracker.take_fake());
    const auto ok = wire("00 00 00 0200 0000");
    EXPECT_EQ(tracker.on_packet({7, 1}, ok).owner, &one);
    EXPECT_EQ(tracker.ended().tag, 1u);
    const auto fake = tracker.take_fake();
    ASSERT_TRUE(fake);
    EXPECT_EQ(fake->owner, &two);
    EXPECT_FALSE(tracker.take_fake());
    EXPECT_EQ(tracker.on_packet({7, 1}, ok).owner, nullptr);

    entry = owed_for(command::query, 4);
    entry.owner = &one;
    tracker.sent(entry);
    tracker.disown(&one);
    EXPECT_EQ(tracker.on_packet({7, 1}, ok).owner, nullptr);
    EXPECT_TRUE(tracker.empty());
}

TEST(MysqlTracker, ReportsSessionChanges)
{
    mysql::reply_tracker tracker(modern);
    tracker.sent(owed_for(command::query));
    const auto ok = wire("00 00 00 0340 0000 00 10 00 0e 0a 'autocommit' 02 'ON'");
    EXPECT_TRUE(tracker.on_packet({static_cast<std::uint32_t>(ok.size()), 1}, ok).ended);
    auto changes = tracker.ok().changes;
    const auto one = changes.next();
    ASSERT_TRUE(one);
    mysql::variable_list variables(one->data);
    EXPECT_EQ(variables.next()->name, "autocommit");
    EXPECT_TRUE(tracker.in_transaction());

    tracker.sent(owed_for(command::query));
    EXPECT_TRUE(tracker.on_packet({9, 1}, wire("ff bd04 '#40001'")).ended);
    EXPECT_TRUE(tracker.status_uncertain());
    EXPECT_TRUE(tracker.in_transaction()) << "the last thing said";
    EXPECT_EQ(tracker.error_number(), mysql::error_number::lock_deadlock);
    tracker.sent(owed_for(command::ping));
    tracker.on_packet({7, 1}, wire("00 00 00 0200 0000"));
    EXPECT_FALSE(tracker.status_uncertain());
    EXPECT_FALSE(tracker.in_transaction());
}

}  // namespace
