// gateway/server.hpp: the running gateway.
#pragma once

#include "gateway/config/config.hpp"

namespace sluice::gateway {

// Listens and serves until a signal ends it. Returns the process's exit code.
int run_gateway(const config& settings);

}  // namespace sluice::gateway
