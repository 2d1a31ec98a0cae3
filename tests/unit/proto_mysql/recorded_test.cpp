// tests/unit/proto_mysql/recorded_test.cpp: the tracker on what MariaDB 10.11 really sent: whole,
// cut at every byte, in random pieces, and one reply behind the other.
#include <gtest/gtest.h>

#include "unit/proto_mysql/backend_stream.hpp"
#include "unit/proto_mysql/recorded.hpp"

namespace {

using namespace sluice;
using namespace sluice::test;
using mysql::packet_kind;

mysql::owed owed_for(const wire_bytes& command, std::uint64_t tag = 1)
{
    mysql::owed entry;
    entry.tag = tag;
    entry.what = static_cast<mysql::command>(command.text()[mysql::header_size]);
    return entry;
}

void upload(mysql::reply_tracker& tracker, bytes_view packets)
{
    while (!packets.empty()) {
        EXPECT_TRUE(tracker.uploading());
        const auto packet = mysql::peek_packet(packets);
        tracker.on_upload(packet.header);
        packets = packets.subspan(packet.wire_size());
    }
    EXPECT_FALSE(tracker.uploading());
}

void expect_ended(const recorded& exchange, const backend_stream& stream)
{
    EXPECT_FALSE(stream.broken) << exchange.name;
    EXPECT_TRUE(stream.complete()) << exchange.name;
    EXPECT_TRUE(stream.tracker.empty()) << exchange.name;
    EXPECT_FALSE(stream.tracker.head_begun()) << exchange.name;
    ASSERT_FALSE(stream.packets.empty()) << exchange.name;
    for (std::size_t i = 0; i < stream.packets.size(); ++i)
        EXPECT_EQ(stream.packets[i].ended, i + 1 == stream.packets.size())
            << exchange.name << " packet " << i;
}

TEST(MysqlRecorded, EveryReplyEndsWhereTheServerFellSilent)
{
    std::mt19937 random(7);
    for (const auto& exchange : recorded_exchanges) {
        const auto command = wire(exchange.command);
        const auto reply = wire(exchange.reply);
        const auto sent = wire(exchange.upload);
        const auto after = wire(exchange.upload_reply);
        for (int round = 0; round < 4; ++round) {
            backend_stream stream(exchange.capabilities);
            if (!stream.tracker.sent(owed_for(command))) {
                EXPECT_EQ(reply.size(), 0u) << exchange.name;
                continue;
            }
            const auto feed = [&](bytes_view bytes) {
                round == 0 ? stream.feed(bytes) : stream.feed_in_chunks(bytes, random);
            };
            feed(reply);
            EXPECT_EQ(stream.tracker.uploading(), sent.size() > 0) << exchange.name;
            upload(stream.tracker, sent);
            feed(after);
            expect_ended(exchange, stream);
        }
    }
}

TEST(MysqlRecorded, NoPrefixEndsAReply)
{
    for (const auto& exchange : recorded_exchanges) {
        const auto reply = wire(exchange.reply);
        if (reply.size() == 0 || *exchange.upload)
            continue;
        for_every_prefix(reply, [&](bytes_view prefix) {
            backend_stream stream(exchange.capabilities);
            stream.tracker.sent(owed_for(wire(exchange.command)));
            stream.feed(prefix);
            EXPECT_FALSE(stream.broken) << exchange.name;
            EXPECT_TRUE(stream.ended.empty()) << exchange.name << " at " << prefix.size();
        });
    }
}

TEST(MysqlRecorded, RepliesInARowBelongToTheirCommands)
{
    std::mt19937 random(11);
    for (const std::uint32_t mode : {0u, 1u << 23, 1u << 24, 3u << 23}) {
        backend_stream stream(mode);
        std::string all;
        std::vector<std::uint64_t> expected;
        std::uint64_t tag = 0;
        for (const auto& exchange : recorded_exchanges) {
            if ((exchange.capabilities & (3u << 23)) != mode || *exchange.upload)
                continue;
            if (stream.tracker.sent(owed_for(wire(exchange.command), ++tag)))
                expected.push_back(tag);
            all += wire(exchange.reply).text();
        }
        ASSERT_GT(expected.size(), 50u);
        EXPECT_EQ(stream.tracker.size(), expected.size());
        stream.feed_in_chunks(as_bytes(all), random);
        EXPECT_FALSE(stream.broken);
        EXPECT_EQ(stream.ended, expected);
        EXPECT_TRUE(stream.tracker.empty());
    }
}

const recorded& find(std::string_view name)
{
    for (const auto& exchange : recorded_exchanges)
        if (exchange.name == name)
            return exchange;
    throw std::out_of_range(std::string(name));
}

// Feeds one exchange whole and hands back the tracker with what it learned.
backend_stream replay(std::string_view name)
{
    const auto& exchange = find(name);
    backend_stream stream(exchange.capabilities);
    stream.tracker.sent(owed_for(wire(exchange.command)));
    stream.feed(wire(exchange.reply));
    return stream;
}

TEST(MysqlRecorded, StatusFollowsTheTransaction)
{
    for (const std::string mode : {"legacy: ", "modern: "}) {
        EXPECT_TRUE(replay(mode + "begin").tracker.in_transaction());
        EXPECT_TRUE(replay(mode + "select in transaction").tracker.in_transaction());
        EXPECT_FALSE(replay(mode + "commit").tracker.in_transaction());
        EXPECT_EQ(replay(mode + "cursor").tracker.status() & mysql::status::cursor_exists,
                  mysql::status::cursor_exists);
        EXPECT_EQ(replay(mode + "fetch to end").tracker.status() & mysql::status::last_row_sent,
                  mysql::status::last_row_sent);
        EXPECT_EQ(replay(mode + "warning").tracker.ok().warnings, 1);
        EXPECT_EQ(replay(mode + "insert").tracker.ok().insert_id, 4u);
        EXPECT_EQ(replay(mode + "update").tracker.ok().affected_rows, 4u);
        const auto failed = replay(mode + "syntax error");
        EXPECT_EQ(failed.tracker.error_number(), 1064);
        EXPECT_TRUE(failed.tracker.status_uncertain());
    }
}

TEST(MysqlRecorded, PreparedStatementsTellTheirShape)
{
    for (const std::string mode : {"legacy: ", "modern: "}) {
        const auto both = replay(mode + "prepare both").tracker.prepared();
        EXPECT_EQ(both.statement, 4u);
        EXPECT_EQ(both.columns, 2);
        EXPECT_EQ(both.parameters, 2);
        const auto nothing = replay(mode + "prepare nothing").tracker.prepared();
        EXPECT_EQ(nothing.columns, 0);
        EXPECT_EQ(nothing.parameters, 0);
    }
}

std::vector<packet_kind> kinds_of(std::string_view name)
{
    std::vector<packet_kind> out;
    for (const auto& packet : replay(name).packets)
        out.push_back(packet.kind);
    return out;
}

TEST(MysqlRecorded, KindsOfPackets)
{
    using enum packet_kind;
    using list = std::vector<packet_kind>;
    EXPECT_EQ(kinds_of("legacy: select"), (list{column_count, column, columns_end, row, end}));
    EXPECT_EQ(kinds_of("modern: select"), (list{column_count, column, row, end}));
    EXPECT_EQ(kinds_of("legacy: several, error"),
              (list{column_count, column, columns_end, row, end, error}));
    EXPECT_EQ(kinds_of("modern: call"),
              (list{column_count,
                    column,
                    row,
                    end,
                    column_count,
                    column,
                    column,
                    row,
                    row,
                    row,
                    row,
                    end,
                    ok}));
    EXPECT_EQ(kinds_of("legacy: prepare both"),
              (list{prepare_ok, column, column, columns_end, column, column, columns_end}));
    EXPECT_EQ(kinds_of("modern: prepare both"), (list{prepare_ok, column, column, column, column}));
    EXPECT_EQ(kinds_of("legacy: prepare nothing"), (list{prepare_ok}));
    EXPECT_EQ(kinds_of("legacy: statistics"), (list{text}));
    EXPECT_EQ(kinds_of("modern: field list"), (list{column, column, column, end}));
}

}  // namespace
