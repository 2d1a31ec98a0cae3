// proto/mysql/messages.hpp: what a server answers: OK, ERR, EOF, column definitions, rows.
//
//   OK     := 0x00|0xfe affected:lenenc insert_id:lenenc status:u16le warnings:u16le
//             [info:lenenc_string [changes:lenenc_string]]
//             info only if it or `changes` is there, changes only if status has 0x4000 and both
//             sides announced SESSION_TRACK
//   ERR    := 0xff number:u16le '#' sqlstate:byte[5] message:byte[]
//   EOF    := 0xfe warnings:u16le status:u16le
//   change := type:u8 data:lenenc_string
//   Column := catalog schema table org_table name org_name (lenenc_strings) 0x0c charset:u16le
//             length:u32le type:u8 flags:u16le decimals:u8 0:u16 [default:lenenc_string]
//
// 0xfe begins an OK (DEPRECATE_EOF: a payload shorter than 16 MiB - 1), an EOF (a payload shorter
// than 9) or a row whose first field has 16 MiB or more.
//
// Layer: proto. Pure functions over payloads (proto/mysql/packet.hpp).
// Lifetime: views point into the payload.
#pragma once

#include <optional>
#include <string_view>

#include "proto/mysql/constants.hpp"
#include "proto/mysql/fields.hpp"
#include "proto/mysql/packet.hpp"

namespace sluice::mysql {

inline constexpr std::byte ok_byte{0x00};
inline constexpr std::byte eof_byte{0xfe};
inline constexpr std::byte err_byte{0xff};
inline constexpr std::byte local_infile_byte{0xfb};

// The session's changes in an OK, one at a time.
class change_list {
public:
    struct change {
        session_track type;
        bytes_view data;
        bytes_view whole;  // as it stands in the list
    };
    change_list() noexcept = default;
    explicit change_list(bytes_view entries) noexcept : rest_(entries) {}
    bool empty() const noexcept { return rest_.empty(); }
    bytes_view bytes() const noexcept { return rest_; }
    // Nothing: no more, or what follows is malformed.
    std::optional<change> next() noexcept;

private:
    bytes_view rest_;
};

struct variable {
    std::string_view name;
    std::string_view value;
};

// From the data of a system_variable change: one, or (some versions of MariaDB) several.
class variable_list {
public:
    explicit variable_list(bytes_view data) noexcept : rest_(data) {}
    std::optional<variable> next() noexcept;

private:
    bytes_view rest_;
};

// The text of a schema, state_change, transaction_* change.
std::string_view change_text(bytes_view data) noexcept;

struct ok_message {
    std::uint64_t affected_rows = 0;
    std::uint64_t insert_id = 0;
    std::uint16_t status = status::autocommit;
    std::uint16_t warnings = 0;
    std::string_view info = {};
    change_list changes = {};
};

struct err_message {
    std::uint16_t number = 0;
    std::string_view sqlstate = "HY000";
    std::string_view text;
};

struct eof_message {
    std::uint16_t warnings = 0;
    std::uint16_t status = status::autocommit;
};

// Behind the first byte, 0x00 or 0xfe. `capabilities`: what both sides announced.
result<ok_message> parse_ok(bytes_view payload, std::uint32_t capabilities) noexcept;
// One without '#' and SQLSTATE, as sent before the handshake is done, gets HY000.
result<err_message> parse_err(bytes_view payload) noexcept;
result<eof_message> parse_eof(bytes_view payload) noexcept;

void append_ok(byte_queue& out,
               std::uint8_t& sequence,
               const ok_message& ok,
               std::uint32_t capabilities,
               std::byte first = ok_byte);
void append_err(byte_queue& out, std::uint8_t& sequence, const err_message& error);
void append_eof(byte_queue& out, std::uint8_t& sequence, const eof_message& eof);

struct column {
    std::string_view catalog = "def";
    std::string_view schema;
    std::string_view table;
    std::string_view org_table;
    std::string_view name;
    std::string_view org_name;
    std::uint16_t collation = collation::utf8mb4_general_ci;
    std::uint32_t length = 0;
    column_type type = column_type::var_string;
    std::uint16_t flags = 0;
    std::uint8_t decimals = 0;
    // COM_FIELD_LIST only; an engaged empty view stands for NULL.
    std::optional<std::string_view> default_value;
};

// `field_list`: in the answer to COM_FIELD_LIST a default follows.
result<column> parse_column(bytes_view payload, bool field_list = false) noexcept;
void append_column(byte_queue& out, std::uint8_t& sequence, const column& of);

// The packet in front of a result set's column definitions.
void append_column_count(byte_queue& out, std::uint8_t& sequence, std::uint64_t count);
// What ends column definitions: an EOF, or nothing with DEPRECATE_EOF.
void append_end_of_columns(byte_queue& out,
                           std::uint8_t& sequence,
                           const eof_message& eof,
                           std::uint32_t capabilities);
// What ends rows: an EOF, or an OK with DEPRECATE_EOF.
void append_end_of_rows(byte_queue& out,
                        std::uint8_t& sequence,
                        const ok_message& ok,
                        std::uint32_t capabilities);

struct prepare_ok {
    std::uint32_t statement = 0;
    std::uint16_t columns = 0;
    std::uint16_t parameters = 0;
    std::uint16_t warnings = 0;
};

result<prepare_ok> parse_prepare_ok(bytes_view payload) noexcept;
void append_prepare_ok(byte_queue& out, std::uint8_t& sequence, const prepare_ok& ok);

}  // namespace sluice::mysql
