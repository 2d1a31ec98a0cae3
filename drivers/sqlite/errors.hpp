// drivers/sqlite/errors.hpp: SQLite's result codes and messages as SQLSTATEs with fields.
//
// Layer: drivers. Pure functions; error_of() reads the handle's last error.
#pragma once

#include "drivers/sqlite/values.hpp"

struct sqlite3;

namespace sluice::sqlite {

sql_error make_error(const char* sqlstate, std::string message, std::string hint = {});

// The SQLSTATE of an extended result code; `message` decides where one code means many things.
const char* sqlstate_of(int extended_code, std::string_view message) noexcept;

// The last error on this handle. `sql`: the statement it belongs to, for the position.
sql_error error_of(sqlite3* db, std::string_view sql);

// Fills table, column, constraint from "UNIQUE constraint failed: t.a, t.b" and its kin.
void read_constraint(sql_error& error);

// The log has outgrown its bound, and this snapshot is why.
sql_error snapshot_too_old();

}  // namespace sluice::sqlite
