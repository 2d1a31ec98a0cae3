// proto/mysql/passwords.hpp: what MySQL's authentication plugins compute, for both sides.
//
//   native:       stage2 = SHA1(SHA1(password));      answer = SHA1(password) ^ SHA1(nonce stage2)
//   caching_sha2: stage2 = SHA256(SHA256(password));  answer = SHA256(password) ^
//                                                              SHA256(stage2 nonce)
//   RSA:          OAEP((password '\0') ^ nonce nonce ...), with the server's key
//
// MySQL 8, "Native Authentication" and "caching_sha2_password information". The clear password is
// never needed to check an answer: stage2 is.
//
// Layer: proto. No I/O. Nothing here costs more than a few hashes but for rsa_*.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proto/core/bytes.hpp"

namespace sluice::mysql {

inline constexpr std::string_view native_plugin = "mysql_native_password";
inline constexpr std::string_view sha2_plugin = "caching_sha2_password";
inline constexpr std::string_view ed25519_plugin = "client_ed25519";
inline constexpr std::string_view clear_plugin = "mysql_clear_password";
inline constexpr std::string_view old_plugin = "mysql_old_password";

inline constexpr std::size_t nonce_size = 20;

using sha1_digest = std::array<std::byte, 20>;
using sha256_digest = std::array<std::byte, 32>;
using rsa_key = std::shared_ptr<EVP_PKEY>;

// What a server may store; not enough to log in with by itself.
sha1_digest native_stage2(std::string_view password);
sha256_digest sha2_stage2(std::string_view password);

// "*" and 40 hex digits, as in mysql.user; and back.
std::optional<sha1_digest> parse_native_verifier(std::string_view text);
std::string format_native_verifier(const sha1_digest& stage2);

// A client's answers.
sha1_digest native_answer(std::string_view password, bytes_view nonce);
sha256_digest sha2_answer(std::string_view password, bytes_view nonce);

// Whether `answer` was made from the password that `stage2` stands for; in constant time.
bool native_fits(bytes_view answer, const sha1_digest& stage2, bytes_view nonce);
bool sha2_fits(bytes_view answer, const sha256_digest& stage2, bytes_view nonce);

// caching_sha2's full authentication without TLS. Decrypting takes a millisecond: not on a loop.
// Empty or nothing: the key, the text or its padding are not right.
std::string rsa_public_pem(EVP_PKEY& key);
rsa_key parse_rsa_public_pem(std::string_view pem);  // null: not an RSA key of 1024 to 8192 bits
std::string rsa_encrypt_password(EVP_PKEY& key, std::string_view password, bytes_view nonce);
std::optional<std::string> rsa_decrypt_password(EVP_PKEY& key,
                                                std::string_view sent,
                                                bytes_view nonce);

// Overwrites, then empties: for passwords.
void wipe(std::string& secret) noexcept;

}  // namespace sluice::mysql
