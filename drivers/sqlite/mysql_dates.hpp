// drivers/sqlite/mysql_dates.hpp: MySQL's date and time functions. Times are UTC.
//
// Layer: drivers. Registered with each handle.
#pragma once

struct sqlite3;

namespace sluice::sqlite {

void add_mysql_dates(sqlite3* db);

}  // namespace sluice::sqlite
