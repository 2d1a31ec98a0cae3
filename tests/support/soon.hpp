// tests/support/soon.hpp: waiting for a state, instead of for a while.
#pragma once

#include <chrono>
#include <thread>

namespace sluice::support {

// Polls until `holds`; false after a minute.
template <class Condition>
bool soon(Condition holds)
{
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= until)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

}  // namespace sluice::support
