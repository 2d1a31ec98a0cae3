// drivers/sqlite/guard.hpp: what a remote client's SQL must not do to the process, its files and
// the other clients (sqlite.org/security.html).
//
// Layer: drivers. Applied once to every handle that runs clients' statements.
#pragma once

#include <set>

#include "drivers/sqlite/requests.hpp"

struct sqlite3;

namespace sluice::sqlite {

// What the authorizer looks at; one per handle, changed by the thread that uses the handle.
struct guard_state {
    bool ours = false;  // the driver's own BEGIN, COMMIT, PRAGMA: everything is allowed
    const char* sqlstate = "42501";
    const char* refusal = nullptr;  // why the last statement was refused; null: it was not

    // What the statements compiled while `watching` do: one step of SQLite's machine may call a
    // function of any cost, and look at a virtual table for any time.
    bool watching = false;
    bool costly = false;
    std::set<std::string, std::less<>> tables;
};

void guard(sqlite3* db, guard_state& state, const options& limits);

}  // namespace sluice::sqlite
