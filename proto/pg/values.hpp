// proto/pg/values.hpp: PostgreSQL's values in text and binary form, out of and into the five
// classes that SQLite stores.
//
//   SQLite has            PostgreSQL is promised (the column's declared type)
//   int64, double, text,  bool, int2/4/8, oid, float4/8, numeric, text and its kin, bytea,
//   blob, NULL            date, time, timestamp(tz), uuid, json(b)
//
// A value that is not one of its promised type is refused, never sent as something else. Nothing is
// lost on the way: 1.5 is no bigint, and text with a zero byte or broken UTF-8 is no text.
//
// Layer: proto. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/core/byte_queue.hpp"
#include "proto/pg/oids.hpp"

namespace sluice::pg {

enum class value_format : std::uint16_t { text = 0, binary = 1 };

// Why a value could not be converted.
enum class conversion {
    ok,
    not_of_type,   // 22P02 in text, 22P03 in binary
    out_of_range,  // 22003
    not_a_time,    // 22007
    not_utf8,      // 22021
    unsupported,   // 0A000: a type whose binary form is not known here
};

std::string_view sqlstate_of(conversion failed, value_format format) noexcept;

// A value as SQLite hands it out; views live as long as the row.
using stored_value =
    std::variant<std::monostate, std::int64_t, double, std::string_view, bytes_view>;

// Appends the value's bytes without a length. On failure what was appended has to be taken back by
// the caller. NULL appends nothing: the caller has written it. A numeric shows at least `scale`
// digits behind its point; none is rounded off.
[[nodiscard]] conversion append_value(
    byte_queue& out, const stored_value& value, type_oid type, value_format format, int scale = 0);

// The same five classes, owned: what a statement's parameters are bound to.
using bound_value =
    std::variant<std::monostate, std::int64_t, double, std::string, std::vector<std::byte>>;

// A parameter that is not NULL, as a client of `type` sent it. Types that are not known here are
// taken as text in text format.
[[nodiscard]] conversion read_value(bytes_view sent,
                                    type_oid type,
                                    value_format format,
                                    bound_value& out);

// Shortest digits that read back as the same number; "Infinity", "-Infinity", "NaN".
void append_float8(byte_queue& out, double value);
void append_float4(byte_queue& out, float value);

// Whole and valid UTF-8 without a zero byte.
bool is_plain_utf8(std::string_view text) noexcept;

}  // namespace sluice::pg
