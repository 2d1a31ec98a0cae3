// gateway/translate/my_catalog.hpp: what MySQL's tools ask about databases, tables, columns and
// keys, as SELECTs on SQLite's schema.
//
//   information_schema.X          information_schema("x"): a SELECT with MySQL's column names
//   SHOW ..., DESCRIBE t          my_show.hpp, made of the same
//
// Layer: gateway. Pure: texts that the engine runs. Types are named by the SQL function
// sluice_mysql_type (drivers/sqlite/mysql_functions.cpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/translate/my_state.hpp"

namespace sluice::gateway {

// `name` in lower case. nullopt: no such relation.
std::optional<std::string> information_schema(std::string_view name, const my_state& session);

// 'text' for SQLite.
std::string quoted(std::string_view text);

// SELECTs that the relations and SHOW share; each is one row per object.
// name, kind ('BASE TABLE' or 'VIEW'), sql
std::string tables_query();
// tbl, pos, name, declared, notnull, dflt, pk, is_rowid, hidden, keyed ('PRI', 'UNI', 'MUL', '')
std::string columns_query(std::string_view table = {});
// tbl, name (as the client sees it), is_unique, seq (from 1), col, is_desc, is_primary
std::string indexes_query(std::string_view table = {});
// tbl, name, id, seq, col, parent, parent_col, on_update, on_delete
std::string foreign_keys_query(std::string_view table = {});
// tbl, name, clause.
std::string checks_query();

}  // namespace sluice::gateway
