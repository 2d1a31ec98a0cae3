// gateway/http/metrics.hpp: what GET /metrics answers.
#pragma once

#include <string>

namespace sluice::gateway {

struct context;

// Any thread. Nothing is asked of the workers: a scrape costs their loops nothing.
std::string metrics_text(context& shared);

}  // namespace sluice::gateway
