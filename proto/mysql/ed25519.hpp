// proto/mysql/ed25519.hpp: signatures of MariaDB's client_ed25519 plugin.
//
// MariaDB signs the server's 32-byte nonce as RFC 8032, 5.1.6 says, but for one thing: what is
// hashed with SHA-512 into the secret scalar and the prefix is the password itself, of any length,
// and not a 32-byte seed. OpenSSL takes seeds only.
//
// Layer: proto. About half a millisecond.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "proto/core/bytes.hpp"

namespace sluice::mysql {

using ed25519_signature = std::array<std::byte, 64>;
using ed25519_public_key = std::array<std::byte, 32>;

// Nothing: OpenSSL is without Ed25519 or memory (FIPS).
std::optional<ed25519_signature> ed25519_sign(std::string_view password, bytes_view message);

// What a server checks the signature with; mysql.user has it in base64.
std::optional<ed25519_public_key> ed25519_key_of(std::string_view password);

}  // namespace sluice::mysql
