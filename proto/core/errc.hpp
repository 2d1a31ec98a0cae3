// proto/core/errc.hpp: what can go wrong below the gateway, as std::error_code.
//
// Layer: proto. Callers branch on the condition (blame), logs print the code. The gateway turns a
// code into a client's error in one table (gateway/errors.hpp).
#pragma once

#include <system_error>

namespace sluice {

enum class errc {
    truncated_message = 1,  // a field runs past the end of its message
    trailing_bytes,         // a message is longer than its fields
    bad_length,             // a length that no message of this type can have
    message_too_large,      // longer than max_message
    bad_message,            // type or content that the protocol does not allow here
    authentication_failed,  // wrong password or unknown user, not told apart
    pool_timeout,           // waited longer than queue_timeout
    pool_queue_full,        // more waiters than max_queued
    tenant_queue_full,      // ... of its tenant's
    tenant_timeout,         // waited longer than its tenant's queue_timeout
    tenant_rate,            // waited too long for max_rate
    overloaded,             // its tenant waits longer than target_delay; the newest are refused
    pool_closed,            // the pool is being removed or the process ends
    connect_failed,         // the database refused or could not be reached
    connect_timeout,        // ... within connect_timeout
    backend_lost,           // a connection that worked is gone
    cancelled,              // somebody asked for it
    stopped,                // the process ends
};

enum class blame { client = 1, backend, overload };

const std::error_category& sluice_category() noexcept;
const std::error_category& blame_category() noexcept;

inline std::error_code make_error_code(errc e) noexcept
{
    return {static_cast<int>(e), sluice_category()};
}
inline std::error_condition make_error_condition(blame b) noexcept
{
    return {static_cast<int>(b), blame_category()};
}

}  // namespace sluice

template <>
struct std::is_error_code_enum<sluice::errc> : std::true_type {
};
template <>
struct std::is_error_condition_enum<sluice::blame> : std::true_type {
};
