// tests/unit/gateway_errors/my_errors_test.cpp: the table's errors as MySQL packets.
#include "gateway/my_errors.hpp"

#include <gtest/gtest.h>

#include <string>

#include "proto/mysql/messages.hpp"

namespace sluice::gateway {
namespace {

struct said {
    mysql::packet_header header;
    std::uint16_t number = 0;
    std::string sqlstate;
    std::string text;
};

said say(std::uint8_t sequence,
         client_error code,
         std::string_view message = {},
         std::string_view hint = {})
{
    byte_queue out;
    append_my_error(out, sequence, code, message, hint);
    const auto packet = mysql::peek_packet(out.readable());
    EXPECT_EQ(packet.missing, 0u);
    EXPECT_EQ(packet.wire_size(), out.size());
    const auto error = mysql::parse_err(packet.payload);
    EXPECT_TRUE(error);
    return {packet.header, error->number, std::string(error->sqlstate), std::string(error->text)};
}

TEST(MyErrors, HaveNumberStateMessageAndHint)
{
    const auto table = say(0, client_error::too_many_clients);
    EXPECT_EQ(table.header.sequence, 0);
    EXPECT_EQ(table.number, 1040);
    EXPECT_EQ(table.sqlstate, "08004");
    EXPECT_EQ(table.text.find("too many clients. Close"), 0u) << table.text;
    const auto own = say(3, client_error::queue_full, "a queue is full", "raise it");
    EXPECT_EQ(own.header.sequence, 3);
    EXPECT_EQ(own.number, 1226);
    EXPECT_EQ(own.text, "a queue is full. raise it");
    EXPECT_EQ(say(1, client_error::queue_full, "a queue is full").text, "a queue is full")
        << "the table's hint may not fit another message";
}

TEST(MyErrors, AreCutWhereClientsWouldAndNotInsideACharacter)
{
    EXPECT_EQ(say(1, client_error::internal, std::string(600, 'x')).text.size(), 511u);
    std::string umlauts = "x";
    while (umlauts.size() < 600)
        umlauts += "\xc3\xa4";
    const auto cut = say(1, client_error::internal, umlauts).text;
    EXPECT_EQ(cut.size(), 511u);
    EXPECT_EQ(cut.back(), '\xa4');
    const auto shifted = say(1, client_error::internal, "y" + umlauts).text;
    EXPECT_EQ(shifted.size(), 510u);
    EXPECT_EQ(shifted.back(), '\xa4');
}

}  // namespace
}  // namespace sluice::gateway
