// proto/pg/scram.hpp: SCRAM-SHA-256 as a server (RFC 5802, RFC 7677): verifiers and the exchange.
//
//   client-first := gs2 "n=" name ",r=" nonce ("," extension)*       gs2 := ("n"|"y"|"p=" cb) ",,"
//   server-first := "r=" nonce ",s=" base64 ",i=" iterations
//   client-final := "c=" base64 ",r=" nonce ("," extension)* ",p=" base64
//   server-final := "v=" base64
//   verifier     := "SCRAM-SHA-256$" iterations ":" salt "$" StoredKey ":" ServerKey
//
// Layer: proto. No I/O, no clock, no randomness of its own. A login costs a few hashes; deriving a
// verifier from a password (PBKDF2) costs about a millisecond and never belongs on a loop.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "proto/core/bytes.hpp"
#include "proto/core/result.hpp"

namespace sluice::pg {

inline constexpr std::string_view scram_mechanism = "SCRAM-SHA-256";
inline constexpr std::string_view scram_plus_mechanism = "SCRAM-SHA-256-PLUS";
inline constexpr std::uint32_t scram_iterations_default = 4096;
inline constexpr std::uint32_t scram_iterations_max = 10'000'000;
inline constexpr std::size_t scram_salt_size_default = 16;
inline constexpr std::size_t scram_salt_size_max = 256;
inline constexpr std::size_t scram_nonce_size = 18;     // raw bytes of ours, base64 on the wire
inline constexpr std::size_t scram_message_max = 4096;  // with the nonce that we send back

using scram_key = std::array<std::byte, 32>;

// What is stored instead of a password.
struct scram_verifier {
    std::uint32_t iterations = scram_iterations_default;
    std::string salt;  // raw bytes
    scram_key stored_key{};
    scram_key server_key{};

    bool same_challenge(const scram_verifier& other) const noexcept
    {
        return iterations == other.iterations && salt == other.salt;
    }
};

// Nothing for text that is not wholly a verifier.
std::optional<scram_verifier> parse_scram_verifier(std::string_view text);
std::string format_scram_verifier(const scram_verifier& verifier);

// PBKDF2. ASCII passwords are their own SASLprep; others are used as their bytes are, which is
// what PostgreSQL does with text that it cannot prepare.
scram_verifier make_scram_verifier(std::string_view password,
                                   std::string_view salt,
                                   std::uint32_t iterations);

// In constant time: whether both were made from one password, given that they challenge alike.
bool same_keys(const scram_verifier& a, const scram_verifier& b) noexcept;

// PBKDF2 as well: for a password that a client sent as clear text.
bool matches_scram_verifier(const scram_verifier& verifier, std::string_view password);

// A verifier that no password fits, always the same for one (secret, name): an unknown user is
// asked like a known one. `like` gives iterations and salt size.
scram_verifier mock_scram_verifier(std::string_view secret,
                                   std::string_view name,
                                   const scram_verifier& like);
// The salt that mock_scram_verifier uses; also right for users whose password is plain text.
std::string derived_salt(std::string_view secret, std::string_view name, std::size_t size);

// What the client may bind the exchange to (RFC 5929 tls-server-end-point).
struct scram_binding {
    std::string end_point;  // hash of the server's certificate; empty: not offered
    bool plus = false;      // the client chose SCRAM-SHA-256-PLUS
};

// One login. step() takes the client's message and gives the answer; after two it is done.
// Errors: bad_message (problem() says what), authentication_failed (the proof fits no verifier).
// Several verifiers are several passwords of one user; those that share salt and iterations with
// the first are tried. The time taken does not depend on which fits, nor on whether one does.
class scram_server {
public:
    // `nonce`: printable, without commas, fresh for each login. `verifiers` is not empty.
    scram_server(std::vector<scram_verifier> verifiers, std::string nonce, scram_binding binding);

    result<std::string> step(std::string_view message);
    bool done() const noexcept { return stage_ == stage::done; }
    std::string_view problem() const noexcept { return problem_; }

private:
    enum class stage {
        first,   // waits for client-first
        final,   // waits for client-final
        done,    // the proof fitted
        failed,  // says nothing more
    };

    result<std::string> read_first(std::string_view message);
    result<std::string> read_final(std::string_view message);
    std::error_code read_gs2_header(std::string_view& message);
    const scram_verifier* find_match(std::string_view proof, std::string_view auth_message) const;
    failure malformed(std::string_view problem) noexcept;

    std::vector<scram_verifier> verifiers_;
    std::string nonce_;  // the server's, then both
    scram_binding binding_;
    std::string gs2_header_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string_view problem_;  // literals only
    stage stage_ = stage::first;
};

}  // namespace sluice::pg
