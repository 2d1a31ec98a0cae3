// gateway/server.cpp: the running gateway.
#include "gateway/server.hpp"

#include <cstdio>

namespace sluice::gateway {

int run_gateway(const config&)
{
    std::fputs("not listening yet\n", stderr);
    return 1;
}

}  // namespace sluice::gateway
