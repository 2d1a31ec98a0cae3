// gateway/errors.cpp: the one table of what clients are told when the gateway says no.
#include "gateway/errors.hpp"

#include <array>
#include <cstddef>

#include "proto/core/errc.hpp"

namespace sluice::gateway {
namespace {

using enum client_error;
constexpr bool closes = true;
constexpr bool stays = false;

// clang-format off
constexpr std::array rules{
    error_rule{too_many_clients, "too_many_clients", "53300", 1040, "08004", closes,
        "too many clients",
        "Close connections that are not needed, or raise gateway.max_clients."},
    error_rule{too_many_database_clients, "too_many_database_clients", "53300", 1040, "08004",
        closes, "too many clients of this database",
        "Close connections that are not needed, or raise max_clients of the database."},
    error_rule{too_many_user_clients, "too_many_user_clients", "53300", 1040, "08004", closes,
        "too many clients of this user",
        "Close connections that are not needed, or raise max_clients of the user."},
    error_rule{too_many_tenant_clients, "too_many_tenant_clients", "53300", 1040, "08004", closes,
        "too many clients of this tenant",
        "Close connections that are not needed, or raise max_clients of the tenant."},
    error_rule{queue_full, "queue_full", "53400", 1226, "42000", stays,
        "too many requests are waiting for a database connection",
        "Raise pool.size or pool.max_queued of the database, or send fewer requests at once."},
    error_rule{queue_timeout, "queue_timeout", "53400", 1226, "42000", stays,
        "waited too long for a database connection",
        "Raise pool.size or pool.queue_timeout of the database, or look for transactions that "
        "are left open."},
    error_rule{rate_exceeded, "rate_exceeded", "53400", 1226, "42000", stays,
        "too many requests a second", "Send fewer requests, or raise max_rate of the tenant."},
    error_rule{overloaded, "overloaded", "53400", 1226, "42000", stays,
        "more requests than can be served in time",
        "Send fewer requests at once, or raise pool.size, or the tenant's weight or target_delay."},
    error_rule{statement_timeout, "statement_timeout", "57014", 3024, "HY000", stays,
        "canceling statement due to statement timeout", ""},
    error_rule{transaction_timeout, "transaction_timeout", "25P04", 3024, "HY000", stays,
        "transaction rolled back due to transaction timeout", ""},
    error_rule{idle_transaction_timeout, "idle_transaction_timeout", "25P03", 3024, "HY000",
        stays, "transaction rolled back due to idle-in-transaction timeout", ""},
    error_rule{cancelled, "cancelled", "57014", 1317, "70100", stays,
        "canceling statement due to user request", ""},
    error_rule{login_failed, "login_failed", "28P01", 1045, "28000", closes,
        "authentication failed", ""},
    error_rule{login_timeout, "login_timeout", "57014", 1159, "08S01", closes,
        "login took too long",
        "gateway.login_timeout is how long a client may take to log in."},
    error_rule{authorization_invalid, "authorization_invalid", "28000", 1045, "28000", closes,
        "invalid authorization specification", ""},
    error_rule{tls_required, "tls_required", "28000", 3159, "HY000", closes,
        "this server takes encrypted connections only",
        "Connect with TLS (sslmode=require), or change listen.tls.mode."},
    error_rule{unknown_database, "unknown_database", "3D000", 1049, "42000", closes,
        "no such database", "Databases are the [databases.NAME] tables of the configuration."},
    error_rule{forbidden_database, "forbidden_database", "42501", 1044, "42000", closes,
        "this user may not use this database",
        "The list `databases` of the user in the configuration says which it may use."},
    error_rule{database_disabled, "database_disabled", "57P03", 3168, "HY000", closes,
        "this database takes no new connections",
        "An administrator has disabled it; ENABLE in the console ends that."},
    error_rule{database_paused, "database_paused", "53400", 1226, "42000", closes,
        "the database is paused, and pool.queue_timeout has passed",
        "An administrator has paused it; RESUME in the console ends that."},
    error_rule{no_database, "no_database", "3D000", 1046, "3D000", stays,
        "no database chosen",
        "Name one when you connect, send USE, or set users.NAME.default_database in the gateway."},
    error_rule{unknown_connection, "unknown_connection", "42704", 1094, "HY000", stays,
        "there is no connection of this id", ""},
    error_rule{kill_denied, "kill_denied", "42501", 1095, "HY000", stays,
        "this connection belongs to another user", ""},
    error_rule{backend_unreachable, "backend_unreachable", "08001", 1105, "08001", stays,
        "the database cannot be reached", ""},
    error_rule{backend_lost, "backend_lost", "08006", 1105, "08S01", stays,
        "the connection to the database was lost",
        "The statement may or may not have taken effect; the connection to the gateway is "
        "still usable."},
    error_rule{malformed_message, "malformed_message", "08P01", 1835, "HY000", closes,
        "malformed message", ""},
    error_rule{message_too_large, "message_too_large", "54000", 1153, "08S01", closes,
        "message too large", "gateway.max_message is the limit."},
    error_rule{unsupported_protocol, "unsupported_protocol", "0A000", 1047, "08S01", closes,
        "unsupported protocol version", ""},
    error_rule{not_supported, "not_supported", "0A000", 1235, "42000", stays,
        "not supported", ""},
    error_rule{transaction_forbidden, "transaction_forbidden", "0A000", 1235, "42000", stays,
        "transactions are not allowed in pool mode \"statement\"",
        "Set pool.mode of the database to \"transaction\"."},
    error_rule{transaction_failed, "transaction_failed", "25P02", 1105, "25P02", stays,
        "current transaction is aborted, commands ignored until end of transaction block", ""},
    error_rule{read_only, "read_only", "25006", 1792, "25006", stays,
        "cannot write: the database is read-only", ""},
    error_rule{out_of_memory, "out_of_memory", "53200", 1037, "HY001", stays,
        "out of memory", ""},
    error_rule{client_idle_timeout, "client_idle_timeout", "57P05", 4031, "HY000", closes,
        "terminating connection due to idle timeout",
        "gateway.client_idle_timeout is how long a client may be idle."},
    error_rule{shutting_down, "shutting_down", "57P01", 1053, "08S01", closes,
        "terminating connection: the gateway is shutting down", ""},
    error_rule{internal, "internal", "XX000", 1815, "HY000", stays,
        "internal error", "Please report it, with the gateway's log."},
};
// clang-format on

// rule_for() indexes: each rule must stand where its code says.
constexpr bool in_order()
{
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (static_cast<std::size_t>(rules[i].code) != i || rules[i].sqlstate.size() != 5 ||
            rules[i].mysql_sqlstate.size() != 5)
            return false;
    }
    return rules.size() == static_cast<std::size_t>(internal) + 1;
}
static_assert(in_order());

}  // namespace

