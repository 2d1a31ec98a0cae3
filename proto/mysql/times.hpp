// proto/mysql/times.hpp: dates and times as ISO 8601 text (SQLite's) and in MySQL's binary form.
//
//   date, datetime := 0 | 4 date | 7 date time | 11 date time micros:u32le
//   date := year:u16le month:u8 day:u8        time := hour:u8 minute:u8 second:u8
//   duration (TIME) := 0 | 8 negative:u8 days:u32le time | 12 negative:u8 days:u32le time micros
//
// Zero dates ("0000-00-00") pass both ways, as MySQL's users may have stored them.
//
// Layer: proto. Pure.
#pragma once

#include "proto/mysql/values.hpp"

namespace sluice::mysql {

// `shape.type` is one of date, datetime, timestamp, time; its decimals are the least that are
// shown.
[[nodiscard]] conversion append_time(byte_queue& out,
                                     std::string_view text,
                                     const value_shape& shape,
                                     row_format format);

[[nodiscard]] conversion read_datetime(field_reader& in, bool date_only, bound_value& out);
[[nodiscard]] conversion read_duration(field_reader& in, bound_value& out);

}  // namespace sluice::mysql
