// tests/unit/proto_mysql/converter_test.cpp: what a server told one kind of client, converted for
// another kind, is what it told that kind itself.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "proto/mysql/reply_converter.hpp"
#include "unit/proto_mysql/recorded.hpp"
#include "unit/proto_pg/wire.hpp"

namespace {

using namespace sluice;
using namespace sluice::test;
using mysql::packet_kind;
namespace capability = mysql::capability;
namespace status = mysql::status;

constexpr std::uint32_t modern = capability::deprecate_eof | capability::session_track;

// The relay in small: packets through tracker and converter to a client.
class relay {
public:
    relay(std::uint32_t backend, std::uint32_t to, const mysql::track_filter& filter = {})
        : tracker(backend)
    {
        converter.configure(backend, to, filter);
    }

    void feed(bytes_view more)
    {
        pending_.append(as_text(more));
        while (step()) {
        }
    }

    mysql::reply_tracker tracker;
    mysql::reply_converter converter;
    std::string client;
    bool broken = false;

private:
    bool step()
    {
        if (pass_ > 0 || pending_.empty()) {
            const auto count = std::min(pass_, pending_.size());
            client.append(pending_, 0, count);
            pending_.erase(0, count);
            pass_ -= count;
            return count > 0;
        }
        const auto packet = mysql::peek_packet(as_bytes(pending_));
        if (pending_.size() < mysql::header_size)
            return false;
        const auto verdict = tracker.on_packet(packet.header, packet.payload);
        broken |= verdict.unexpected;
        if (verdict.missing > 0 || broken)
            return false;
        auto* header = reinterpret_cast<std::byte*>(pending_.data());
        const auto pieces = converter.on_packet(verdict, tracker, header, packet.payload);
        client += as_text(pieces.before);
        if (pieces.keep)
            client.append(pending_, 0, mysql::header_size + packet.payload.size());
        client += as_text(pieces.behind);
        const bool whole = packet.missing == 0;
        EXPECT_TRUE(whole || (pieces.keep && pieces.behind.empty()));
        pending_.erase(0, mysql::header_size + packet.payload.size());
        pass_ = packet.missing;
        return true;
    }

