// drivers/sqlite/constraint_names.hpp: the names of constraints, which SQLite keeps in the text of
// CREATE TABLE only, and the one that "UNIQUE constraint failed: t.a, t.b" is about.
//
// Layer: drivers, private to this folder.
#pragma once

#include "drivers/sqlite/values.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::sqlite {

// Fills `constraint` and `key` of a duplicate's error. `ask`: kept for the next time, finalized by
// the caller; null at first. Not seen by the authorizer, says the caller.
void name_duplicate(sqlite3* db, sqlite3_stmt*& ask, sql_error& error);

// sluice_constraint_name(create_table, 'u', columns): of a UNIQUE; columns have char(31) between.
// sluice_constraint_name(create_table, 'f', n): of foreign key n, from 1.
// sluice_constraint_name(create_table, 'c', n), sluice_check_clause(create_table, n): of CHECK n.
// NULL: it has no name, or there is none.
void add_constraint_functions(sqlite3* db);

}  // namespace sluice::sqlite
