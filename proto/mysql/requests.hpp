// proto/mysql/requests.hpp: what a MySQL client asks after login, decoded to views, and the few
// commands that the gateway sends itself.
//
//   COM_INIT_DB              := 0x02 schema:byte[]
//   COM_QUERY                := 0x03 text:byte[]
//   COM_FIELD_LIST           := 0x04 table:cstring wildcard:byte[]
//   COM_PROCESS_KILL         := 0x0c connection:u32le
//   COM_STMT_PREPARE         := 0x16 text:byte[]
//   COM_STMT_EXECUTE         := 0x17 statement:u32le flags:u8 iterations:u32le
//                               [nulls:byte[(n + 7) / 8] new:u8 [(type:u8 unsigned:u8)[n]]
//                                values:byte[]]              with n parameters; types if new is 1
//   COM_STMT_SEND_LONG_DATA  := 0x18 statement:u32le parameter:u16le data:byte[]
//   COM_STMT_CLOSE           := 0x19 statement:u32le
//   COM_STMT_RESET           := 0x1a statement:u32le
//   COM_SET_OPTION           := 0x1b option:u16le
//   COM_STMT_FETCH           := 0x1c statement:u32le rows:u32le
//
// COM_CHANGE_USER belongs to the login: proto/mysql/login.hpp. COM_STMT_BULK_EXECUTE, replication
// and the rest are not offered.
//
// Layer: proto. Pure functions over a message's payload (proto/mysql/packet.hpp). Of a message of
// several packets the first one's payload is enough: what lies behind it is data.
// Lifetime: views point into the payload.
#pragma once

#include <optional>
#include <string_view>

#include "proto/core/byte_queue.hpp"
#include "proto/core/result.hpp"
#include "proto/mysql/constants.hpp"

namespace sluice::mysql {

// bad_length: an empty message holds no command.
result<command> command_of(bytes_view payload) noexcept;

// "COM_QUERY"; "unknown command" for what has no name.
std::string_view name_of(command what) noexcept;

// COM_QUERY, COM_STMT_PREPARE, COM_INIT_DB: what follows the command byte.
inline std::string_view text_of(bytes_view payload) noexcept
{
    return as_text(payload.subspan(1));
}

// Of the COM_STMT_* commands but PREPARE.
result<std::uint32_t> statement_of(bytes_view payload) noexcept;

// Types as in COM_STMT_EXECUTE, two bytes each: to be remembered by who rewrites.
struct execute_request {
    std::uint32_t statement = 0;
    std::uint8_t flags = 0;  // cursor_type
    std::uint32_t iterations = 1;
    bytes_view nulls;
    bool has_types = false;
    bytes_view types;
    bytes_view values;

    bool opens_cursor() const noexcept
    {
        return (flags & ~cursor_type::parameter_count_available) != 0;
    }
    bool is_null(std::size_t parameter) const noexcept
    {
        return (std::to_integer<unsigned>(nulls[parameter / 8]) >> (parameter % 8)) & 1u;
    }
};

// `parameters`: as the server's prepare-OK said. Values are not looked at.
result<execute_request> decode_execute(bytes_view payload, std::size_t parameters) noexcept;

struct long_data_request {
    std::uint32_t statement = 0;
    std::uint16_t parameter = 0;
    bytes_view data;
};

struct fetch_request {
    std::uint32_t statement = 0;
    std::uint32_t rows = 0;
};

struct field_list_request {
    std::string_view table;
    std::string_view wildcard;
};

result<long_data_request> decode_long_data(bytes_view payload) noexcept;
result<fetch_request> decode_fetch(bytes_view payload) noexcept;
result<field_list_request> decode_field_list(bytes_view payload) noexcept;
result<std::uint32_t> decode_process_kill(bytes_view payload) noexcept;
result<std::uint16_t> decode_set_option(bytes_view payload) noexcept;

// Commands of the gateway's own, each with sequence 0.
void append_command(byte_queue& out, command what);
void append_text_command(byte_queue& out, command what, std::string_view text);
inline void append_query(byte_queue& out, std::string_view text)
{
    append_text_command(out, command::query, text);
}
// CLOSE, RESET, PROCESS_KILL.
void append_id_command(byte_queue& out, command what, std::uint32_t id);

}  // namespace sluice::mysql