const error_rule& rule_for(client_error code) noexcept
{
    return rules[static_cast<std::size_t>(code)];
}

std::span<const error_rule> error_rules() noexcept
{
    return rules;
}

client_error client_error_for(std::error_code failure) noexcept
{
    if (failure.category() != sluice_category())
        return failure == std::errc::not_enough_memory ? out_of_memory : internal;
    switch (static_cast<errc>(failure.value())) {
        case errc::truncated_message:
        case errc::trailing_bytes:
        case errc::bad_length:
        case errc::bad_message:
            return malformed_message;
        case errc::message_too_large:
            return message_too_large;
        case errc::authentication_failed:
            return login_failed;
        case errc::pool_timeout:
        case errc::tenant_timeout:
            return queue_timeout;
        case errc::pool_queue_full:
        case errc::tenant_queue_full:
            return queue_full;
        case errc::tenant_rate:
            return rate_exceeded;
        case errc::overloaded:
            return client_error::overloaded;
        case errc::connect_failed:
        case errc::connect_timeout:
            return backend_unreachable;
        case errc::backend_lost:
            return backend_lost;
        case errc::cancelled:
            return cancelled;
        case errc::pool_closed:
        case errc::stopped:
            return shutting_down;
    }
    return internal;
}

}  // namespace sluice::gateway
