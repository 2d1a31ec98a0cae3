// drivers/sqlite/maintenance.hpp: what an administrator does to a SQLite file from the command
// line, also while a gateway serves it.
//
// Each opens the file by itself, as any process may: SQLite's locks keep it and a gateway apart.
// A gateway with `exclusive = true` lets nobody else in; then they fail and say so.
//
// Layer: drivers. Blocks. Own threads or processes, not an event loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "drivers/sqlite/requests.hpp"

namespace sluice::sqlite {

// `done` of `all` pages have been copied.
using progress_function = std::function<void(int done, int all)>;

// With SQLite's backup API, in steps: readers are never kept waiting, and a writer not for long.
// The copy is of one moment. `to` must not exist; it is removed again on failure.
bool backup(const std::string& path,
            const std::string& to,
            const progress_function& progress,
            sql_error& why);

// Writes the file anew without its free pages. Writers wait meanwhile; a gateway's wait in its
// queue up to their queue_timeout. Sizes in bytes before and after.
struct vacuum_result {
    std::int64_t before = 0;
    std::int64_t after = 0;
};
bool vacuum(const std::string& path, vacuum_result& result, sql_error& why);

// PRAGMA integrity_check and foreign_key_check on a snapshot. Empty `problems`: the file is sound.
bool check(const std::string& path, std::vector<std::string>& problems, sql_error& why);

}  // namespace sluice::sqlite
