// tests/unit/proto_mysql/requests_test.cpp: commands: decoded, cut short, rewritten.
#include <gtest/gtest.h>

#include "proto/mysql/packet.hpp"
#include "proto/mysql/requests.hpp"
#include "unit/proto_pg/wire.hpp"

namespace {

using namespace sluice;
using namespace sluice::test;
using mysql::command;

TEST(MysqlRequests, CommandByte)
{
    EXPECT_FALSE(mysql::command_of({}));
    EXPECT_EQ(*mysql::command_of(wire("03 'x'")), command::query);
    EXPECT_EQ(mysql::name_of(command::stmt_bulk_execute), "COM_STMT_BULK_EXECUTE");
    EXPECT_EQ(mysql::name_of(static_cast<command>(0x77)), "unknown command");
}

TEST(MysqlRequests, ExecuteWithTypes)
{
    const auto bytes = wire(
        "17 04000000 01 01000000 0201 01 0300 fe00"
        "0300 0300 0300 0300 0300 0300 0380"
        "07000000 02 'ab'");
    const auto message = mysql::decode_execute(bytes, 9);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->statement, 4u);
    EXPECT_TRUE(message->opens_cursor());
    EXPECT_TRUE(message->has_types);
    EXPECT_EQ(message->types.size(), 18u);
    EXPECT_EQ(as_text(message->values), wire("07000000 02 'ab'").text());
    EXPECT_FALSE(message->is_null(0));
    EXPECT_TRUE(message->is_null(1));
    EXPECT_TRUE(message->is_null(8));
    const auto head = bytes_view(bytes).first(bytes.size() - 7);
    for_every_prefix(head, [](bytes_view cut) { EXPECT_FALSE(mysql::decode_execute(cut, 9)); });
}

TEST(MysqlRequests, HostileExecutes)
{
    EXPECT_FALSE(mysql::decode_execute(wire("17 04000000 00 01000000 00 02 0300"), 1));
    EXPECT_FALSE(mysql::decode_execute(wire("17 04000000 00 01000000 00 01 0300"), 65535));
    EXPECT_FALSE(mysql::decode_execute(wire("17 04000000 00 01000000"), 1));
    EXPECT_TRUE(mysql::decode_execute(wire("17 04000000 00 01000000 01"), 0));
}

TEST(MysqlRequests, StatementIds)
{
    EXPECT_EQ(*mysql::statement_of(wire("19 04000000")), 4u);
    for_every_prefix(wire("19 04000000"),
                     [](bytes_view cut) { EXPECT_FALSE(mysql::statement_of(cut)); });
}

TEST(MysqlRequests, OtherCommands)
{
    const auto long_bytes = wire("18 01000000 0200 'data'");
    const auto long_data = mysql::decode_long_data(long_bytes);
    ASSERT_TRUE(long_data);
    EXPECT_EQ(long_data->parameter, 2);
    EXPECT_EQ(as_text(long_data->data), "data");
    EXPECT_FALSE(mysql::decode_long_data(wire("18 01000000 02")));

    const auto fetch = mysql::decode_fetch(wire("1c 01000000 0a000000"));
    ASSERT_TRUE(fetch);
    EXPECT_EQ(fetch->rows, 10u);
    EXPECT_FALSE(mysql::decode_fetch(wire("1c 01000000 0a0000")));
    EXPECT_FALSE(mysql::decode_fetch(wire("1c 01000000 0a000000 00")));

    const auto fields_bytes = wire("04 't' 00 'a%'");
    const auto fields = mysql::decode_field_list(fields_bytes);
    ASSERT_TRUE(fields);
    EXPECT_EQ(fields->table, "t");
    EXPECT_EQ(fields->wildcard, "a%");
    EXPECT_FALSE(mysql::decode_field_list(wire("04 't'")));

    EXPECT_EQ(*mysql::decode_process_kill(wire("0c 01000000")), 1u);
    EXPECT_FALSE(mysql::decode_process_kill(wire("0c 010000")));
    EXPECT_EQ(*mysql::decode_set_option(wire("1b 0100")), 1);
    EXPECT_FALSE(mysql::decode_set_option(wire("1b 01")));
    EXPECT_EQ(mysql::text_of(wire("02")), "");
}

TEST(MysqlRequests, OwnCommands)
{
    byte_queue out;
    mysql::append_command(out, command::ping);
    mysql::append_query(out, "DO 1");
    mysql::append_id_command(out, command::stmt_close, 7);
    EXPECT_EQ(as_text(out.readable()),
              wire("010000 00 0e 050000 00 03 'DO 1' 050000 00 19 07000000").text());
}

}  // namespace
