// proto/pg/md5.hpp: PostgreSQL's md5 authentication.
//
//   verifier := "md5" hex(md5(password user))
//   response := "md5" hex(md5(verifier[3..] salt:byte[4]))
//
// Layer: proto. Weak (a stolen verifier is as good as the password): only where configured.
// Where OpenSSL refuses MD5 (FIPS mode) the results are empty and nothing matches.
#pragma once

#include <string>

#include "proto/core/bytes.hpp"

namespace sluice::pg {

inline constexpr std::size_t md5_salt_size = 4;

bool is_md5_verifier(std::string_view text) noexcept;
std::string make_md5_verifier(std::string_view password, std::string_view user);
std::string md5_response(std::string_view verifier, bytes_view salt);

// In a time that does not depend on where they differ.
bool matches_md5_response(std::string_view verifier, bytes_view salt, std::string_view response);
bool matches_md5_verifier(std::string_view verifier,
                          std::string_view password,
                          std::string_view user);

// One that no password fits, always the same for one (secret, name).
std::string mock_md5_verifier(std::string_view secret, std::string_view name);

}  // namespace sluice::pg
