// gateway/server.hpp: the running gateway.
#pragma once

#include "gateway/config/config.hpp"

namespace sluice::gateway {

// Listens and serves until a signal, the console or a successor ends it. `takeover`: the sockets of
// the process that runs with this configuration are taken over, if there is one. Returns the
// process's exit code.
int run_gateway(const config& settings, bool takeover);

}  // namespace sluice::gateway
