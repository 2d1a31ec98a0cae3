// proto/pg/declared_type.hpp: the PostgreSQL type that a column's declared type promises.
//
// Layer: proto. Pure.
#pragma once

#include <string_view>

#include "proto/pg/oids.hpp"

namespace sluice::pg {

// Of CREATE TABLE in SQLite: the name if it is known, else SQLite's affinity rule (datatype3.html,
// 3.1), else unspecified. "pg_26 INTEGER" is type 26: the catalogs' own columns.
type_oid type_of_declaration(std::string_view declared) noexcept;

// atttypmod: of VARCHAR(20) 24, of NUMERIC(10,2) ((10 << 16) | 2) + 4; -1: nothing in parentheses.
std::int32_t modifier_of_declaration(std::string_view declared, type_oid type) noexcept;
// Of a NUMERIC by its atttypmod; 0: it has none.
constexpr int scale_of_modifier(std::int32_t modifier) noexcept
{
    return modifier < 4 ? 0 : (modifier - 4) & 0x7ff;
}

}  // namespace sluice::pg
