// proto/pg/startup.hpp: a PostgreSQL client's first packets, which have no type byte.
//
//   packet         := length:u32be code:u32be rest:byte[length - 8]
//   SSLRequest     := 8 80877103
//   GSSENCRequest  := 8 80877104
//   CancelRequest  := length 80877102 pid:u32be key:byte[4..256]      (4 before protocol 3.2)
//   StartupMessage := length version:u32be (name:cstring value:cstring)* 0:u8
//
// Layer: proto. Pure functions over borrowed bytes.
// Lifetime: returned views point into the argument and die with it.
#pragma once

#include <optional>

#include "proto/core/bytes.hpp"
#include "proto/core/result.hpp"

namespace sluice::pg {

inline constexpr std::uint32_t ssl_request_code = 80877103;
inline constexpr std::uint32_t gssenc_request_code = 80877104;
inline constexpr std::uint32_t cancel_request_code = 80877102;

constexpr std::uint32_t protocol_version(std::uint32_t major, std::uint32_t minor) noexcept
{
    return major << 16 | minor;
}
constexpr std::uint32_t protocol_major(std::uint32_t version) noexcept
{
    return version >> 16;
}
constexpr std::uint32_t protocol_minor(std::uint32_t version) noexcept
{
    return version & 0xffff;
}

inline constexpr std::uint32_t protocol_3_0 = protocol_version(3, 0);

inline constexpr std::uint32_t startup_length_min = 8;
// PostgreSQL's MAX_STARTUP_PACKET_LENGTH does not count the length itself.
inline constexpr std::uint32_t startup_length_max = 10000 + 4;
inline constexpr std::size_t cancel_key_size_min = 4;
inline constexpr std::size_t cancel_key_size_max = 256;

enum class startup_kind {
    startup_message,  // `version`, `parameters`
    ssl_request,
    gssenc_request,
    cancel_request,  // `cancel_pid`, `cancel_key`
};

struct startup_parameter {
    std::string_view name;
    std::string_view value;
};

// The parameters of a StartupMessage, in the order sent; names may repeat (the last one counts).
class startup_parameters {
public:
    startup_parameters() noexcept = default;
    // `pairs`: as on the wire, without the final zero; next_startup() has checked them.
    explicit startup_parameters(bytes_view pairs) noexcept : rest_(pairs) {}

    // The next one, or nothing at the end. Copy the object to begin anew.
    std::optional<startup_parameter> next() noexcept;

    // The last value given for `name`.
    std::optional<std::string_view> find(std::string_view name) const noexcept;

private:
    bytes_view rest_;
};

struct startup_packet {
    startup_kind kind = startup_kind::startup_message;
    std::uint32_t version = 0;  // as asked for, major 3, any minor
    startup_parameters parameters;
    std::uint32_t cancel_pid = 0;
    bytes_view cancel_key;
    std::size_t wire_size = 0;
};

struct startup_scan {
    startup_packet packet;
    std::size_t missing = 0;  // > 0: read at least this much more and ask again
};

// Finds the first packet in `input`. Errors, each as early as the bytes tell:
// - bad_length: shorter than its fields, or another length than its kind has
// - message_too_large: longer than startup_length_max (also what is not PostgreSQL at all)
// - bad_message: a protocol that is not 3.x
// - truncated_message, trailing_bytes: parameters that do not end where the packet ends
result<startup_scan> next_startup(bytes_view input) noexcept;

// The protocol is 3.0 whatever newer minor version was asked for; `_pq_.` options are unknown
// here. Both call for a NegotiateProtocolVersion before authentication begins.
bool needs_negotiation(const startup_packet& packet) noexcept;
bool is_protocol_option(std::string_view name) noexcept;  // begins with "_pq_."

}  // namespace sluice::pg
