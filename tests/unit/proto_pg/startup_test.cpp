// tests/unit/proto_pg/startup_test.cpp: the untyped first packets.
#include "proto/pg/startup.hpp"

#include <gtest/gtest.h>

#include "proto/core/errc.hpp"
#include "unit/proto_pg/wire.hpp"

namespace sluice::pg {
namespace {

using test::for_every_prefix;
using test::wire;

TEST(PgStartup, ReadsTheStartupMessage)
{
    const auto bytes = wire("00000021 00030000 'user' 00 'alice' 00 'database' 00 'app' 00 00 ff");
    ASSERT_EQ(bytes.size(), 34u);
    const auto found = next_startup(bytes);
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(found->missing, 0u);
    EXPECT_EQ(found->packet.kind, startup_kind::startup_message);
    EXPECT_EQ(found->packet.version, protocol_3_0);
    EXPECT_EQ(found->packet.wire_size, 33u);
    EXPECT_EQ(found->packet.parameters.find("user"), "alice");
    EXPECT_EQ(found->packet.parameters.find("database"), "app");
    EXPECT_FALSE(found->packet.parameters.find("options"));
    auto all = found->packet.parameters;
    EXPECT_EQ(all.next()->name, "user");
    EXPECT_EQ(all.next()->value, "app");
    EXPECT_FALSE(all.next());
    EXPECT_FALSE(needs_negotiation(found->packet));
}

TEST(PgStartup, EveryPrefixAsksForMoreAndNeverFails)
{
    for (const char* notation : {"00000021 00030000 'user' 00 'alice' 00 'database' 00 'app' 00 00",
                                 "00000008 04d2162f",
                                 "00000008 04d21630",
                                 "00000014 04d2162e 00000007 0102030405060708"}) {
        const auto bytes = wire(notation);
        for_every_prefix(bytes, [&](bytes_view prefix) {
            const auto found = next_startup(prefix);
            ASSERT_TRUE(found);
            EXPECT_GT(found->missing, 0u);
            EXPECT_LE(found->missing, bytes.size() - prefix.size());
        });
        const auto whole = next_startup(bytes);
        ASSERT_TRUE(whole);
        EXPECT_EQ(whole->missing, 0u);
        EXPECT_EQ(whole->packet.wire_size, bytes.size());
    }
}

TEST(PgStartup, TheLastOfRepeatedParametersCountsAndValuesMayBeEmpty)
{
    const auto bytes = wire("0000001a 00030000 'user' 00 'a' 00 'user' 00 00 'x' 00 'y' 00 00");
    const auto found = next_startup(bytes);
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(found->packet.parameters.find("user"), "");
    EXPECT_EQ(found->packet.parameters.find("x"), "y");
}

TEST(PgStartup, ReadsRequests)
{
    const auto ssl = next_startup(wire("00000008 04d2162f"));
    ASSERT_TRUE(ssl);
    EXPECT_EQ(ssl->packet.kind, startup_kind::ssl_request);
    const auto gss = next_startup(wire("00000008 04d21630"));
    ASSERT_TRUE(gss);
    EXPECT_EQ(gss->packet.kind, startup_kind::gssenc_request);
    const auto bytes = wire("00000010 04d2162e 00000007 01020304");
    const auto cancel = next_startup(bytes);
    ASSERT_TRUE(cancel);
    EXPECT_EQ(cancel->packet.kind, startup_kind::cancel_request);
    EXPECT_EQ(cancel->packet.cancel_pid, 7u);
    EXPECT_EQ(as_text(cancel->packet.cancel_key), "\1\2\3\4");
}

TEST(PgStartup, LongCancelKeysAreReadUpToTheirLimit)
{
    std::string bytes("\0\0\1\x0c\x04\xd2\x16\x2e\0\0\0\7", 12);
    bytes.append(256, 'k');
    const auto found = next_startup(as_bytes(bytes));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->missing, 0u);
    EXPECT_EQ(found->packet.cancel_key.size(), 256u);
    bytes[3] = '\x0d';
    bytes.push_back('k');
    EXPECT_EQ(next_startup(as_bytes(bytes)).error(), errc::bad_length);
}

TEST(PgStartup, HostilePacketsAreErrors)
{
    struct hostile {
        const char* name;
        const char* bytes;
        errc expected;
    };
    const hostile table[] = {
        {"zeros", "00000000 00000000", errc::bad_length},
        {"length of itself", "00000004", errc::bad_length},
        {"seven", "00000007", errc::bad_length},
        {"no parameters at all", "00000008 00030000", errc::bad_length},
        {"past the limit", "00002715", errc::message_too_large},
        {"two gigabytes", "7fffffff", errc::message_too_large},
        {"four gigabytes", "ffffffff", errc::message_too_large},
        {"HTTP", "'GET / HTTP/1.1'", errc::message_too_large},
        {"TLS without SSLRequest", "16030100 c8010000", errc::message_too_large},
        {"protocol 2", "00000009 00020000 00", errc::bad_message},
        {"protocol 4", "00000009 00040000 00", errc::bad_message},
        {"unknown request", "00000008 04d20001", errc::bad_message},
        {"long SSLRequest", "00000009 04d2162f 00", errc::bad_length},
        {"cancel without key", "0000000c 04d2162e 00000001", errc::bad_length},
        {"cancel with a short key", "0000000f 04d2162e 00000001 010203", errc::bad_length},
        {"name without end", "0000000a 00030000 'us'", errc::truncated_message},
        {"value without end", "0000000d 00030000 'us' 00 'ab'", errc::truncated_message},
        {"no final zero", "0000000e 00030000 'us' 00 'ab' 00", errc::truncated_message},
        {"bytes behind the final zero", "0000000b 00030000 00 0000", errc::trailing_bytes},
    };
    for (const auto& entry : table)
        EXPECT_EQ(next_startup(wire(entry.bytes)).error(), entry.expected) << entry.name;
    EXPECT_EQ(next_startup(wire("00002714"))->missing, 10000u);
}

TEST(PgStartup, NewerMinorsAndUnknownOptionsCallForNegotiation)
{
    const auto newer = wire("0000000e 00030002 'us' 00 'a' 00 00");
    ASSERT_TRUE(next_startup(newer));
    EXPECT_TRUE(needs_negotiation(next_startup(newer)->packet));
    const auto option = wire("00000012 00030000 '_pq_.x' 00 'a' 00 00");
    ASSERT_TRUE(next_startup(option));
    EXPECT_TRUE(needs_negotiation(next_startup(option)->packet));
}

}  // namespace
}  // namespace sluice::pg
