// proto/pg/oids.hpp: PostgreSQL's built-in types by number (pg_type.dat).
//
// Layer: proto.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::pg {

using type_oid = std::uint32_t;

namespace oid {
inline constexpr type_oid unspecified = 0;
inline constexpr type_oid boolean = 16;
inline constexpr type_oid bytea = 17;
inline constexpr type_oid single_char = 18;  // "char"
inline constexpr type_oid name = 19;
inline constexpr type_oid int8 = 20;
inline constexpr type_oid int2 = 21;
inline constexpr type_oid int4 = 23;
inline constexpr type_oid text = 25;
inline constexpr type_oid oid = 26;
inline constexpr type_oid json = 114;
inline constexpr type_oid float4 = 700;
inline constexpr type_oid float8 = 701;
inline constexpr type_oid unknown = 705;
inline constexpr type_oid bpchar = 1042;
inline constexpr type_oid varchar = 1043;
inline constexpr type_oid date = 1082;
inline constexpr type_oid time = 1083;
inline constexpr type_oid timestamp = 1114;
inline constexpr type_oid timestamptz = 1184;
inline constexpr type_oid numeric = 1700;
inline constexpr type_oid uuid = 2950;
inline constexpr type_oid jsonb = 3802;
}  // namespace oid

// As in error messages: "bigint", "timestamp with time zone"; "type 4711" is "unknown type".
std::string_view type_name(type_oid type) noexcept;

// pg_type.typlen: what RowDescription says; -1 varies.
std::int16_t type_size(type_oid type) noexcept;

// What a name in a cast or CREATE TABLE means, its length or precision ignored; 0: no idea.
// PostgreSQL's own names first, then SQLite's habits (INTEGER is 64 bits there).
type_oid type_of_name(std::string_view name) noexcept;

}  // namespace sluice::pg
