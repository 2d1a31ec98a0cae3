// proto/pg/scram_keys.cpp: SCRAM verifiers: parsed, formatted, derived, invented.
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <charconv>
#include <new>

#include "proto/core/base64.hpp"
#include "proto/pg/scram.hpp"
#include "proto/pg/sha256.hpp"

namespace sluice::pg {

namespace {

constexpr std::string_view prefix = "SCRAM-SHA-256$";

// Up to `end`, which is consumed; nothing where there is none.
std::optional<std::string_view> take_until(std::string_view& text, char end) noexcept
{
    const auto at = text.find(end);
    if (at == std::string_view::npos)
        return std::nullopt;
    const auto taken = text.substr(0, at);
    text.remove_prefix(at + 1);
    return taken;
}

bool decode_key(std::string_view text, scram_key& key)
{
    const auto raw = base64_decode(text);
    if (!raw || raw->size() != key.size())
        return false;
    std::memcpy(key.data(), raw->data(), key.size());
    return true;
}

bool decode_iterations(std::string_view text, std::uint32_t& iterations) noexcept
{
    const auto* end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, iterations);
    return ec == std::errc{} && stop == end && iterations > 0 && iterations <= scram_iterations_max;
}

}  // namespace

std::optional<scram_verifier> parse_scram_verifier(std::string_view text)
{
    if (!text.starts_with(prefix))
        return std::nullopt;
    text.remove_prefix(prefix.size());
    const auto iterations = take_until(text, ':');
    const auto salt_text = take_until(text, '$');
    const auto stored = take_until(text, ':');
    if (!iterations || !salt_text || !stored)
        return std::nullopt;

    scram_verifier verifier;
    const auto salt = base64_decode(*salt_text);
    if (!salt || salt->empty() || salt->size() > scram_salt_size_max)
        return std::nullopt;
    verifier.salt = *salt;
    if (!decode_iterations(*iterations, verifier.iterations) ||
        !decode_key(*stored, verifier.stored_key) || !decode_key(text, verifier.server_key))
        return std::nullopt;
    return verifier;
}

std::string format_scram_verifier(const scram_verifier& verifier)
{
    return std::string(prefix) + std::to_string(verifier.iterations) + ':' +
           base64_encode(as_bytes(verifier.salt)) + '$' + base64_encode(verifier.stored_key) + ':' +
           base64_encode(verifier.server_key);
}

scram_verifier make_scram_verifier(std::string_view password,
                                   std::string_view salt,
                                   std::uint32_t iterations)
{
    scram_key salted{};
    const int ok = PKCS5_PBKDF2_HMAC(password.data(),
                                     static_cast<int>(password.size()),
                                     reinterpret_cast<const unsigned char*>(salt.data()),
                                     static_cast<int>(salt.size()),
                                     static_cast<int>(iterations),
                                     EVP_sha256(),
                                     static_cast<int>(salted.size()),
                                     reinterpret_cast<unsigned char*>(salted.data()));
    if (ok != 1)
        throw std::bad_alloc();
    scram_verifier verifier;
    verifier.iterations = iterations;
    verifier.salt = salt;
    verifier.stored_key = sha256(hmac_sha256(salted, as_bytes("Client Key")));
    verifier.server_key = hmac_sha256(salted, as_bytes("Server Key"));
    OPENSSL_cleanse(salted.data(), salted.size());
    return verifier;
}

bool same_keys(const scram_verifier& a, const scram_verifier& b) noexcept
{
    const auto size = a.stored_key.size();
    return CRYPTO_memcmp(a.stored_key.data(), b.stored_key.data(), size) == 0;
}

bool matches_scram_verifier(const scram_verifier& verifier, std::string_view password)
{
    return same_keys(make_scram_verifier(password, verifier.salt, verifier.iterations), verifier);
}

std::string derived_salt(std::string_view secret, std::string_view name, std::size_t size)
{
    std::string salt;
    for (char block = '0'; salt.size() < size; ++block) {
        const auto input = std::string("salt") + block + std::string(name);
        salt += as_text(hmac_sha256(as_bytes(secret), as_bytes(input)));
    }
    salt.resize(size);
    return salt;
}

scram_verifier mock_scram_verifier(std::string_view secret,
                                   std::string_view name,
                                   const scram_verifier& like)
{
    // No ClientKey is known whose hash is this StoredKey, so that no proof fits: the exchange
    // needs no flag and no branch to fail.
    const auto input = "mock" + std::string(name);
    scram_verifier mock;
    mock.iterations = like.iterations;
    mock.salt = derived_salt(secret, name, like.salt.size());
    mock.stored_key = hmac_sha256(as_bytes(secret), as_bytes(input));
    mock.server_key = mock.stored_key;
    return mock;
}

}  // namespace sluice::pg
