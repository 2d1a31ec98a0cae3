// gateway/tenants/refusals.hpp: what a client is told when its tenant's limits refuse a request.
//
// Layer: gateway. Pure.
#pragma once

#include <optional>
#include <string>
#include <system_error>

#include "gateway/errors.hpp"
#include "pool/tenant.hpp"

namespace sluice::gateway {

struct tenant_refusal {
    client_error code = client_error::internal;
    std::string message;
    std::string hint;
};

// None: `why` is not about a tenant. `section`: where its limits are written, "[tenants.acme]".
std::optional<tenant_refusal> explain_tenant_refusal(std::error_code why,
                                                     const pool::tenant& who,
                                                     const std::string& section);

}  // namespace sluice::gateway
