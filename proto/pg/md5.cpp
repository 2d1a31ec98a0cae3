// proto/pg/md5.cpp: PostgreSQL's md5 authentication.
#include "proto/pg/md5.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "proto/pg/sha256.hpp"

namespace sluice::pg {

namespace {

constexpr std::string_view prefix = "md5";
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t verifier_size = 3 + 32;

std::string prefixed_hex(bytes_view digest)
{
    std::string text(prefix);
    for (const auto byte : digest) {
        text.push_back(hex_digits[std::to_integer<unsigned>(byte) >> 4]);
        text.push_back(hex_digits[std::to_integer<unsigned>(byte) & 15]);
    }
    return text;
}

std::string prefixed_md5(std::string_view data)
{
    std::array<std::byte, 16> digest{};
    auto* to = reinterpret_cast<unsigned char*>(digest.data());
    if (EVP_Digest(data.data(), data.size(), to, nullptr, EVP_md5(), nullptr) != 1)
        return {};
    return prefixed_hex(digest);
}

bool equal(std::string_view a, std::string_view b) noexcept
{
    return a.size() == verifier_size && b.size() == verifier_size &&
           CRYPTO_memcmp(a.data(), b.data(), verifier_size) == 0;
}

}  // namespace

bool is_md5_verifier(std::string_view text) noexcept
{
    return text.size() == verifier_size && text.starts_with(prefix) &&
           text.find_first_not_of(hex_digits, prefix.size()) == std::string_view::npos;
}

std::string make_md5_verifier(std::string_view password, std::string_view user)
{
    return prefixed_md5(std::string(password) + std::string(user));
}

std::string md5_response(std::string_view verifier, bytes_view salt)
{
    if (!is_md5_verifier(verifier))
        return {};
    return prefixed_md5(std::string(verifier.substr(prefix.size())) + std::string(as_text(salt)));
}

bool matches_md5_response(std::string_view verifier, bytes_view salt, std::string_view response)
{
    return equal(md5_response(verifier, salt), response);
}

bool matches_md5_verifier(std::string_view verifier,
                          std::string_view password,
                          std::string_view user)
{
    return equal(make_md5_verifier(password, user), verifier);
}

std::string mock_md5_verifier(std::string_view secret, std::string_view name)
{
    const auto input = "md5" + std::string(name);
    return prefixed_hex(bytes_view(hmac_sha256(as_bytes(secret), as_bytes(input))).first(16));
}

}  // namespace sluice::pg
