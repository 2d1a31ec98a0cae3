// gateway/config/near.hpp: what a misspelled word may have been meant to be.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice::gateway {

// The fewest single-character changes that make one word of the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// `; did you mean "x"?`, or nothing when no word is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace sluice::gateway
