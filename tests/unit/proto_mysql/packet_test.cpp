// tests/unit/proto_mysql/packet_test.cpp: framing: prefixes, splitting, joining, hostile lengths.
#include <gtest/gtest.h>

#include "proto/mysql/messages.hpp"
#include "unit/proto_pg/wire.hpp"

namespace {

using namespace sluice;
using namespace sluice::test;

constexpr std::size_t no_limit = 1u << 30;

TEST(MysqlPacket, FindsAPacket)
{
    const auto bytes = wire("020000 05 'ab' 010000 06 'c'");
    const auto found = mysql::next_message(bytes, no_limit);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->missing, 0u);
    EXPECT_EQ(found->found.sequence, 5);
    EXPECT_EQ(found->found.next_sequence, 6);
    EXPECT_TRUE(found->found.single());
    EXPECT_EQ(as_text(found->found.payload()), "ab");
    EXPECT_EQ(found->found.packets.size(), 6u);
}

TEST(MysqlPacket, EveryPrefixAsksForMore)
{
    for_every_prefix(wire("030000 00 0e 'ab'"), [](bytes_view prefix) {
        const auto found = mysql::next_message(prefix, no_limit);
        ASSERT_TRUE(found);
        const std::size_t wanted = prefix.size() < 4 ? 4 : 7;
        EXPECT_EQ(found->missing, wanted - prefix.size());
    });
}

TEST(MysqlPacket, RefusesALengthPastTheLimitAtOnce)
{
    const auto found = mysql::next_message(wire("000100 00"), 255);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error(), errc::message_too_large);
}

TEST(MysqlPacket, SplitsAndJoinsAtSixteenMegabytes)
{
    for (const auto size : {mysql::payload_max - 1,
                            mysql::payload_max,
                            mysql::payload_max + 1,
                            2 * mysql::payload_max}) {
        std::string text(size, 'x');
        for (std::size_t i = 0; i < size; i += 4093)
            text[i] = static_cast<char>(i);
        byte_queue written;
        std::uint8_t sequence = 254;
        {
            mysql::packet_writer packet(written, sequence);
            packet.text(text);
        }
        byte_queue copied;
        std::uint8_t other = 254;
        mysql::append_message(copied, as_bytes(text), other);
        EXPECT_EQ(sequence, other);
        EXPECT_TRUE(as_text(written.readable()) == as_text(copied.readable())) << size;

        const auto found = mysql::next_message(written.readable(), no_limit);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->missing, 0u);
        EXPECT_EQ(found->found.sequence, 254);
        EXPECT_EQ(found->found.next_sequence, sequence);
        EXPECT_EQ(found->found.packets.size(), written.size());
        EXPECT_EQ(found->found.single(), size < mysql::payload_max);
        byte_queue joined;
        mysql::append_payload(joined, found->found);
        EXPECT_TRUE(as_text(joined.readable()) == text) << size;
        // The second packet is missing.
        const auto first = written.readable().first(mysql::header_size + 10);
        EXPECT_GT(mysql::next_message(first, no_limit)->missing, 0u);
        EXPECT_FALSE(mysql::next_message(written.readable(), size - 1));
    }
}

TEST(MysqlPacket, RefusesAContinuationOutOfSequence)
{
    std::string bytes("\xff\xff\xff\x00", 4);
    bytes.resize(4 + mysql::payload_max);
    bytes += std::string("\0\0\0\x02", 4);
    const auto found = mysql::next_message(as_bytes(bytes), no_limit);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error(), errc::bad_message);
}

TEST(MysqlFields, LengthEncodedIntegers)
{
    for (const std::uint64_t value : {0ull,
                                      0xfaull,
                                      0xfbull,
                                      0xffull,
                                      0xffffull,
                                      0x10000ull,
                                      0xffffffull,
                                      0x1000000ull,
                                      ~0ull}) {
        byte_queue out;
        std::uint8_t sequence = 0;
        {
            mysql::packet_writer packet(out, sequence);
            packet.lenenc(value);
        }
        const auto payload = out.readable().subspan(mysql::header_size);
        EXPECT_EQ(payload.size(), mysql::lenenc_size(value));
        mysql::field_reader in(payload);
        EXPECT_EQ(in.lenenc(), value);
        EXPECT_FALSE(in.finish());
        for_every_prefix(payload, [](bytes_view prefix) {
            mysql::field_reader cut(prefix);
            cut.lenenc();
            EXPECT_TRUE(cut.failed());
        });
    }
}

TEST(MysqlFields, HostileLengths)
{
    for (const auto* bytes : {"fb",
                              "ff",
                              "05 'abcd'",
                              "fcffff 'x'",
                              "fdffffff 'x'",
                              "feffffffffffffffff 'x'",
                              "fe0000000001000000 'x'"}) {
        const auto held = wire(bytes);
        mysql::field_reader in{bytes_view(held)};
        EXPECT_TRUE(in.lenenc_bytes().empty());
        EXPECT_TRUE(in.failed()) << bytes;
        EXPECT_EQ(in.u8(), 0) << "after a failure everything reads as zero";
    }
}

}  // namespace
