// gateway/auth/tls_end_point.hpp: what a SCRAM login is bound to under TLS.
#pragma once

#include <openssl/ssl.h>

#include <string>

namespace sluice::gateway {

// RFC 5929 tls-server-end-point: the hash of our own certificate by the hash of its signature, or
// SHA-256 where that one is MD5 or SHA-1. Empty for signatures without a hash (Ed25519), as in
// PostgreSQL: channel binding is then not offered.
std::string tls_server_end_point(const X509* certificate);

// Of the certificate that this connection presented; for login_machine::tls_started().
std::string tls_server_end_point(const SSL* connection);

}  // namespace sluice::gateway
