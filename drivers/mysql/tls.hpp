// drivers/mysql/tls.hpp: TLS towards MySQL and MariaDB servers: one context for all connections of
// a configuration.
//
// Layer: drivers. Reading certificates takes up to 50 ms (the system's bundle): made once, on a
// helper thread or at start.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

namespace sluice::mysql {

enum class tls_mode {
    disabled,
    preferred,        // where the server offers it; nothing is verified
    required,         // nothing is verified
    verify_ca,        // the certificate is signed by a CA we trust
    verify_identity,  // ... and made for the host's name or address
};

struct tls_settings {
    tls_mode mode = tls_mode::preferred;
    std::string ca_file = {};    // PEM; empty: the system's
    std::string cert_file = {};  // a client certificate, where the server wants one
    std::string key_file = {};
};

// Shared by connections, which outlive reloads; OpenSSL's own locks make it thread-safe.
class tls_context {
public:
    // Null with `error` set: a file cannot be read or does not fit. Null without: disabled.
    static std::shared_ptr<const tls_context> make(const tls_settings& settings,
                                                   std::string& error);

    tls_mode mode() const noexcept { return mode_; }
    bool verifies() const noexcept { return mode_ >= tls_mode::verify_ca; }

    struct ssl_delete {
        void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    };
    using ssl_ptr = std::unique_ptr<SSL, ssl_delete>;
    // For one connection to `host`, a name or an address. Null: out of memory.
    ssl_ptr new_client(int fd, const std::string& host) const;

private:
    struct ctx_delete {
        void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    };

    tls_mode mode_ = tls_mode::disabled;
    std::unique_ptr<SSL_CTX, ctx_delete> context_;
};

using ssl_ptr = tls_context::ssl_ptr;

// Why `ssl`'s handshake failed, for people.
std::string handshake_error_text(const SSL* ssl);

}  // namespace sluice::mysql
