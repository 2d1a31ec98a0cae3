// tests/unit/proto_pg/frame_test.cpp: framing: prefixes, limits, hostile lengths.
#include "proto/pg/frame.hpp"

#include <gtest/gtest.h>

#include "proto/core/errc.hpp"
#include "unit/proto_pg/wire.hpp"

namespace sluice::pg {
namespace {

using test::for_every_prefix;
using test::wire;

constexpr std::size_t limit = 1000;

TEST(PgFrame, FindsTheFirstMessageAndNoMore)
{
    const auto bytes = wire("51 0000000d 'SELECT 1' 00 58 00000004");
    const auto found = next_frame(bytes, limit);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->missing, 0u);
    EXPECT_EQ(found->message.type, 'Q');
    EXPECT_EQ(as_text(found->message.body), std::string_view("SELECT 1\0", 9));
    EXPECT_EQ(found->message.wire_size(), 14u);
}

TEST(PgFrame, AnEmptyBodyIsAMessage)
{
    const auto bytes = wire("53 00000004");
    const auto found = next_frame(bytes, 0);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->missing, 0u);
    EXPECT_TRUE(found->message.body.empty());
}

TEST(PgFrame, EveryPrefixAsksForMoreAndNeverFails)
{
    const auto bytes = wire("50 00000010 's1' 00 'SELECT' 00 0000");
    ASSERT_EQ(bytes.size(), 17u);
    for_every_prefix(bytes, [&](bytes_view prefix) {
        const auto found = next_frame(prefix, limit);
        ASSERT_TRUE(found);
        EXPECT_GT(found->missing, 0u);
        EXPECT_LE(found->missing, bytes.size() - prefix.size());
    });
}

TEST(PgFrame, HostileLengthsAreErrorsAsSoonAsTheHeaderIsThere)
{
    struct hostile {
        const char* name;
        const char* bytes;
        errc expected;
    };
    const hostile table[] = {
        {"zero", "51 00000000", errc::bad_length},
        {"smaller than itself", "51 00000003", errc::bad_length},
        {"one past the limit", "51 000003ed", errc::message_too_large},
        {"two gigabytes", "51 7fffffff", errc::message_too_large},
        {"negative", "51 80000000", errc::message_too_large},
        {"four gigabytes", "51 ffffffff", errc::message_too_large},
    };
    for (const auto& entry : table) {
        const auto bytes = wire(entry.bytes);
        EXPECT_EQ(next_frame(bytes, limit).error(), entry.expected) << entry.name;
    }
    const auto largest = next_frame(wire("51 000003ec"), limit);
    ASSERT_TRUE(largest);
    EXPECT_EQ(largest->missing, limit);
}

}  // namespace
}  // namespace sluice::pg
