// gateway/cli/import_command.hpp: sluice import pgbouncer.ini.
#pragma once

#include <iosfwd>
#include <string>

namespace sluice::gateway {

struct import_command {
    std::string from;
    std::string to;  // "": standard output
};

// Exit codes: 0 written, 1 the file cannot be read or translated, or `to` is there already.
int run_import_command(const import_command& wanted, std::ostream& out, std::ostream& err);

}  // namespace sluice::gateway
