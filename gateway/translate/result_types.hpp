// gateway/translate/result_types.hpp: which PostgreSQL type a SQLite column or expression promises.
//
//   a table's column         its declared type
//   an expression            by the look of the statement's text (count(*), a cast, a comparison)
//   anything else            nothing: the first row decides where it may, else text
//
// Layer: gateway. Pure. Zero (oid::unspecified) stands for "nothing".
#pragma once

#include <string_view>
#include <vector>

#include "drivers/sqlite/values.hpp"
#include "proto/pg/oids.hpp"

namespace sluice::gateway {

// Of CREATE TABLE: the name if it is known, else SQLite's affinity rule (datatype3.html, 3.1).
pg::type_oid type_of_declaration(std::string_view declared) noexcept;

// Of a cast: PostgreSQL's own widths, "int" being int4.
pg::type_oid type_of_cast(std::string_view name) noexcept;

// Of pg_type and its kin (catalog.cpp), whose columns have no declarations here.
pg::type_oid type_of_catalog_column(std::string_view name) noexcept;

// One entry for each item of the outermost select list, VALUES or RETURNING, in the client's text.
// Empty when positions are unknown (a star among them).
std::vector<pg::type_oid> types_by_text(std::string_view statement);

std::vector<pg::type_oid> result_types(const sqlite::statement_info& info,
                                       const std::vector<pg::type_oid>& by_text);

pg::type_oid type_of_value(sqlite::value_type stored) noexcept;

}  // namespace sluice::gateway
