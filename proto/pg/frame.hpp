// proto/pg/frame.hpp: PostgreSQL v3 framing: where a message begins and ends.
//
//   message := type:u8 length:u32be body:byte[length - 4]
//
// Layer: proto. Pure functions over borrowed bytes: no sockets, clocks, threads or logging.
// Lifetime: returned views point into the argument and die with it.
// The first packet of a client has no type byte: proto/pg/startup.hpp.
#pragma once

#include "proto/core/bytes.hpp"
#include "proto/core/result.hpp"

namespace sluice::pg {

inline constexpr std::size_t header_size = 5;   // type and length
inline constexpr std::size_t length_size = 4;   // the length counts itself, not the type
inline constexpr std::uint32_t length_min = 4;  // an empty body

// What a client may send before it is authenticated (PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH).
inline constexpr std::size_t auth_body_max = 65535;

struct frame {
    char type = 0;
    bytes_view body;  // without type and length
    std::size_t wire_size() const noexcept { return header_size + body.size(); }
};

struct scan {
    frame message;
    std::size_t missing = 0;  // > 0: read at least this much more and ask again
};

// Finds the first message in `input`. An incomplete message is not an error, but a length that is
// impossible (bad_length) or past `body_max` (message_too_large) is one as soon as it can be read.
result<scan> next_frame(bytes_view input, std::size_t body_max) noexcept;

}  // namespace sluice::pg
