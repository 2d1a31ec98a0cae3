// drivers/sqlite/catalog.hpp: pg_catalog and information_schema as tables that SQLite can query.
//
//   ATTACH ':memory:' AS pg_catalog, AS information_schema       on a handle, when first asked for
//   built-in types, access methods, ...                          written once
//   tables, columns, indexes, constraints of the file            written anew when PRAGMA
//                                                                schema_version has changed
//
// Ordinary tables with indexes: any query of any tool runs through SQLite's own planner. They
// belong to the handle's transaction, so they show what that sees, also DDL not yet committed.
// Clients can read them only (guard.cpp).
//
// Numbers are made from sqlite_schema's rowids: the same on every connection, and after a restart.
//   16384 + 4 * rowid          a table, view, index or trigger
//   16384 + 4 * rowid + 1      the primary key's index where SQLite has none (INTEGER PRIMARY KEY)
//   2^30 + 256 * rowid + n     the n-th constraint of a table
//
// Layer: drivers, private to this folder. The handle's thread.
#pragma once

#include <string_view>

#include "drivers/sqlite/requests.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::sqlite {

class handle;

inline constexpr std::uint32_t first_object = 16384;

constexpr std::int64_t relation_oid(std::int64_t schema_rowid) noexcept
{
    return first_object + 4 * schema_rowid;
}
constexpr std::int64_t constraint_oid(std::int64_t schema_rowid, std::int64_t n) noexcept
{
    return (std::int64_t{1} << 30) + 256 * schema_rowid + n;
}

// Whether the text could name a relation of pg_catalog or information_schema.
bool names_catalog(std::string_view sql) noexcept;

// Before such a statement is compiled and before it runs. False: `why`.
bool refresh_catalog(handle& on, sql_error& why);

// catalog_fill.cpp: writes the file's tables. False on an error of SQLite's.
bool fill_catalog(sqlite3* db);

// Functions: catalog_functions.cpp, array_functions.cpp, text_functions.cpp, set_functions.cpp.
void add_catalog_functions(handle& on);
void add_array_functions(handle& on);
void add_text_functions(handle& on);
// "pg:unnest:a:b" and its kin, as far as `sql` names them (see to_sqlite.hpp). False: too many.
bool add_set_functions(handle& on, std::string_view sql);

}  // namespace sluice::sqlite
