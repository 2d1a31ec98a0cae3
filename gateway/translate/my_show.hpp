// gateway/translate/my_show.hpp: SHOW, DESCRIBE and EXPLAIN of a table as SELECTs on SQLite's
// schema.
//
// Layer: gateway. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/translate/my_state.hpp"

namespace sluice::gateway {

struct my_show {
    std::string sql;  // for SQLite; empty: `problem` says why not
    my_error problem;
    std::string table;         // has to exist: else error 1146
    bool diagnostics = false;  // SHOW WARNINGS and its kin: the warnings stay
};

// `statement` begins with SHOW, DESCRIBE, DESC or EXPLAIN. nullopt: nothing of this (EXPLAIN
// SELECT).
std::optional<my_show> read_show(std::string_view statement, const my_state& session);

}  // namespace sluice::gateway
