// gateway/tenants/identify.hpp: whose client this is: [tenants] key.
//
// Layer: gateway. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "gateway/config/config.hpp"
#include "gateway/lane.hpp"

namespace sluice::gateway {

// The startup parameter (PostgreSQL) or connection attribute (MySQL) that names the tenant.
inline constexpr std::string_view tenant_option = "sluice.tenant";
// The trace of all of a connection's statements that name none (proto/sql/trace_comment).
inline constexpr std::string_view trace_option = "sluice.traceparent";

// As the client gave it when it connected; empty: it did not.
std::string startup_option(const client_identity& who, std::string_view wanted);

// Longer names are cut.
inline constexpr std::size_t tenant_name_max = 128;

// Whom a client that says it is `user` logs in as: under key = "user_suffix", "app@acme" is app.
std::string_view login_name(const tenants_config& settings, std::string_view user) noexcept;

// The tenant of a client as it logged in; `server_name`: of its TLS handshake. "default" when it
// says nothing. Under key = "database" that is not known yet, and the answer is empty.
std::string tenant_name(const tenants_config& settings,
                        const client_identity& who,
                        std::string_view server_name);

}  // namespace sluice::gateway
