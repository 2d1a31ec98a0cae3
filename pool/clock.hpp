// pool/clock.hpp: the clock that limits and waits are measured with.
#pragma once

#include <chrono>

namespace sluice {
using steady_clock = std::chrono::steady_clock;
}
