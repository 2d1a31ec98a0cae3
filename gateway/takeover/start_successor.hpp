// gateway/takeover/start_successor.hpp: the running process starts the one that takes over from it:
// the same program (or the newer one that lies at its path now) with the same configuration.
//
// Under systemd it has to be so: the new process must be one of the service's own.
//
// Layer: gateway.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace sluice::gateway::takeover {

// Where this program is; to be asked before it can have been replaced. "": unknown.
std::string own_program();

// `variables` ("NAME=value") are added to the environment. -1 and errno: it cannot be started.
pid_t start_successor(const std::string& program,
                      const std::string& config_file,
                      const std::vector<std::string>& variables);

}  // namespace sluice::gateway::takeover
