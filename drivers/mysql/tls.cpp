// drivers/mysql/tls.cpp: TLS towards MySQL and MariaDB servers.
#include "drivers/mysql/tls.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>

namespace sluice::mysql {
namespace {

std::string error_text()
{
    const auto code = ERR_get_error();
    if (code == 0)
        return "the server closed the connection";
    const char* reason = ERR_reason_error_string(code);
    if (reason)
        return reason;
    std::array<char, 256> text;
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

bool is_address(const std::string& host)
{
    std::array<unsigned char, sizeof(in6_addr)> bytes;
    return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

}  // namespace

std::shared_ptr<const tls_context> tls_context::make(const tls_settings& settings,
                                                     std::string& error)
{
    if (settings.mode == tls_mode::disabled)
        return nullptr;
    ERR_clear_error();
    const auto made = std::make_shared<tls_context>();
    made->mode_ = settings.mode;
    made->context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* context = made->context_.get();
    const auto failed = [&](const std::string& what) {
        error = what + ": " + error_text();
        return nullptr;
    };
    if (!context)
        return failed("TLS cannot be started");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    if (made->verifies()) {
        const bool loaded = settings.ca_file.empty()
                                ? SSL_CTX_set_default_verify_paths(context) == 1
                                : SSL_CTX_load_verify_file(context, settings.ca_file.c_str()) == 1;
        if (!loaded)
            return failed("CA file " + settings.ca_file);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    }
    const auto& cert = settings.cert_file;
    const auto& key = settings.key_file.empty() ? cert : settings.key_file;
    if (!cert.empty()) {
        if (SSL_CTX_use_certificate_chain_file(context, cert.c_str()) != 1)
            return failed("certificate file " + cert);
        if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
            return failed("key file " + key);
    }
    return made;
}

ssl_ptr tls_context::new_client(int fd, const std::string& host) const
{
    ssl_ptr ssl(SSL_new(context_.get()));
    if (!ssl || SSL_set_fd(ssl.get(), fd) != 1)
        return nullptr;
    const bool address = is_address(host);
    // RFC 6066, 3: names only.
    if (!address && SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1)
        return nullptr;
    if (mode_ == tls_mode::verify_identity) {
        auto* rules = SSL_get0_param(ssl.get());
        const int set = address ? X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str())
                                : SSL_set1_host(ssl.get(), host.c_str());
        if (set != 1)
            return nullptr;
    }
    SSL_set_connect_state(ssl.get());
    return ssl;
}

std::string handshake_error_text(const SSL* ssl)
{
    const long verdict = SSL_get_verify_result(ssl);
    if (verdict != X509_V_OK)
        return std::string("its certificate is not to be trusted: ") +
               X509_verify_cert_error_string(verdict);
    return "TLS handshake failed: " + error_text();
}

}  // namespace sluice::mysql
