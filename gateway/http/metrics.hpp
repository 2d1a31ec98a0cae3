// gateway/http/metrics.hpp: what GET /metrics answers.
#pragma once

#include <string>

namespace sluice::gateway {

namespace statistics {
class exposition;
}

struct context;

// Any thread. Nothing is asked of the workers: a scrape costs their loops nothing.
std::string metrics_text(context& shared);

// One part of it (metrics_process.cpp).
void add_process(statistics::exposition& out, context& shared);

}  // namespace sluice::gateway
