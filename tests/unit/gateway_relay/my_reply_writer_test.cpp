// tests/unit/gateway_relay/my_reply_writer_test.cpp: a reply with CLIENT_DEPRECATE_EOF for clients
// of every kind.
#include "gateway/relay/my_reply_writer.hpp"

#include <gtest/gtest.h>

#include "proto/mysql/messages.hpp"

namespace sluice::gateway {
namespace {

using mysql::command;
namespace capability = mysql::capability;

constexpr std::uint32_t everything = capability::deprecate_eof | capability::session_track;

struct received final : my_reply_writer::sink {
    byte_queue& reply_out() noexcept override { return bytes; }
    void on_reply(bytes_view more) override { bytes.append(more); }
    byte_queue bytes;
};

// What a client with `capabilities` gets of `reply`, which comes `piece` bytes at a time.
byte_queue through(const byte_queue& reply,
                   command what,
                   std::uint32_t capabilities,
                   std::size_t piece)
{
    received client;
    mysql::reply_tracker tracker(everything);
    my_reply_writer writer;
    writer.begin_lease(client, everything, capabilities);
    mysql::owed owed;
    owed.owner = &client;
    owed.what = what;
    tracker.sent(owed);
    writer.begin_reply(1);
    std::vector<std::byte> buffer;
    const auto all = reply.readable();
    std::size_t left = 0;
    for (std::size_t at = 0; at < all.size(); at += piece) {
        const auto more = all.subspan(at, std::min(piece, all.size() - at));
        buffer.insert(buffer.end(), more.begin(), more.end());
        std::size_t used = 0;
        while (used < buffer.size()) {
            const std::span<std::byte> rest(buffer.data() + used, buffer.size() - used);
            if (left > 0) {
                const auto part = rest.first(std::min(left, rest.size()));
                writer.rest(part);
                left -= part.size();
                used += part.size();
                continue;
            }
            const auto packet = mysql::peek_packet(rest);
            if (rest.size() < mysql::header_size)
                break;
            const auto verdict = tracker.on_packet(packet.header, packet.payload);
            EXPECT_FALSE(verdict.unexpected);
            if (verdict.missing)
                break;
            const auto size = mysql::header_size + packet.payload.size();
            writer.packet(verdict, tracker, rest.first(size));
            left = packet.missing;
            used += size;
        }
        writer.send();
        buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(used));
    }
    EXPECT_TRUE(tracker.empty());
    return std::move(client.bytes);
}

byte_queue rows_reply(std::uint32_t capabilities, std::uint16_t status, std::uint16_t warnings)
{
    byte_queue out;
    std::uint8_t sequence = 1;
    mysql::append_column_count(out, sequence, 2);
    mysql::column column;
    column.name = "a";
    mysql::append_column(out, sequence, column);
    mysql::append_column(out, sequence, column);
    mysql::append_end_of_columns(out, sequence, {warnings, status}, capabilities);
    for (int i = 0; i < 3; ++i) {
        mysql::packet_writer row(out, sequence);
        row.lenenc_string("one");
        row.null();
    }
    mysql::ok_message end;
    end.status = status;
    end.warnings = warnings;
    mysql::append_end_of_rows(out, sequence, end, capabilities);
    return out;
}

std::string text(const byte_queue& bytes)
{
    return std::string(as_text(bytes.readable()));
}

TEST(MyReplyWriter, ForAClientThatHasAllItIsTheSameBytes)
{
    const auto reply = rows_reply(everything, 2, 1);
    for (const std::size_t piece : {1u, 3u, 1000u})
        EXPECT_EQ(text(through(reply, command::query, everything, piece)), text(reply)) << piece;
}

TEST(MyReplyWriter, OthersGetEofsAndTheirNumbers)
{
    for (const std::size_t piece : {1u, 7u, 50u, 1000u})
        EXPECT_EQ(text(through(rows_reply(everything, 2, 0), command::query, 0, piece)),
                  text(rows_reply(0, 2, 0)))
            << piece;
}

TEST(MyReplyWriter, NoRowsHaveBothEofs)
{
    const auto make = [](std::uint32_t capabilities) {
        byte_queue out;
        std::uint8_t sequence = 1;
        mysql::append_column_count(out, sequence, 1);
        mysql::append_column(out, sequence, {});
        mysql::append_end_of_columns(out, sequence, {}, capabilities);
        mysql::append_end_of_rows(out, sequence, {}, capabilities);
        return out;
    };
    EXPECT_EQ(text(through(make(everything), command::query, 0, 1000)), text(make(0)));
}

TEST(MyReplyWriter, ACursorHasOneEof)
{
    byte_queue reply;
    byte_queue wanted;
    std::uint8_t sequence = 1;
    mysql::append_column_count(reply, sequence, 1);
    mysql::append_column(reply, sequence, {});
    wanted.append(reply.readable());
    auto same = sequence;
    mysql::ok_message end;
    end.status = mysql::status::autocommit | mysql::status::cursor_exists;
    mysql::append_end_of_rows(reply, sequence, end, everything);
    mysql::append_end_of_rows(wanted, same, end, 0);
    EXPECT_EQ(text(through(reply, command::stmt_execute, 0, 1000)), text(wanted));
}

TEST(MyReplyWriter, PreparedStatementsHaveAnEofBehindEachKindOfDefinition)
{
    const auto make = [](std::uint32_t capabilities) {
        byte_queue out;
        std::uint8_t sequence = 1;
        mysql::append_prepare_ok(out, sequence, {7, 1, 2, 0});
        for (const int count : {2, 1}) {
            for (int i = 0; i < count; ++i)
                mysql::append_column(out, sequence, {});
            mysql::append_end_of_columns(out, sequence, {}, capabilities);
        }
        return out;
    };
    EXPECT_EQ(text(through(make(everything), command::stmt_prepare, 0, 1000)), text(make(0)));
    EXPECT_EQ(text(through(make(everything), command::stmt_prepare, 0, 1)), text(make(0)));
}

TEST(MyReplyWriter, ChangesThatNobodyAskedForAreLeftOut)
{
    const auto entry = [](mysql::session_track type, std::string_view data) {
        std::string bytes(1, static_cast<char>(type));
        bytes += static_cast<char>(data.size());
        return bytes.append(data);
    };
    const std::string zone = entry(mysql::session_track::system_variable, "\x09time_zone\x03UTC");
    const std::string mode = entry(mysql::session_track::system_variable,
                                   "\x08sql_mode\x04"
                                   "ANSI");
    const std::string other = entry(mysql::session_track::state_change,
                                    "\x01"
                                    "1");
    const auto make = [](const std::string& changes, std::uint32_t capabilities) {
        byte_queue out;
        std::uint8_t sequence = 1;
        mysql::ok_message ok;
        ok.changes = mysql::change_list(as_bytes(changes));
        if (!changes.empty())
            ok.status |= mysql::status::session_state_changed;
        mysql::append_ok(out, sequence, ok, capabilities);
        return out;
    };
    const auto all = make(zone + mode + other, everything);
    EXPECT_EQ(text(through(all, command::query, everything, 1000)), text(make(zone, everything)));
    EXPECT_EQ(text(through(all, command::query, 0, 1000)), text(make("", 0)));
    EXPECT_EQ(text(through(make(mode, everything), command::query, everything, 1000)),
              text(make("", everything)));
}

}  // namespace
}  // namespace sluice::gateway
