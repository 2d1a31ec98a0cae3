// proto/sql/type_name.hpp: PostgreSQL's type names as written in casts and column definitions.
//
// Layer: proto. Grammar: Typename in gram.y.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

struct type_name {
    std::size_t tokens = 0;  // that it takes; 0: no type name here
    // PostgreSQL's internal name: int4, float8, varchar, timestamptz, ...; "[]" behind it for
    // arrays. Of other types as written, in lower case and without schema.
    std::string name;
    std::string_view modifier;  // "(10,2)" as written, or empty
};

// At the beginning of `tokens`.
type_name parse_type(std::span<const token> tokens);

// The affinity that CAST gives in SQLite: INTEGER, REAL, NUMERIC, TEXT, BLOB. Empty for types whose
// values a cast would spoil (dates, json, uuid, bool, reg*, arrays, unknown ones).
std::string_view sqlite_affinity(std::string_view type) noexcept;

}  // namespace sluice::sql
