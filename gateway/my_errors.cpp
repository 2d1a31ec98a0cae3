// gateway/my_errors.cpp: errors of the table (gateway/errors.hpp) as MySQL packets.
#include "gateway/my_errors.hpp"

#include <string>

namespace sluice::gateway {
namespace {

// MYSQL_ERRMSG_SIZE of libmysqlclient, with its zero: what is longer no client shows.
constexpr std::size_t message_max = 511;

}  // namespace

void append_my_error(byte_queue& out,
                     std::uint8_t sequence,
                     client_error code,
                     std::string_view message,
                     std::string_view hint)
{
    const error_rule& rule = rule_for(code);
    std::string text(message.empty() ? rule.message : message);
    if (const auto more = hint.empty() && message.empty() ? rule.hint : hint; !more.empty())
        text.append(". ").append(more);
    if (text.size() > message_max) {
        std::size_t end = message_max;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
            --end;  // no half of a UTF-8 character
        text.resize(end);
    }
    // ERR_Packet: 0xff, errno, '#', SQLSTATE, message.
    const auto size = static_cast<std::uint32_t>(1 + 2 + 1 + 5 + text.size());
    out.append_le(size | std::uint32_t{sequence} << 24);
    out.append_byte('\xff');
    out.append_le(rule.mysql_errno);
    out.append_byte('#');
    out.append(rule.mysql_sqlstate);
    out.append(text);
}

}  // namespace sluice::gateway
