// proto/mysql/server_login.hpp: the login conversation with a MySQL client, as a machine; and
// COM_CHANGE_USER, which is the same from its second message on.
//
//   gateway: greeting
//   client:  [SSLRequest, TLS] handshake response
//   gateway: [auth switch | more data]*, then OK or ERR          client: an answer to each
//
// Layer: proto. One per login, driven by its session: no sockets, no clock, no RSA, no PBKDF2.
// Bounds: a handshake response has at most handshake_response_max bytes, an answer
// login_answer_max, and a login a handful of packets.
//
// The first step(), without input, writes the greeting (not after COM_CHANGE_USER).
//
//   for (;;) {
//       const auto action = login.step(in.readable(), consumed, out);
//       in.consume(consumed);
//       switch (action) {
//           case read_more:        send out, read at most login.read_max() bytes into in
//           case start_tls:        (the client's ClientHello comes next) TLS handshake,
//                                  login.tls_started()
//           case need_credentials: login.supply(credentials of login.user(), out)
//           case check_password:   on another thread login.sealed().open() and compare, then
//                                  login.password_checked(it did, out)
//           case authenticated:    login.welcome(status, out) or login.refuse(..., out); send out
//           case failed:           send out, log failure(), close
//           case gone:             close
//       }
//   }
//
// A client does not wait between SSLRequest and its first TLS bytes. So that those stay in the
// socket for OpenSSL, never read more than read_max(); bytes behind an SSLRequest end the login.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "proto/core/byte_queue.hpp"
#include "proto/mysql/messages.hpp"
#include "proto/mysql/passwords.hpp"

namespace sluice::mysql {

inline constexpr std::size_t handshake_response_max = 32768;  // mostly attributes
inline constexpr std::size_t login_answer_max = 4096;
inline constexpr std::size_t connection_attributes_max = 128;
inline constexpr std::size_t user_name_max = 384;      // MariaDB: 128 characters of 3 bytes
inline constexpr std::size_t database_name_max = 256;  // MySQL: 64 characters of 4 bytes

enum class client_tls {
    off,      // not offered
    prefer,   // for whoever asks
    require,  // no login without, but over a Unix socket
};

enum class auth_plugin { native_password, caching_sha2_password };

// All that is kept by the relay and its pools; never compression, query attributes or optional
// metadata, which change what packets look like. CLIENT_SSL is added by client_tls. LONG_PASSWORD
// keeps MariaDB's clients from their extended capabilities.
inline constexpr std::uint32_t login_capabilities =
    capability::long_password | capability::connect_with_db | capability::protocol_41 |
    capability::secure_connection | capability::plugin_auth | capability::connect_attrs |
    capability::plugin_auth_lenenc;
inline constexpr std::uint32_t offered_capabilities =
    login_capabilities | capability::found_rows | capability::long_flag | capability::local_files |
    capability::ignore_space | capability::transactions | capability::multi_statements |
    capability::multi_results | capability::ps_multi_results | capability::session_track |
    capability::deprecate_eof;

// OpenSSL's generator.
bool fill_random(std::span<std::byte> bytes) noexcept;

struct server_login_options {
    std::string server_version = "8.0.36";
    std::uint32_t connection_id = 0;
    std::uint32_t capabilities = offered_capabilities;  // login_capabilities always are
    std::uint16_t collation = collation::utf8mb4_general_ci;
    std::uint16_t status = status::autocommit;
    // What the greeting names: clients that know it need no auth switch.
    auth_plugin plugin = auth_plugin::caching_sha2_password;
    client_tls tls = client_tls::off;
    bool unix_socket = false;        // as safe as TLS: clear passwords are welcome
    bool trust = false;              // nobody is asked
    rsa_key rsa = nullptr;           // for full authentication without TLS; null: not offered
    std::string host = "localhost";  // for "Access denied for user 'x'@'host'"
    bool (*random)(std::span<std::byte>) noexcept = fill_random;  // for scripted tests
};

// What is known of a user. An unknown one gets mocks of the kinds that most users have, which
// nothing fits: no answer differs then. Several verifiers are several passwords.
struct credentials {
    std::vector<sha1_digest> native = {};  // native_stage2()
    std::vector<sha256_digest> sha2 = {};  // sha2_stage2()
    // There are other verifiers (SCRAM), which only the password itself can be compared with.
    bool other = false;
    bool known = true;  // for the log, never for the client
};

// For check_password, beside what the caller compares by itself for `other`. No early way out.
bool password_matches(const credentials& known, std::string_view password);

// A password as a client sent it. Copied to the thread that opens it.
struct sealed_password {
    std::string sent;
    std::string nonce;
    rsa_key key;  // null: came as clear text

