// proto/pg/sha256.hpp: SHA-256 and its HMAC, for SCRAM.
//
// Layer: proto. The one wrapper around OpenSSL's hashes here. They fail only without memory.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <new>

#include "proto/core/bytes.hpp"

namespace sluice::pg {

using sha256_digest = std::array<std::byte, 32>;

inline sha256_digest sha256(bytes_view data)
{
    sha256_digest digest{};
    auto* to = reinterpret_cast<unsigned char*>(digest.data());
    if (EVP_Digest(data.data(), data.size(), to, nullptr, EVP_sha256(), nullptr) != 1)
        throw std::bad_alloc();
    return digest;
}

inline sha256_digest hmac_sha256(bytes_view key, bytes_view data)
{
    sha256_digest digest{};
    const auto* from = reinterpret_cast<const unsigned char*>(data.data());
    auto* to = reinterpret_cast<unsigned char*>(digest.data());
    const auto key_size = static_cast<int>(key.size());
    if (!HMAC(EVP_sha256(), key.data(), key_size, from, data.size(), to, nullptr))
        throw std::bad_alloc();
    return digest;
}

}  // namespace sluice::pg
