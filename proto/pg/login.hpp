// proto/pg/login.hpp: the login conversation with a PostgreSQL client, as a machine.
//
//   client: [GSSENCRequest] [SSLRequest] (StartupMessage | CancelRequest), then password messages
//   gateway: 'N', 'S' or 'N', [NegotiateProtocolVersion] Authentication* ... AuthenticationOk
//
// Layer: proto. One per connection, driven by its session: no sockets, no clock, no PBKDF2.
// Bounds: a startup packet has at most 10 kB and startup_parameters_max parameters, a password
// message at most password_message_max or proof_message_max bytes, and a login a handful of
// messages.
//
//   for (;;) {
//       const auto action = login.step(in.readable(), consumed, out);
//       in.consume(consumed);
//       switch (action) {
//           case read_more:        send out, read into in
//           case start_tls:        send out, TLS handshake, login.tls_started(...)
//           case need_credentials: login.supply(credentials of login.user(), out)
//           case check_password:   on another thread password_matches(...), then
//                                  login.password_checked(it did, out)
//           case authenticated:    send out together with what the session says next
//           case cancel:           pass cancel_pid(), cancel_key() on, close without an answer
//           case failed:           send out, log failure(), close
//           case gone:             close
//       }
//   }
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "proto/core/byte_queue.hpp"
#include "proto/pg/messages.hpp"
#include "proto/pg/scram.hpp"
#include "proto/pg/startup.hpp"

namespace sluice::pg {

inline constexpr std::size_t startup_parameters_max = 128;
inline constexpr std::size_t password_message_max = 16384;  // clear text: tokens may be long
inline constexpr std::size_t proof_message_max = 4096;      // SCRAM and md5

enum class auth_method {
    trust,          // nobody is asked
    scram_sha_256,  // and -PLUS under TLS
    md5,            // md5 for users with an md5 verifier, else SCRAM
    cleartext,      // the password itself: for clients that know nothing else, under TLS
};

enum class client_tls {
    off,      // SSLRequest is answered with N
    prefer,   // TLS for whoever asks
    require,  // no login without
};

bool fill_random(std::span<std::byte> bytes) noexcept;  // OpenSSL's generator

struct login_options {
    auth_method method = auth_method::scram_sha_256;
    client_tls tls = client_tls::off;
    bool (*random)(std::span<std::byte>) noexcept = fill_random;  // for scripted tests
};

// What is known of a user. An unknown one gets mocks, which nothing fits.
struct credentials {
    std::vector<scram_verifier> scram;  // not empty; those that challenge like the first are tried
    std::vector<std::string> md5;       // verifiers, where md5 may be used
    bool known = true;                  // for the log, never for the client
};

// For check_password; costs a PBKDF2 (a millisecond) per different salt. Thread-safe.
bool password_matches(const credentials& known, std::string_view user, std::string_view password);

enum class login_action {
    read_more,
    start_tls,
    need_credentials,
    check_password,
    authenticated,
    cancel,
    failed,
    gone,
};

// Why a login ended. `reason` is for the log: it may say what the client must not learn.
struct login_failure {
    std::string sqlstate;
    std::string message;
    std::string reason;
};

class login_machine {
public:
    explicit login_machine(login_options options) noexcept : options_(options) {}

    // `input`: all that was received and not consumed. Takes as many packets as it can and says
    // what to do next; called again in the same state it says the same again.
    login_action step(bytes_view input, std::size_t& consumed, byte_queue& out);

    // `end_point`: hash of the server's certificate (RFC 5929 tls-server-end-point) for channel
    // binding; empty: not offered.
    void tls_started(std::string end_point);
    void supply(credentials known, byte_queue& out);
    void password_checked(bool matches, byte_queue& out);

    // Ends the login with a FATAL of the caller's: a limit, a time-out, a shutdown.
    void refuse(const error_fields& why, std::string_view reason, byte_queue& out);

    // From need_credentials on.
    const std::string& user() const noexcept { return user_; }
    const std::string& database() const noexcept { return database_; }  // default: the user
    const std::string& options() const noexcept { return startup_options_; }
    // All others, in the client's order, the last of equal names; no user, database, options,
    // replication or _pq_.*.
    const std::vector<std::pair<std::string, std::string>>& parameters() const noexcept
    {
        return parameters_;
    }
    bool tls_active() const noexcept { return tls_active_; }

    // At check_password.
    const credentials& known() const noexcept { return known_; }
    const std::string& password() const noexcept { return password_; }

    // At cancel.
    std::uint32_t cancel_pid() const noexcept { return cancel_pid_; }
    bytes_view cancel_key() const noexcept { return as_bytes(cancel_key_); }

    // At failed.
    const login_failure& failure() const noexcept { return failure_; }

private:
    enum class state {
        startup,         // waits for an untyped packet
        tls,             // the caller shakes hands
        credentials,     // the caller looks the user up
        sasl_initial,    // waits for SASLInitialResponse
        sasl_first,      // waits for client-first: SASLInitialResponse came without
        sasl_final,      // waits for client-final
        md5,             // waits for the md5 response
        cleartext,       // waits for the password
        password_check,  // the caller compares
        authenticated,
        cancel,
        failed,
        gone,
    };

    bool take_startup_packet(bytes_view input, std::size_t& consumed, byte_queue& out);
    bool take_password_message(bytes_view input, std::size_t& consumed, byte_queue& out);
    void on_ssl_request(bool bytes_behind, byte_queue& out);
    void on_gssenc_request(byte_queue& out);
    void on_startup_message(const startup_packet& packet, byte_queue& out);
    bool keep_parameters(startup_parameters parameters, byte_queue& out);
    bool keep_parameter(const startup_parameter& parameter, byte_queue& out);
    void negotiate(const startup_packet& packet, byte_queue& out);
    void begin_sasl(byte_queue& out);
    void begin_md5(byte_queue& out);
    void on_sasl_initial(bytes_view body, byte_queue& out);
    void on_sasl_message(std::string_view message, byte_queue& out);
    void on_password(bytes_view body, byte_queue& out);

    void accept(byte_queue& out);
    void forget_secrets() noexcept;
    void fail_password(std::string_view reason, byte_queue& out);
    void fail_startup(std::error_code why, bytes_view input, byte_queue& out);
    void fail_with(const error_fields& why, std::string_view reason, byte_queue& out);

    login_options options_;
    state state_ = state::startup;
    bool tls_active_ = false;
    bool tls_asked_ = false;
    bool gssenc_asked_ = false;
    std::uint32_t cancel_pid_ = 0;
    std::string cancel_key_;
    std::string end_point_;
    std::string user_;
    std::string database_;
    std::string startup_options_;
    std::vector<std::pair<std::string, std::string>> parameters_;
    credentials known_;
    std::string password_;
    std::string sasl_nonce_;
    std::array<std::byte, 4> md5_salt_{};
    std::optional<scram_server> scram_;
    login_failure failure_;
};

}  // namespace sluice::pg
