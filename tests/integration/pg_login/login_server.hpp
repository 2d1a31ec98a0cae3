// tests/integration/pg_login/login_server.hpp: a server that only logs clients in: the login
// machine on blocking sockets, one thread, TLS by a certificate of its own.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "gateway/auth/user_store.hpp"
#include "proto/pg/login.hpp"

namespace sluice::test {

// Ed25519 signatures have no hash of their own: nothing to bind a SCRAM login to.
enum class certificate_kind { rsa, ed25519 };

class login_server {
public:
    // Serves one client after another until destroyed, hangs up once it is logged in; each read
    // waits at most 10 s.
    login_server(const gateway::user_store& users,
                 pg::login_options options,
                 certificate_kind kind = certificate_kind::rsa);
    ~login_server();
    login_server(const login_server&) = delete;
    login_server& operator=(const login_server&) = delete;

    std::uint16_t port() const noexcept { return port_; }
    std::string url(const std::string& user, const std::string& more) const;

private:
    struct ssl_context_delete {
        void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    };

    void serve();
    void talk_to(int socket);

    const gateway::user_store& users_;
    pg::login_options options_;
    std::unique_ptr<SSL_CTX, ssl_context_delete> tls_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace sluice::test
