// drivers/sqlite/functions.hpp: SQL functions that PostgreSQL's clients expect and SQLite lacks.
//
// Layer: drivers. They answer for handle::asking, the session whose statement runs.
#pragma once

namespace sluice::sqlite {

class handle;

void add_functions(handle& on);

}  // namespace sluice::sqlite