    // Takes a millisecond where RSA is. Nothing: not made with our key.
    std::optional<std::string> open() const;
};

enum class server_login_action {
    read_more,
    start_tls,
    need_credentials,
    check_password,
    authenticated,
    failed,
    gone,  // the client hung up politely (COM_QUIT, an empty answer)
};

// Why a login ended. `reason` is for the log: it may say what the client must not learn.
struct server_login_failure {
    std::uint16_t number = 0;
    std::string sqlstate;
    std::string message;
    std::string reason;
};

// What COM_CHANGE_USER keeps of the login before it.
struct session_so_far {
    std::uint32_t capabilities = 0;
    bool tls = false;
    std::string nonce = {};  // server_login::nonce()
};

class server_login {
public:
    explicit server_login(server_login_options options);
    // The first packet in step()'s input is COM_CHANGE_USER, with its header.
    server_login(server_login_options options, session_so_far before);
    ~server_login();
    server_login(const server_login&) = delete;
    server_login& operator=(const server_login&) = delete;

    // `input`: all that was received and not consumed. Takes as many packets as it can and says
    // what to do next; called again in the same state it says the same again.
    server_login_action step(bytes_view input, std::size_t& consumed, byte_queue& out);
    // How much more than step()'s last input may be read before the next call.
    std::size_t read_max() const noexcept { return read_max_; }

    void tls_started();
    void supply(credentials known, byte_queue& out);
    void password_checked(bool matches, byte_queue& out);

    // At authenticated: the OK that ends the login.
    void welcome(std::uint16_t status, byte_queue& out);
    // Ends the login with an ERR of the caller's, at any time, the greeting's included.
    void refuse(const err_message& why, std::string_view reason, byte_queue& out);

    // From need_credentials on.
    const std::string& user() const noexcept { return user_; }
    const std::string& database() const noexcept { return database_; }     // empty: none
    std::uint32_t capabilities() const noexcept { return capabilities_; }  // of both sides
    std::uint32_t max_packet() const noexcept { return max_packet_; }  // the client's; 0: unknown
    std::uint16_t collation() const noexcept { return collation_; }
    // In the client's order, equal names included.
    const std::vector<std::pair<std::string, std::string>>& attributes() const noexcept
    {
        return attributes_;
    }
    bool tls_active() const noexcept { return tls_active_; }
    // Of the next packet: at authenticated the caller's, where it says the OK itself.
    std::uint8_t sequence() const noexcept { return sequence_; }
    const std::string& nonce() const noexcept { return nonce_; }

    // At check_password.
    const credentials& known() const noexcept { return known_; }
    sealed_password sealed() const;

    // At failed.
    const server_login_failure& failure() const noexcept { return failure_; }

private:
    enum class state {
        greeting,        // says the first word
        response,        // waits for SSLRequest or handshake response
        change_user,     // waits for COM_CHANGE_USER
        tls,             // the caller shakes hands
        credentials,     // the caller looks the user up
        native,          // waits for the answer to an auth switch
        sha2,            // likewise
        full,            // waits for the password, or the request of the public key
        rsa_password,    // waits for the encrypted password
        password_check,  // the caller compares
        authenticated,
        failed,
        gone,
    };

    bool take_packet(bytes_view input, std::size_t& consumed, byte_queue& out);
    void on_packet(bytes_view payload, bool bytes_behind, byte_queue& out);
    std::size_t packet_max() const noexcept;
    void greet(byte_queue& out);
    void on_response(bytes_view payload, bool bytes_behind, byte_queue& out);
    void on_change_user(bytes_view payload, byte_queue& out);
    void finish_names(field_reader& in, const err_message& malformed, byte_queue& out);
    bool keep_attributes(bytes_view list);

    void begin_authentication(byte_queue& out);
    void switch_to(auth_plugin plugin, byte_queue& out);
    bool greeted_with(std::string_view plugin) const noexcept;
    bool native_answer_fits() const;
    void on_native_answer(byte_queue& out);
    void on_sha2_answer(byte_queue& out);
    void begin_full_authentication(byte_queue& out);
    void on_full_answer(bytes_view payload, byte_queue& out);
    void take_password(bytes_view payload, bool encrypted, byte_queue& out);

    bool fresh_nonce(byte_queue& out);
    bool secure() const noexcept { return tls_active_ || options_.unix_socket; }
    bool can_switch() const noexcept
    {
        return !switched_ && (capabilities_ & capability::plugin_auth);
    }
    auth_plugin preferred_plugin() const noexcept;
    void accept() noexcept;
    void forget_secrets() noexcept;
    void deny(std::string_view reason, byte_queue& out);
    void fail_with(const err_message& why, std::string_view reason, byte_queue& out);

    server_login_options options_;
    state state_ = state::greeting;
    std::uint8_t sequence_ = 0;  // of the next packet, whoever sends it
    bool tls_active_ = false;
    bool switched_ = false;
    bool changing_user_ = false;
    bool used_password_ = false;
    std::size_t read_max_ = 0;
    std::uint32_t capabilities_ = 0;
    std::uint32_t max_packet_ = 0;
    std::uint16_t collation_ = 0;
    std::string nonce_;
    std::string user_;
    std::string database_;
    std::vector<std::pair<std::string, std::string>> attributes_;
    std::string plugin_;  // the client's
    std::string answer_;  // to nonce_, by plugin_
    std::string password_;
    bool encrypted_ = false;
    credentials known_;
    server_login_failure failure_;
};

}  // namespace sluice::mysql
