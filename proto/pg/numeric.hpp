// proto/pg/numeric.hpp: decimal numbers as text and in PostgreSQL's binary form.
//
//   numeric := count:u16be weight:i16be sign:u16be scale:u16be digit:u16be[count]
//              digit: 0..9999, the first stands for digit * 10000^weight
//              sign: 0 positive, 0x4000 negative, 0xc000 NaN, 0xd000 Infinity, 0xf000 -Infinity
//
// Layer: proto.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/core/byte_queue.hpp"

namespace sluice::pg {

// Sign, digits, point, exponent; or NaN, Infinity, -Infinity. False: not a number, or past the
// range of PostgreSQL's numeric (131072 digits before the point, 16383 behind it). Nothing is
// appended then. At least `scale` digits are shown behind the point; none is rounded off.
[[nodiscard]] bool append_numeric_text(byte_queue& out, std::string_view decimal, int scale = 0);
[[nodiscard]] bool append_numeric_binary(byte_queue& out, std::string_view decimal, int scale = 0);

// Plain digits without an exponent, e.g. "-12.30". nullopt: malformed.
std::optional<std::string> numeric_from_binary(bytes_view bytes);
std::optional<std::string> numeric_from_text(std::string_view text);

}  // namespace sluice::pg
