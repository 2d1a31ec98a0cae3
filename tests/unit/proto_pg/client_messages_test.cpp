// What a client's messages are, by their type.
#include "proto/pg/client_messages.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace sluice::pg {
namespace {

TEST(PgClientMessages, EveryTypeByteIsOneKind)
{
    const auto kind_in_table = [](char type) {
        if (std::string_view("QPBDCEF").find(type) != std::string_view::npos)
            return client_message::request;
        if (std::string_view("dcfH").find(type) != std::string_view::npos)
            return client_message::unanswered;
        return type == 'S'   ? client_message::sync
               : type == 'X' ? client_message::terminate
                             : client_message::unknown;
    };
    for (int byte = -128; byte < 128; ++byte)
        EXPECT_EQ(kind_of(static_cast<char>(byte)), kind_in_table(static_cast<char>(byte))) << byte;
    // Of the login, and the server's.
    for (const char type : {'p', 'R', 'Z', 'T', '1', '\0'})
        EXPECT_EQ(kind_of(type), client_message::unknown) << type;
}

}  // namespace
}  // namespace sluice::pg
