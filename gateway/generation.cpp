// gateway/generation.cpp: deriving what a configuration implies.
#include "gateway/generation.hpp"

namespace sluice::gateway {

std::string generation::prepare()
{
    std::string error;
    tls = make_tls_context(settings.listen.tls, error);
    if (error.empty())
        error = mysql_backends.prepare(settings);
    if (error.empty())
        users.prepare();
    return error;
}

}  // namespace sluice::gateway
