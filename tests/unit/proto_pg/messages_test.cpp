// tests/unit/proto_pg/messages_test.cpp: the gateway's own messages, byte for byte.
#include "proto/pg/messages.hpp"

#include <gtest/gtest.h>

#include <array>

#include "proto/core/errc.hpp"
#include "proto/pg/frame.hpp"
#include "unit/proto_pg/wire.hpp"

namespace sluice::pg {
namespace {

using test::for_every_prefix;
using test::wire;

std::string_view text(const byte_queue& out)
{
    return as_text(out.readable());
}

TEST(PgMessages, AuthenticationRequests)
{
    byte_queue out;
    append_authentication_ok(out);
    append_authentication_cleartext(out);
    append_authentication_md5(out, wire("01020304"));
    const std::array<std::string_view, 2> mechanisms{"A", "B"};
    append_authentication_sasl(out, mechanisms);
    append_authentication_sasl_continue(out, "r=x");
    append_authentication_sasl_final(out, "v=y");
    const auto expected = wire(
        "52 00000008 00000000  52 00000008 00000003  52 0000000c 00000005 01020304"
        "52 0000000d 0000000a 'A' 00 'B' 00 00"
        "52 0000000b 0000000b 'r=x'  52 0000000b 0000000c 'v=y'");
    EXPECT_EQ(text(out), expected.text());
}

TEST(PgMessages, WhatFollowsAuthentication)
{
    byte_queue out;
    append_parameter_status(out, "a", "b");
    append_backend_key_data(out, 7, wire("01020304"));
    append_ready_for_query(out, transaction_status::idle);
    append_ready_for_query(out, transaction_status::failed);
    const std::array<std::string_view, 1> unknown{"_pq_.x"};
    append_negotiate_protocol_version(out, 196608, unknown);
    const auto expected = wire(
        "53 00000008 'a' 00 'b' 00  4b 0000000c 00000007 01020304"
        "5a 00000005 'I'  5a 00000005 'E'"
        "76 00000013 00030000 00000001 '_pq_.x' 00");
    EXPECT_EQ(text(out), expected.text());
}

TEST(PgMessages, AnErrorCarriesItsSeverityTwice)
{
    byte_queue out;
    append_error(out, {.severity = "FATAL", .sqlstate = "28P01", .message = "no"});
    EXPECT_EQ(text(out),
              wire("45 0000001e 'SFATAL' 00 'VFATAL' 00 'C28P01' 00 'Mno' 00 00").text());
    byte_queue notice;
    append_notice(notice, {.severity = "NOTICE", .sqlstate = "00000", .message = "m"});
    EXPECT_EQ(text(notice).front(), 'N');
}

TEST(PgMessages, AZeroByteInAValueCannotShiftTheFields)
{
    byte_queue out;
    append_error(out, {.sqlstate = "XX000", .message = std::string_view("a\0Cb", 4)});
    const auto found = next_frame(out.readable(), 1000);
    ASSERT_TRUE(found);
    const auto fields = parse_error_fields(found->message.body);
    ASSERT_TRUE(fields);
    EXPECT_EQ(fields->message, "a");
    EXPECT_EQ(fields->sqlstate, "XX000");
}

TEST(PgMessages, ErrorFieldsSurviveTheirJourney)
{
    const error_fields sent{.severity = "ERROR",
                            .sqlstate = "23505",
                            .message = "duplicate",
                            .detail = "d",
                            .hint = "h",
                            .position = 4294967295u,
                            .internal_position = 1,
                            .internal_query = "q",
                            .where = "w",
                            .schema = "s",
                            .table = "t",
                            .column = "c",
                            .data_type = "dt",
                            .constraint = "n",
                            .file = "f",
                            .line = "12",
                            .routine = "r"};
    byte_queue out;
    append_error(out, sent);
    const auto read = parse_error_fields(out.readable().subspan(header_size));
    ASSERT_TRUE(read);
    byte_queue again;
    append_error(again, *read);
    EXPECT_EQ(text(again), text(out));
    EXPECT_EQ(read->position, 4294967295u);
}

TEST(PgMessages, ErrorFieldsFromAServer)
{
    const auto body = wire("'SFEHLER' 00 'VERROR' 00 'C42P01' 00 'Mx' 00 'Znew' 00 'P8' 00 00");
    const auto fields = parse_error_fields(body);
    ASSERT_TRUE(fields);
    EXPECT_EQ(fields->severity, "ERROR");
    EXPECT_EQ(fields->sqlstate, "42P01");
    EXPECT_EQ(fields->position, 8u);
    for_every_prefix(body, [](bytes_view prefix) {
        EXPECT_EQ(parse_error_fields(prefix).error(), errc::truncated_message);
    });
    EXPECT_EQ(parse_error_fields(wire("00 00")).error(), errc::trailing_bytes);
    const auto old = wire("'SERROR' 00 'Pnonsense' 00 00");
    ASSERT_TRUE(parse_error_fields(old));
    EXPECT_EQ(parse_error_fields(old)->severity, "ERROR");
    EXPECT_EQ(parse_error_fields(old)->position, 0u);
}

}  // namespace
}  // namespace sluice::pg
