// gateway/config/load.hpp: a configuration file in, a checked config or everything wrong with it
// out.
#pragma once

#include <string>
#include <vector>

#include "gateway/config/config.hpp"

namespace sluice::gateway {

struct load_result {
    config settings;                    // complete only without errors
    std::vector<std::string> errors;    // file:line:column: what; valid: ...; did you mean "x"?
    std::vector<std::string> warnings;  // likewise

    explicit operator bool() const noexcept { return errors.empty(); }
};

// Blocks on files. Never connects to anything. No message holds a secret.
load_result load_config(const std::string& file);

}  // namespace sluice::gateway