    std::string pending_;
    std::size_t pass_ = 0;
};

mysql::owed owed_for(const recorded& exchange)
{
    mysql::owed entry;
    entry.what = static_cast<mysql::command>(wire(exchange.command).text()[mysql::header_size]);
    return entry;
}

// One line for each packet; flags that say when a thing was known are left out.
std::vector<std::string> packets_of(std::string_view bytes, std::uint32_t capabilities)
{
    constexpr std::uint16_t seen =
        status::in_transaction | status::autocommit | status::cursor_exists | status::last_row_sent;
    std::vector<std::string> out;
    for (auto rest = as_bytes(bytes); !rest.empty();) {
        const auto packet = mysql::peek_packet(rest);
        std::string line = std::to_string(packet.header.sequence) + ": ";
        const bool ended = !packet.payload.empty() && packet.payload[0] == mysql::eof_byte;
        if (const auto eof = mysql::parse_eof(packet.payload)) {
            line +=
                "EOF " + std::to_string(eof->warnings) + ' ' + std::to_string(eof->status & seen);
        } else if (const auto ok = mysql::parse_ok(packet.payload, capabilities);
                   ok && packet.payload.size() < 250 && (ended || packet.payload.size() >= 7)) {
            line += (ended ? "OK-EOF " : "OK ") + std::to_string(ok->affected_rows) + ' ' +
                    std::to_string(ok->insert_id) + ' ' + std::to_string(ok->status & seen) + ' ' +
                    std::string(ok->info);
            for (auto all = ok->changes; const auto one = all.next();)
                line += " +" + std::string(as_text(one->whole));
        } else {
            line += as_text(packet.payload);
        }
        out.push_back(line);
        rest = rest.subspan(packet.wire_size());
    }
    return out;
}

int last_number(std::string_view bytes)
{
    int number = -1;
    for (auto rest = as_bytes(bytes); !rest.empty();) {
        const auto packet = mysql::peek_packet(rest);
        number = packet.header.sequence;
        rest = rest.subspan(packet.wire_size());
    }
    return number;
}

std::map<std::string, std::map<std::string, const recorded*>> by_name()
{
    std::map<std::string, std::map<std::string, const recorded*>> out;
    for (const auto& exchange : recorded_exchanges) {
        const std::string name = exchange.name;
        const auto colon = name.find(": ");
        out[name.substr(colon + 2)][name.substr(0, colon)] = &exchange;
    }
    return out;
}

// Whose words differ from one connection to the next.
bool varies(const std::string& name)
{
    return name == "statistics" || name == "process info" || name.starts_with("prepare") ||
           name == "track";
}

void compare(const std::string& from, const std::string& to)
{
    std::mt19937 random(3);
    std::size_t compared = 0;
    for (const auto& [name, modes] : by_name()) {
        const auto& given = *modes.at(from);
        const auto& wanted = *modes.at(to);
        if (varies(name) || *given.reply == '\0')
            continue;
        for (const unsigned chunk : {1u, 7u, 100000u}) {
            relay one(given.capabilities, wanted.capabilities);
            if (name == "select in transaction")
                one.tracker.set_status(status::autocommit | status::in_transaction);
            one.tracker.sent(owed_for(given));
            const auto reply = wire(given.reply);
            for (std::size_t at = 0; at < reply.size();) {
                const auto size = std::min<std::size_t>(reply.size() - at, random() % chunk + 1);
                one.feed(bytes_view(reply).subspan(at, size));
                at += size;
            }
            std::string expected(wire(wanted.reply).text());
            if (*given.upload) {
                const auto upload = wire(given.upload);
                const auto theirs = wire(wanted.upload);
                EXPECT_EQ(static_cast<std::uint8_t>(
                              mysql::load_header(bytes_view(theirs).data()).sequence -
                              one.converter.shift()),
                          mysql::load_header(bytes_view(upload).data()).sequence)
                    << name;
                for (bytes_view rest = upload; !rest.empty();) {
                    const auto packet = mysql::peek_packet(rest);
                    one.tracker.on_upload(packet.header);
                    rest = rest.subspan(packet.wire_size());
                }
                one.feed(wire(given.upload_reply));
                expected += wire(wanted.upload_reply).text();
            }
            EXPECT_FALSE(one.broken) << name;
            EXPECT_TRUE(one.tracker.empty()) << name;
            EXPECT_EQ(one.converter.next_sequence(), last_number(one.client) + 1) << name;
            EXPECT_EQ(packets_of(one.client, wanted.capabilities),
                      packets_of(expected, wanted.capabilities))
                << from << " to " << to << ": " << name;
            ++compared;
        }
    }
    EXPECT_GT(compared, 100u);
}

TEST(MysqlConverter, ModernBackendForLegacyClient)
{
    compare("modern", "legacy");
}
TEST(MysqlConverter, ModernBackendForClientWithoutTracking)
{
    compare("modern", "eofless");
}
TEST(MysqlConverter, EoflessBackendForLegacyClient)
{
    compare("eofless", "legacy");
}
TEST(MysqlConverter, LegacyBackendForEoflessClient)
{
    compare("legacy", "eofless");
}
TEST(MysqlConverter, TrackingBackendForLegacyClient)
{
    compare("tracking", "legacy");
}

TEST(MysqlConverter, EqualClientsGetTheSameBytes)
{
    for (const auto& [name, modes] : by_name()) {
        const auto& given = *modes.at("modern");
        if (*given.upload || *given.reply == '\0')
            continue;
        relay one(given.capabilities, given.capabilities);
        one.tracker.sent(owed_for(given));
        one.feed(wire(given.reply));
        EXPECT_EQ(one.client, wire(given.reply).text()) << name;
    }
}

TEST(MysqlConverter, PreparedStatementsEndForLegacyClients)
{
    for (const auto& [name, modes] : by_name()) {
        if (!name.starts_with("prepare "))
            continue;
        const auto& given = *modes.at("modern");
        const auto& wanted = *modes.at("legacy");
        relay one(given.capabilities, wanted.capabilities);
        one.tracker.sent(owed_for(given));
        one.feed(wire(given.reply));
        auto got = packets_of(one.client, 0);
        auto expected = packets_of(wire(wanted.reply).text(), 0);
        ASSERT_EQ(got.size(), expected.size()) << name;
        for (std::size_t i = 1; i < got.size(); ++i)  // the first holds the id
            EXPECT_EQ(got[i], expected[i]) << name;
    }
}

TEST(MysqlConverter, FilterKeepsWhatAClientWouldHear)
{
    const auto reply = wire(
        "300000 01 00 00 00 0240 0000 00 27"
        "00 0d 0a 'autocommit' 01 '1'"
        "00 0a 07 'unknown' 01 '1'"
        "01 03 02 'db'"
        "02 02 01 '1'"
        "05 01 00");
    mysql::track_filter filter;
    filter.everything = false;
    relay usual(modern, modern, filter);
    usual.tracker.sent({});
    usual.feed(reply);
    EXPECT_EQ(usual.client,
              wire("1d0000 01 00 00 00 0240 0000 00 14"
                   "00 0d 0a 'autocommit' 01 '1'"
                   "01 03 02 'db'")
                  .text());
    filter.schema = false;
    filter.variables = "a, b";
    relay nothing(modern, modern, filter);
    nothing.tracker.sent({});
    nothing.feed(reply);
    EXPECT_EQ(nothing.client, wire("070000 01 00 00 00 0200 0000").text());
    filter.variables = " * ";
    filter.state_change = true;
    relay most(modern, modern, filter);
    most.tracker.sent({});
    most.feed(reply);
    EXPECT_EQ(most.client.size(), reply.size() - 5 - 3);
}

// Two hundred and more rows: the number wraps, with the EOF in between.
TEST(MysqlConverter, SequenceWraps)
{
    byte_queue reply;
    std::uint8_t sequence = 1;
    mysql::append_column_count(reply, sequence, 1);
    mysql::append_column(reply, sequence, {});
    for (int i = 0; i < 600; ++i) {
        mysql::packet_writer row(reply, sequence);
        row.lenenc_string("x");
    }
    mysql::append_end_of_rows(reply, sequence, {}, modern);
    relay one(modern, 0);
    one.tracker.sent({});
    one.feed(reply.readable());
    std::uint8_t expected = 1;
    std::size_t packets = 0;
    for (auto rest = as_bytes(one.client); !rest.empty(); ++packets) {
        const auto packet = mysql::peek_packet(rest);
        EXPECT_EQ(packet.header.sequence, expected++);
        rest = rest.subspan(packet.wire_size());
    }
    EXPECT_EQ(packets, 604u);
    EXPECT_TRUE(one.tracker.empty());
}

}  // namespace
