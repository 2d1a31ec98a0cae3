// gateway/http/state.hpp: the gateway's state as JSON: GET /api/v1/state, /api/v1/statements,
// /readyz.
#pragma once

#include <string>

namespace sluice::gateway {

struct context;

// Asks the workers who waits and who is pinned, and waits for them a moment; not on their threads.
std::string state_json(context& shared);

// Statements by digest, those with the most time on backends first; any thread.
std::string statements_json(context& shared);

// Whether new clients can be served, and what is wrong where; any thread.
struct readiness {
    bool ready = false;
    std::string json;
};
readiness readiness_of(context& shared);

}  // namespace sluice::gateway
