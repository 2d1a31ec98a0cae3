// proto/core/base64.hpp: base64 (RFC 4648 §4), strict when reading.
//
// Layer: proto. Allocates: for logins, not for the relay path.
#pragma once

#include <optional>
#include <string>

#include "proto/core/bytes.hpp"

namespace sluice {

std::string base64_encode(bytes_view bytes);

// Nothing for what base64_encode cannot have written: other characters, missing or early padding,
// bits set in the padding. Two texts never stand for the same bytes.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace sluice
