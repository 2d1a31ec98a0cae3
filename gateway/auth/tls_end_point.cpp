// gateway/auth/tls_end_point.cpp: what a SCRAM login is bound to under TLS.
#include "gateway/auth/tls_end_point.hpp"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <array>

namespace sluice::gateway {

std::string tls_server_end_point(const X509* certificate)
{
    int hash = NID_undef;
    if (!certificate ||
        OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &hash, nullptr) != 1)
        return {};
    if (hash == NID_md5 || hash == NID_sha1)
        hash = NID_sha256;
    const EVP_MD* algorithm = EVP_get_digestbynid(hash);
    if (!algorithm)
        return {};
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate, algorithm, digest.data(), &size) != 1)
        return {};
    return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

std::string tls_server_end_point(const SSL* connection)
{
    return tls_server_end_point(SSL_get_certificate(connection));
}

}  // namespace sluice::gateway
