// gateway/relay/my_charsets.hpp: the character sets that a handshake names by a collation's number.
//
// Layer: gateway/relay. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::gateway {

// "utf8mb4_general_ci" of 45; empty: a number that MariaDB does not know (MySQL 8's 255).
std::string_view collation_name(std::uint16_t id) noexcept;

// A collation's name begins with its character set's.
std::string_view charset_of_collation(std::string_view collation) noexcept;

}  // namespace sluice::gateway
