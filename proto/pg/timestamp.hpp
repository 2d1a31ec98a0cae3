// proto/pg/timestamp.hpp: dates and times as ISO 8601 text and as PostgreSQL counts them.
//
//   date:        i32be, days since 2000-01-01
//   time:        i64be, microseconds since midnight
//   timestamp:   i64be, microseconds since 2000-01-01 00:00:00 (timestamptz: UTC)
//   the smallest and the largest integer: -infinity and infinity
//
// Layer: proto. Gregorian calendar, years 1 to 9999: what SQLite's own functions take.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::pg {

inline constexpr std::int64_t timestamp_infinity = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t timestamp_minus_infinity = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int32_t date_infinity = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int32_t date_minus_infinity = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t day_microseconds = 86'400'000'000;

// "YYYY-MM-DD", or a timestamp whose time is midnight.
std::optional<std::int32_t> parse_date(std::string_view text) noexcept;
// "HH:MM[:SS[.ffffff]]"
std::optional<std::int64_t> parse_time(std::string_view text) noexcept;
// "YYYY-MM-DD[( |T)HH:MM[:SS[.ffffff]][ ][Z|(+|-)HH[[:]MM]]]". An offset is taken off: UTC.
// Digits behind the sixth are rounded.
std::optional<std::int64_t> parse_timestamp(std::string_view text) noexcept;

// nullopt: outside of the years 1 to 9999 or of one day.
std::optional<std::string> format_date(std::int32_t days);
std::optional<std::string> format_time(std::int64_t microseconds);
std::optional<std::string> format_timestamp(std::int64_t microseconds);  // without an offset

}  // namespace sluice::pg
