// gateway/config/keys.hpp: every key of every section, with its default and what it is for.
#pragma once

#include <span>
#include <string_view>

#include "gateway/config/schema.hpp"

namespace sluice::gateway {

// `key::takes` of a key that another section of all_keys() describes.
inline constexpr std::string_view told_elsewhere = "see there";

// Sections whose names hold NAME exist once per name.
struct section_keys {
    std::string_view section;  // "" for the top of the file
    std::span<const key> keys;
};
std::span<const section_keys> all_keys() noexcept;

// The keys of one section, by the name it has in all_keys().
std::span<const key> keys_of(std::string_view section) noexcept;

}  // namespace sluice::gateway
