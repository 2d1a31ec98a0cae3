// gateway/cli/cli.hpp: the command line.
#pragma once

#include <iosfwd>
#include <string>

namespace sluice::gateway {

// Exit codes: 0 all well, 1 the configuration is wrong or serving failed, 2 wrong arguments.
int run_command_line(int argc, const char* const* argv);

// `sluice check FILE`.
int check_command(const std::string& file, std::ostream& out, std::ostream& err);

}  // namespace sluice::gateway
