// gateway/auth/my_verifiers.hpp: what [users.NAME] password may hold for MySQL's authentication.
//
//   caching_sha2_password   SHA2$ and SHA256(SHA256(password)) as 64 hexadecimal digits
//   mysql_native_password   *     and SHA1(SHA1(password)) as 40, as in mysql.user
//
// The first spelling is ours: MySQL itself stores a salted hash of another kind, which only the
// clear password can be compared with.
//
// Layer: gateway.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/mysql/passwords.hpp"

namespace sluice::gateway {

inline constexpr std::string_view sha2_verifier_prefix = "SHA2$";

std::optional<mysql::sha256_digest> parse_sha2_verifier(std::string_view text);
std::string format_sha2_verifier(const mysql::sha256_digest& stage2);

}  // namespace sluice::gateway
