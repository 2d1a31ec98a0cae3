// gateway/errors.hpp: the one table of what clients are told when the gateway says no.
//
// Layer: gateway. Each error has its SQLSTATE (PostgreSQL), its errno and SQLSTATE (MySQL), whether
// the connection ends with it, and a message and a hint for callers that know nothing better. A
// better message names the limit that was reached and its setting ("too many clients of database
// \"app\" (max_clients = 100)").
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>

namespace sluice::gateway {

enum class client_error {
    too_many_clients,           // of the process
    too_many_database_clients,  // ... of this database
    too_many_user_clients,
    too_many_tenant_clients,
    queue_full,
    queue_timeout,
    rate_exceeded,
    overloaded,  // its tenant's queue stands; what comes last is refused
    statement_timeout,
    transaction_timeout,
    idle_transaction_timeout,
    cancelled,
    login_failed,  // wrong password, unknown user or unknown database, never told apart
    login_timeout,
    authorization_invalid,  // what the client asked for cannot be authenticated at all
    tls_required,
    unknown_database,  // once authenticated
    forbidden_database,
    database_disabled,   // by an administrator
    database_paused,     // for longer than queue_timeout
    no_database,         // none chosen yet (MySQL)
    unknown_connection,  // KILL
    kill_denied,
    backend_unreachable,
    backend_lost,
    malformed_message,
    message_too_large,
    unsupported_protocol,
    not_supported,
    transaction_forbidden,  // pool mode "statement"
    transaction_failed,     // until ROLLBACK
    read_only,
    out_of_memory,
    client_idle_timeout,
    shutting_down,
    internal,
};

struct error_rule {
    client_error code;
    std::string_view name;      // in logs and metrics
    std::string_view sqlstate;  // PostgreSQL's
    std::uint16_t mysql_errno;
    std::string_view mysql_sqlstate;
    bool closes;               // the gateway closes the connection after it
    std::string_view message;  // when the caller has nothing better
    std::string_view hint;     // may be empty

    // PostgreSQL's severity: FATAL says that the connection is closed.
    std::string_view severity() const noexcept { return closes ? "FATAL" : "ERROR"; }
};

const error_rule& rule_for(client_error code) noexcept;

// Every rule, in the order of the enumeration.
std::span<const error_rule> error_rules() noexcept;

// What a failure below the gateway is to the client.
client_error client_error_for(std::error_code failure) noexcept;

}  // namespace sluice::gateway
