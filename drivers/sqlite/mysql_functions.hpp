// drivers/sqlite/mysql_functions.hpp: SQL functions that MySQL's clients expect and SQLite lacks.
//
// Layer: drivers. Registered with each handle; they know nothing of a session.
#pragma once

struct sqlite3;

namespace sluice::sqlite {

void add_mysql_functions(sqlite3* db);

}  // namespace sluice::sqlite
