// gateway/translate/parameter_columns.hpp: which column a parameter, or a literal whose type is
// open, is written to or compared with.
//
// Layer: gateway. Pure. The engine knows a parameter's affinity, but BOOLEAN, DATE and NUMERIC
// columns have the same one; the column's declaration tells them apart. A guess from the text:
//
//   INSERT INTO t (a, b) VALUES (?1, ?2)   UPDATE t SET a = ?1   a < ?1   ?1 = t.a   a IN (?1, ?2)
//   a BETWEEN ?1 AND ?2   a IN (SELECT v FROM "pg:unnest:v"(?1)): was a = ANY ($1), an array
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::gateway {

struct parameter_columns {
    std::map<std::uint32_t, std::string> columns;  // parameter number -> column, lower case
    std::set<std::uint32_t> arrays;  // parameters that are arrays of the column's type
    // INSERT without a column list: parameter number -> position in the table.
    std::map<std::uint32_t, std::size_t> positions;
    // Of literals such as '\x00ff', bytes where the column is BYTEA: byte offset in the text ->
    // column or position in the table.
    std::map<std::size_t, std::string> literals;
    std::map<std::size_t, std::size_t> literal_positions;
    std::vector<std::string> tables;  // as written
};

// `text` in SQLite's words.
parameter_columns find_parameter_columns(std::string_view text);

}  // namespace sluice::gateway
