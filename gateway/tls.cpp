// gateway/tls.cpp: TLS towards clients.
#include "gateway/tls.hpp"

#include <array>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

namespace sluice::gateway {

ssl_ctx_ptr make_tls_context(const tls_config& settings, std::string& error)
{
    if (settings.mode == tls_mode::off)
        return nullptr;
    ssl_ctx_ptr context(SSL_CTX_new(TLS_server_method()));
    const auto failed = [&](const std::string& what) {
        error = what + ": " + tls_error_text();
        return nullptr;
    };
    if (!context)
        return failed("TLS cannot be started");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    // No renegotiation, and no session tickets: drivers do not resume, and each costs memory.
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_use_certificate_chain_file(context.get(), settings.cert_file.c_str()) != 1)
        return failed("listen.tls.cert_file " + settings.cert_file);
    if (SSL_CTX_use_PrivateKey_file(context.get(), settings.key_file.c_str(), SSL_FILETYPE_PEM) !=
        1)
        return failed("listen.tls.key_file " + settings.key_file);
    if (SSL_CTX_check_private_key(context.get()) != 1)
        return failed("listen.tls.key_file does not fit cert_file");
    if (settings.mode == tls_mode::verify) {
        if (SSL_CTX_load_verify_locations(context.get(), settings.ca_file.c_str(), nullptr) != 1)
            return failed("listen.tls.ca_file " + settings.ca_file);
        SSL_CTX_set_client_CA_list(context.get(),
                                   SSL_load_client_CA_file(settings.ca_file.c_str()));
        SSL_CTX_set_verify(
            context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    return context;
}

std::string certificate_end_point(SSL* ssl)
{
    X509* certificate = SSL_get_certificate(ssl);
    if (!certificate)
        return {};
    // RFC 5929, 4.1: the signature's hash, but SHA-256 for MD5 and SHA-1. A signature without one
    // (Ed25519, RSA-PSS before libpq 16) makes libpq give up when channel binding is offered.
    int digest = NID_undef;
    const int signature = X509_get_signature_nid(certificate);
    if (OBJ_find_sigid_algs(signature, &digest, nullptr) != 1 || digest == NID_undef)
        return {};
    if (digest == NID_md5 || digest == NID_sha1)
        digest = NID_sha256;
    const EVP_MD* hash = EVP_get_digestbynid(digest);
    std::array<unsigned char, EVP_MAX_MD_SIZE> out;
    unsigned size = 0;
    if (!hash || X509_digest(certificate, hash, out.data(), &size) != 1)
        return {};
    return {reinterpret_cast<const char*>(out.data()), size};
}

std::string tls_error_text()
{
    const auto code = ERR_get_error();
    if (code == 0)
        return "the peer closed the connection";
    std::array<char, 256> text;
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

}  // namespace sluice::gateway
