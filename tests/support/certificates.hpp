// tests/support/certificates.hpp: throw-away certificates for the servers that tests start.
#pragma once

#include <string>

namespace sluice::support {

// Writes into `folder`, which the unprivileged user may write: ca.crt; server.crt and server.key
// for localhost and 127.0.0.1, signed by it; other.crt, an authority that signed nothing here.
void create_certificates(const std::string& folder);

}  // namespace sluice::support
