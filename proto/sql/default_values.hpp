// proto/sql/default_values.hpp: which columns an INSERT gives DEFAULT for, in every row.
//
//   INSERT INTO t (id, a) VALUES (DEFAULT, 1), (DEFAULT, 2)     the id, and its two DEFAULTs
//
// SQLite has no DEFAULT there: such a column is left out of the statement, which means the same.
// Where only some rows say DEFAULT nothing is left out, and SQLite refuses the word.
//
// Layer: proto. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

struct default_values {
    std::vector<bool> left_out;  // by token; empty: nothing is
    std::size_t values = 0;      // the VALUES that becomes DEFAULT VALUES; 0: none does
};

// `tokens`: of a statement, with the end.
default_values find_default_values(std::span<const token> tokens);

}  // namespace sluice::sql
