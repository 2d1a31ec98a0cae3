// gateway/translate/result_types.hpp: which PostgreSQL type a SQLite column or expression promises.
//
//   a table's column         its declared type
//   an expression            by the look of the statement's text (count(*), a cast, a comparison)
//   anything else            nothing: the first row decides where it may, else text
//
// Layer: gateway. Pure. Zero (oid::unspecified) stands for "nothing".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "drivers/sqlite/values.hpp"
#include "proto/pg/oids.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway {

// Of CREATE TABLE: the name if it is known, else SQLite's affinity rule (datatype3.html, 3.1).
pg::type_oid type_of_declaration(std::string_view declared) noexcept;

// Of a cast: PostgreSQL's own widths, "int" being int4.
pg::type_oid type_of_cast(std::string_view name) noexcept;

// Of pg_type and its kin (catalog.cpp), whose columns have no declarations here.
pg::type_oid type_of_catalog_column(std::string_view name) noexcept;

// What the text of one item of a select list says.
struct column_hint {
    pg::type_oid type = pg::oid::unspecified;
    // PostgreSQL's name for an expression without an alias ("count", "?column?"); empty: SQLite's.
    std::string name;
};
using column_hints = std::vector<column_hint>;

// One entry for each item of the outermost select list, VALUES or RETURNING, in the client's text.
// Empty when positions are unknown (a star among them).
column_hints read_column_hints(std::string_view statement,
                               sql::dialect dialect = sql::dialect::postgres);

std::vector<pg::type_oid> result_types(const sqlite::statement_info& info,
                                       const column_hints& hints);
// As Describe tells them: text where no type is known.
std::vector<pg::type_oid> announced_types(const sqlite::statement_info& info,
                                          const column_hints& hints);
// `column`: its place in `info`. Lifetime: of the arguments.
std::string_view result_name(const sqlite::statement_info& info,
                             const column_hints& hints,
                             std::size_t column) noexcept;

pg::type_oid type_of_value(sqlite::value_type stored) noexcept;

}  // namespace sluice::gateway
