// proto/mysql/values.hpp: MySQL's values in text and binary form, out of and into the five classes
// that SQLite stores.
//
//   text row    := (NULL 0xfb | value:lenenc_string)*
//   binary row  := 0x00 null_bitmap (value)*                        NULLs have no bytes
//   value       := integers:le float:le double:le
//                  | date 0|4|7|11 | time 0|8|12 | everything else:lenenc_string
//
// A value that is not one of its promised type is refused, never sent as something else.
//
// Layer: proto. Pure.
#pragma once

#include <optional>

#include "proto/core/byte_queue.hpp"
#include "proto/mysql/constants.hpp"
#include "proto/mysql/fields.hpp"
#include "proto/pg/values.hpp"

namespace sluice::mysql {

using pg::bound_value;   // owned: what a statement's parameters are bound to
using pg::conversion;    // why a value could not be converted
using pg::stored_value;  // as SQLite hands it out; views live as long as the row

enum class row_format : std::uint8_t { text, binary };

inline constexpr std::uint8_t any_decimals = 31;  // a floating or unknown number of digits

// What a column promises about its values.
struct value_shape {
    column_type type = column_type::var_string;
    bool is_unsigned = false;
    bool binary = false;  // bytes, not characters
    std::uint8_t decimals = 0;
    std::uint32_t length = 0;  // to be shown, in characters (bytes if binary)
};

// Appends the value with its length where the format has one. NULL is the caller's. On failure what
// was appended has to be taken back by the caller.
[[nodiscard]] conversion append_value(byte_queue& out,
                                      const stored_value& value,
                                      const value_shape& shape,
                                      row_format format);

// MySQL's lenenc_string.
void append_lenenc_string(byte_queue& out, bytes_view bytes);

// One parameter of COM_STMT_EXECUTE that is not NULL. A cursor that ran out of bytes has failed.
[[nodiscard]] conversion read_parameter(field_reader& in,
                                        column_type type,
                                        bool is_unsigned,
                                        bound_value& out);

// A parameter that came by COM_STMT_SEND_LONG_DATA.
bound_value read_long_data(bytes_view data, column_type type);

// MySQL's TIME: "[-]HHH:MM[:SS[.ffffff]]", up to 838 hours; nullopt: no such time.
std::optional<std::int64_t> parse_duration(std::string_view text) noexcept;  // microseconds

}  // namespace sluice::mysql
