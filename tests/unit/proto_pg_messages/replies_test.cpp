// tests/unit/proto_pg_messages/replies_test.cpp: replies byte for byte.
#include "proto/pg/replies.hpp"

#include <gtest/gtest.h>

#include "unit/proto_pg/wire.hpp"

namespace sluice::pg {
namespace {

using test::wire;

std::string_view text(const byte_queue& out)
{
    return as_text(out.readable());
}

TEST(PgReplies, RowDescription)
{
    byte_queue out;
    column_description column;
    column.name = "id";
    column.type = 20;
    column.size = 8;
    column.format = 1;
    append_row_description(out, std::span(&column, 1));
    EXPECT_EQ(text(out),
              wire("'T' 0000001b 0001 'id' 00 00000000 0000 00000014 0008 ffffffff 0001").text());
}

TEST(PgReplies, DataRowWithNullAndEmpty)
{
    byte_queue out;
    {
        data_row row(out, 3);
        row.begin_field();
        out.append("ab");
        row.end_field();
        row.null();
        row.begin_field();
        row.end_field();
        row.end();
    }
    EXPECT_EQ(text(out), wire("'D' 00000014 0003 00000002 'ab' ffffffff 00000000").text());
}

TEST(PgReplies, RowThatIsNotEndedIsTakenBack)
{
    byte_queue out;
    append_no_data(out);
    {
        data_row row(out, 1);
        row.begin_field();
        out.append("half");
    }
    EXPECT_EQ(text(out), wire("'n' 00000004").text());
}

TEST(PgReplies, TagsWithCounts)
{
    byte_queue out;
    append_command_complete(out, "INSERT 0", 12);
    append_command_complete(out, "BEGIN");
    EXPECT_EQ(text(out), wire("'C' 00000010 'INSERT 0 12' 00 'C' 0000000a 'BEGIN' 00").text());
}

TEST(PgReplies, BareMessages)
{
    byte_queue out;
    append_parse_complete(out);
    append_bind_complete(out);
    append_close_complete(out);
    append_empty_query(out);
    append_portal_suspended(out);
    append_copy_done(out);
    EXPECT_EQ(text(out),
              wire("'1' 00000004 '2' 00000004 '3' 00000004 'I' 00000004 's' 00000004 'c' 00000004")
                  .text());
}

TEST(PgReplies, CopyAndParameters)
{
    byte_queue out;
    append_copy_in(out, 2, false);
    append_copy_out(out, 1, true);
    append_copy_data(out, as_bytes("x\n"));
    const std::uint32_t types[] = {25, 20};
    append_parameter_description(out, types);
    EXPECT_EQ(text(out),
              wire("'G' 0000000b 00 0002 0000 0000 'H' 00000009 01 0001 0001"
                   "'d' 00000006 'x' 0a 't' 0000000e 0002 00000019 00000014")
                  .text());
}

}  // namespace
}  // namespace sluice::pg
