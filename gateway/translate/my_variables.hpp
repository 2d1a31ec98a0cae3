// gateway/translate/my_variables.hpp: the system variables that a MySQL client finds at a SQLite
// file, with their defaults.
//
// Layer: gateway. Constants.
#pragma once

#include <span>
#include <string_view>

#include "gateway/translate/my_state.hpp"

namespace sluice::gateway {

struct known_my_variable {
    std::string_view name;
    std::string_view value;
    my_value::kind what;
    bool fixed;
};

std::span<const known_my_variable> my_variables() noexcept;

// Null: there is none.
const known_my_variable* find_my_variable(std::string_view name) noexcept;

// The variable that an older name means.
std::string_view canonical_my_variable(std::string_view name) noexcept;

}  // namespace sluice::gateway
