// gateway/cli/sqlite_command.hpp: sluice sqlite backup|vacuum|check NAME.
#pragma once

#include <iosfwd>
#include <string>

namespace sluice::gateway {

struct sqlite_command {
    std::string what;         // backup, vacuum, check
    std::string name;         // of [databases.NAME]; without a configuration: the file
    std::string config_file;  // "": `name` is the file's path
    std::string to;           // backup: where the copy goes
};

// Exit codes: 0 done (check: the file is sound), 1 it failed (check: or found something), 2 wrong
// arguments.
int run_sqlite_command(const sqlite_command& wanted, std::ostream& out, std::ostream& err);

}  // namespace sluice::gateway
