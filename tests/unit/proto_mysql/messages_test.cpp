// tests/unit/proto_mysql/messages_test.cpp: OK, ERR, EOF, columns: read, written, cut short.
#include <gtest/gtest.h>

#include "proto/mysql/messages.hpp"
#include "unit/proto_pg/wire.hpp"

namespace {

using namespace sluice;
using namespace sluice::test;

constexpr auto tracking = mysql::capability::session_track;

bytes_view payload_of(const byte_queue& out)
{
    return out.readable().subspan(mysql::header_size);
}

TEST(MysqlMessages, OkWithChanges)
{
    // SET NAMES of MariaDB 10.11, shortened.
    const auto bytes = wire(
        "00 00 00 0240 0000 00 1c"
        "00 0e 04 'name' 08 'a value!'"
        "01 03 02 'db'"
        "02 02 01 '1'"
        "05 01 00");
    const auto ok = mysql::parse_ok(bytes, tracking);
    ASSERT_TRUE(ok);
    EXPECT_EQ(ok->status, 0x4002);
    auto changes = ok->changes;
    const auto first = changes.next();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->type, mysql::session_track::system_variable);
    mysql::variable_list variables(first->data);
    const auto one = variables.next();
    ASSERT_TRUE(one);
    EXPECT_EQ(one->name, "name");
    EXPECT_EQ(one->value, "a value!");
    EXPECT_FALSE(variables.next());
    const auto second = changes.next();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->type, mysql::session_track::schema);
    EXPECT_EQ(mysql::change_text(second->data), "db");
    EXPECT_EQ(mysql::change_text(changes.next()->data), "1");
    EXPECT_EQ(mysql::change_text(changes.next()->data), "");
    EXPECT_FALSE(changes.next());

    byte_queue out;
    std::uint8_t sequence = 1;
    mysql::append_ok(out, sequence, *ok, tracking);
    EXPECT_EQ(sequence, 2);
    EXPECT_EQ(as_text(payload_of(out)), bytes.text());
    for_every_prefix(bytes, [](bytes_view prefix) {
        const auto cut = mysql::parse_ok(prefix, tracking);
        EXPECT_TRUE(!cut || cut->changes.empty());
    });
}

TEST(MysqlMessages, OkWithoutTracking)
{
    const auto plain = wire("00 02 fcffff 0200 0100");
    const auto ok = mysql::parse_ok(plain, 0);
    ASSERT_TRUE(ok);
    EXPECT_EQ(ok->affected_rows, 2u);
    EXPECT_EQ(ok->insert_id, 0xffffu);
    EXPECT_EQ(ok->warnings, 1);
    EXPECT_TRUE(ok->info.empty());
    const auto info = wire("fe 00 00 0200 0000 03 'abc'");
    const auto with_info = mysql::parse_ok(info, tracking);
    ASSERT_TRUE(with_info);
    EXPECT_EQ(with_info->info, "abc");
    byte_queue out;
    std::uint8_t sequence = 0;
    mysql::append_ok(out, sequence, *with_info, 0, mysql::eof_byte);
    EXPECT_EQ(as_text(payload_of(out)), info.text());
}

TEST(MysqlMessages, MalformedChangesEndTheList)
{
    const auto cut = wire("00 05 04 'ab'");
    mysql::change_list changes{bytes_view(cut)};
    EXPECT_FALSE(changes.next());
    EXPECT_FALSE(changes.next());
    const auto held = wire("04 'name' 09 'x'");
    mysql::variable_list variables{bytes_view(held)};
    EXPECT_FALSE(variables.next());
}

TEST(MysqlMessages, Errors)
{
    const auto bytes = wire("ff 7a04 '#42S02' 'no such table'");
    const auto error = mysql::parse_err(bytes);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->number, 1146);
    EXPECT_EQ(error->sqlstate, "42S02");
    EXPECT_EQ(error->text, "no such table");
    const auto too_many = wire("ff 1004 'Too many connections'");
    const auto early = mysql::parse_err(too_many);
    ASSERT_TRUE(early);
    EXPECT_EQ(early->number, 1040);
    EXPECT_EQ(early->text, "Too many connections");
    EXPECT_FALSE(mysql::parse_err(wire("ff 10")));
    EXPECT_FALSE(mysql::parse_err(wire("ff 1004 '#42'")));
    byte_queue out;
    std::uint8_t sequence = 0;
    mysql::append_err(out, sequence, {1040, "bad", "x"});
    EXPECT_EQ(as_text(payload_of(out)), wire("ff 1004 '#HY000x'").text());
}

TEST(MysqlMessages, Columns)
{
    mysql::column of;
    of.schema = "d";
    of.table = "t";
    of.org_table = "tt";
    of.name = "n";
    of.org_name = "nn";
    of.length = 44;
    of.type = mysql::column_type::longlong;
    of.flags = mysql::column_flag::not_null;
    of.decimals = 3;
    for (const auto& value : {std::optional<std::string_view>(),
                              std::optional<std::string_view>(std::string_view()),
                              std::optional<std::string_view>(""),
                              std::optional<std::string_view>("7")}) {
        of.default_value = value;
        byte_queue out;
        std::uint8_t sequence = 0;
        mysql::append_column(out, sequence, of);
        const auto again = mysql::parse_column(payload_of(out), true);
        ASSERT_TRUE(again);
        EXPECT_EQ(again->default_value, value);
        EXPECT_EQ(again->name, "n");
        EXPECT_EQ(again->type, of.type);
        EXPECT_EQ(again->length, 44u);
        EXPECT_EQ(again->decimals, 3);
        if (!value)
            for_every_prefix(payload_of(out),
                             [](bytes_view cut) { EXPECT_FALSE(mysql::parse_column(cut)); });
    }
}

TEST(MysqlMessages, EndsByCapability)
{
    byte_queue out;
    std::uint8_t sequence = 7;
    mysql::append_end_of_columns(out, sequence, {}, mysql::capability::deprecate_eof);
    EXPECT_TRUE(out.empty());
    mysql::append_end_of_columns(out, sequence, {}, 0);
    mysql::append_end_of_rows(out, sequence, {.warnings = 2}, 0);
    mysql::append_end_of_rows(out, sequence, {.warnings = 2}, mysql::capability::deprecate_eof);
    EXPECT_EQ(as_text(out.readable()),
              wire("050000 07 fe 0000 0200"
                   "050000 08 fe 0200 0200"
                   "070000 09 fe 00 00 0200 0200")
                  .text());
    EXPECT_TRUE(mysql::parse_eof(wire("fe 0000 0200")));
    EXPECT_FALSE(mysql::parse_eof(wire("fe 0000 02")));
    EXPECT_FALSE(mysql::parse_eof(wire("fe 0000 0200 00")));
}

TEST(MysqlMessages, PrepareOk)
{
    const auto bytes = wire("00 01000000 0200 0300 00 0400");
    const auto ok = mysql::parse_prepare_ok(bytes);
    ASSERT_TRUE(ok);
    EXPECT_EQ(ok->statement, 1u);
    EXPECT_EQ(ok->columns, 2);
    EXPECT_EQ(ok->parameters, 3);
    EXPECT_EQ(ok->warnings, 4);
    byte_queue out;
    std::uint8_t sequence = 1;
    mysql::append_prepare_ok(out, sequence, *ok);
    EXPECT_EQ(as_text(payload_of(out)), bytes.text());
    for_every_prefix(bytes, [](bytes_view cut) { EXPECT_FALSE(mysql::parse_prepare_ok(cut)); });
}

}  // namespace
