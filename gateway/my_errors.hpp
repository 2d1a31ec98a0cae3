// gateway/my_errors.hpp: errors of the table (gateway/errors.hpp) as MySQL packets.
//
// Layer: gateway.
#pragma once

#include <string_view>

#include "gateway/errors.hpp"
#include "proto/core/byte_queue.hpp"

namespace sluice::gateway {

// As an ERR packet. MySQL has no hint: it follows the message. `sequence`: of this packet; 1 for an
// answer to a command. Empty texts are the table's.
void append_my_error(byte_queue& out,
                     std::uint8_t sequence,
                     client_error code,
                     std::string_view message = {},
                     std::string_view hint = {});

}  // namespace sluice::gateway
