// gateway/context.cpp: making what the parts of a gateway share.
#include "gateway/context.hpp"

#include <thread>

#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

// Helper threads wait for DNS, files and PQcancel more than they work.
constexpr std::size_t helper_threads = 8;

std::size_t worker_count(int configured)
{
    if (configured > 0)
        return static_cast<std::size_t>(configured);
    return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

context::context(const config& loaded)
    : auth_secret(make_auth_secret()),
      live(std::make_shared<const generation>(loaded, auth_secret)),
      operations(*this),
      counts(worker_count(loaded.gateway.workers)),
      blocking(helper_threads),
      tenants(loaded.tenants),
      databases(*this),
      mysql_version(loaded.listen.mysql_version)
{
    for (std::size_t i = 0; i < counts.workers(); ++i)
        workers.push_back(std::make_unique<worker>(*this, i));
}

context::~context() = default;

}  // namespace sluice::gateway
