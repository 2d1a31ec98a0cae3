// tests/unit/proto_pg_messages/requests_test.cpp: requests of clients, whole, cut short and
// hostile.
#include "proto/pg/requests.hpp"

#include <gtest/gtest.h>

#include "proto/core/errc.hpp"
#include "unit/proto_pg/wire.hpp"

namespace sluice::pg {
namespace {

using test::for_every_prefix;
using test::wire;

TEST(PgRequests, QueryIsOneText)
{
    const auto body = wire("'SELECT 1' 00");
    const auto text = decode_query(body);
    ASSERT_TRUE(text);
    EXPECT_EQ(*text, "SELECT 1");
    EXPECT_EQ(decode_query(wire("'SELECT 1' 00 00")).error(), errc::trailing_bytes);
}

TEST(PgRequests, ParseCarriesTypes)
{
    const auto body = wire("'s1' 00 'SELECT $1' 00 0002 00000017 00000000");
    const auto request = decode_parse(body);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->statement, "s1");
    EXPECT_EQ(request->text, "SELECT $1");
    ASSERT_EQ(request->types.size(), 2u);
    EXPECT_EQ(request->types[0], 23u);
    EXPECT_EQ(request->types[1], 0u);
}

TEST(PgRequests, BindWalksItsParameters)
{
    const auto body = wire("'p' 00 's' 00 0001 0001 0003 00000002 'ab' ffffffff 00000000 0000");
    const auto request = decode_bind(body);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->portal, "p");
    EXPECT_EQ(request->statement, "s");
    auto parameters = request->parameters;
    ASSERT_EQ(parameters.left(), 3u);
    EXPECT_EQ(as_text(*parameters.next()), "ab");
    EXPECT_FALSE(parameters.next());
    EXPECT_EQ(parameters.next()->size(), 0u);
    EXPECT_EQ(parameters.left(), 0u);
    EXPECT_EQ(request->parameter_formats[2], 1u);  // one code holds for all
    EXPECT_EQ(request->result_formats[5], 0u);     // none is text
}

TEST(PgRequests, ExecuteTakesANegativeLimitForNone)
{
    EXPECT_EQ(decode_execute(wire("00 00000005"))->max_rows, 5);
    EXPECT_EQ(decode_execute(wire("00 ffffffff"))->max_rows, 0);
}

TEST(PgRequests, DescribeAndCloseNameAKind)
{
    const auto bytes = wire("'Pc1' 00");
    const auto request = decode_named(bytes);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->what, target::portal);
    EXPECT_EQ(request->name, "c1");
    EXPECT_EQ(decode_named(wire("'Qc1' 00")).error(), errc::bad_message);
}

TEST(PgRequests, FunctionCallIsRead)
{
    const auto bytes = wire("0000002a 0000 0001 00000001 'x' 0001");
    const auto call = decode_function_call(bytes);
    ASSERT_TRUE(call);
    EXPECT_EQ(call->function, 42u);
    EXPECT_EQ(call->arguments.left(), 1u);
    EXPECT_EQ(call->result_format, 1u);
}

TEST(PgRequests, EveryPrefixIsTruncated)
{
    for_every_prefix(wire("'SELECT 1' 00"), [](bytes_view part) {
        EXPECT_EQ(decode_query(part).error(), errc::truncated_message);
    });
    for_every_prefix(wire("'s' 00 'q' 00 0001 00000017"), [](bytes_view part) {
        EXPECT_EQ(decode_parse(part).error(), errc::truncated_message);
    });
    for_every_prefix(
        wire("00 00 0002 0000 0001 0002 00000001 'a' ffffffff 0001 0001"),
        [](bytes_view part) { EXPECT_EQ(decode_bind(part).error(), errc::truncated_message); });
    for_every_prefix(wire("'Sabc' 00"), [](bytes_view part) {
        EXPECT_EQ(decode_named(part).error(), errc::truncated_message);
    });
    for_every_prefix(wire("'p' 00 00000001"), [](bytes_view part) {
        EXPECT_EQ(decode_execute(part).error(), errc::truncated_message);
    });
    for_every_prefix(wire("00000001 0001 0001 0001 00000002 'ab' 0000"), [](bytes_view part) {
        EXPECT_EQ(decode_function_call(part).error(), errc::truncated_message);
    });
    for_every_prefix(wire("'why' 00"), [](bytes_view part) {
        EXPECT_EQ(decode_copy_fail(part).error(), errc::truncated_message);
    });
}

TEST(PgRequests, HostileCountsAndLengths)
{
    // 65535 types that are not there.
    EXPECT_EQ(decode_parse(wire("00 00 ffff")).error(), errc::truncated_message);
    // 65535 parameters, none there.
    EXPECT_EQ(decode_bind(wire("00 00 0000 ffff")).error(), errc::truncated_message);
    // A parameter of two gigabytes; one of length -2.
    EXPECT_EQ(decode_bind(wire("00 00 0000 0001 7fffffff 'a' 0000")).error(),
              errc::truncated_message);
    EXPECT_EQ(decode_bind(wire("00 00 0000 0001 fffffffe 'a' 0000")).error(),
              errc::truncated_message);
    // Two formats for three parameters; a format that does not exist, of each kind.
    EXPECT_EQ(
        decode_bind(wire("00 00 0002 0000 0001 0003 ffffffff ffffffff ffffffff 0000")).error(),
        errc::bad_message);
    EXPECT_EQ(decode_bind(wire("00 00 0001 0002 0000 0000")).error(), errc::bad_message);
    EXPECT_EQ(decode_bind(wire("00 00 0000 0000 0001 0007")).error(), errc::bad_message);
}

}  // namespace
}  // namespace sluice::pg
