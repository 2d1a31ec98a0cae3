// gateway/auth/rsa_keys.cpp: reading and making the RSA key for passwords of MySQL clients.
#include "gateway/auth/rsa_keys.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace sluice::gateway {
namespace {

constexpr unsigned bits_made = 2048;
constexpr int bits_least = 2048;
constexpr int bits_most = 8192;

// Never asks at the terminal.
int no_passphrase(char*, int, int, void*)
{
    return -1;
}

mysql::rsa_key owned(EVP_PKEY* key)
{
    return {key, EVP_PKEY_free};
}

}  // namespace

std::string rsa_keys::load(const std::string& file)
{
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "re"),
                                                             &std::fclose);
    if (!in)
        return "auth.rsa_key_file " + file + ": " + std::strerror(errno);
    auto key = owned(PEM_read_PrivateKey(in.get(), nullptr, &no_passphrase, nullptr));
    ERR_clear_error();
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
        return "auth.rsa_key_file " + file +
               " holds no RSA private key in PEM without passphrase; make one with: openssl "
               "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048";
    if (const int bits = EVP_PKEY_get_bits(key.get()); bits < bits_least || bits > bits_most)
        return "auth.rsa_key_file " + file + ": a key of " + std::to_string(bits) +
               " bits; valid: 2048 to 8192";
    set(std::move(key));
    return {};
}

std::string rsa_keys::generate()
{
    auto key = owned(EVP_RSA_gen(bits_made));
    ERR_clear_error();
    if (!key)
        return "no RSA key could be made: MySQL users who only have a SCRAM verifier need TLS";
    set(std::move(key));
    return {};
}

void rsa_keys::set(mysql::rsa_key key)
{
    const std::scoped_lock lock(mutex_);
    key_ = std::move(key);
}

}  // namespace sluice::gateway
