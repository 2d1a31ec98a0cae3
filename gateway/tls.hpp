// gateway/tls.hpp: TLS towards clients: the shared context and what logins need of it.
//
// Layer: gateway.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "gateway/config/config.hpp"

namespace sluice::gateway {

struct ssl_ctx_delete {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using ssl_ctx_ptr = std::unique_ptr<SSL_CTX, ssl_ctx_delete>;

// Null with `error` set: a file cannot be read or does not fit. Null without: TLS is off.
ssl_ctx_ptr make_tls_context(const tls_config& settings, std::string& error);

// The hash of the server's certificate for channel binding (RFC 5929, tls-server-end-point);
// empty: none.
std::string certificate_end_point(SSL* ssl);

// OpenSSL's oldest error of this thread, for people.
std::string tls_error_text();

}  // namespace sluice::gateway
