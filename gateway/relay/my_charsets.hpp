// gateway/relay/my_charsets.hpp: the character sets that a handshake names by a collation's number,
// and those in whose texts a byte of ASCII may be half of a character.
//
// Layer: gateway/relay. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::gateway {

// "utf8mb4_general_ci" of 45; empty: a number that MariaDB does not know (MySQL 8's 255).
std::string_view collation_name(std::uint16_t id) noexcept;

// A collation's name begins with its character set's.
std::string_view charset_of_collation(std::string_view collation) noexcept;

// The number of a character set's default collation; empty (NULL): the server's own, utf8mb3's.
// Zero: not known here.
std::uint16_t default_collation(std::string_view charset) noexcept;
// How many bytes a character has at most.
std::uint32_t character_size(std::string_view charset) noexcept;

// big5, cp932, gb18030, gbk, sjis: a backslash or a backtick may be the second byte of a character.
bool hides_ascii(std::string_view charset) noexcept;
// `text` for a scanner that knows bytes only: as it is or, in `copy`, with other bytes in the place
// of such halves. `charset` hides ASCII.
std::string_view readable_text(std::string_view text, std::string_view charset, std::string& copy);

}  // namespace sluice::gateway
