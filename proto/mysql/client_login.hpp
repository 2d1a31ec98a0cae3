// proto/mysql/client_login.hpp: the login conversation with a MySQL or MariaDB server, as a
// machine: how the gateway opens its own connections.
//
//   server:  greeting, or ERR
//   gateway: [SSLRequest, TLS] handshake response
//   server:  [auth switch | more data]*, then OK or ERR         gateway: an answer to each
//
// Layer: proto. One per connection, driven by its opener: no sockets, no clock. A step costs a few
// hashes; with client_ed25519 or RSA half a millisecond, once.
// Bounds: packets of at most server_packet_max bytes, auth_rounds_max requests for an answer.
//
//   for (;;) {
//       const auto action = login.step(in.readable(), consumed, out);
//       in.consume(consumed);
//       switch (action) {
//           case read_more:     send out, read into in
//           case start_tls:     send out, TLS handshake as a client, login.tls_started()
//           case authenticated: the connection is idle (what is left in `in` is a fault)
//           case failed:        log failure(), close
//       }
//   }
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "proto/core/byte_queue.hpp"
#include "proto/mysql/constants.hpp"
#include "proto/mysql/messages.hpp"
#include "proto/mysql/passwords.hpp"

namespace sluice::mysql {

inline constexpr std::size_t server_packet_max = 65536;
inline constexpr int auth_rounds_max = 8;

// Never MariaDB's extended capabilities, compression or query attributes: what a relay passes on
// has to look like what every client reads. CONNECT_WITH_DB, CONNECT_ATTRS and SSL are added where
// there is something to say.
inline constexpr std::uint32_t wanted_capabilities =
    capability::long_password | capability::long_flag | capability::local_files |
    capability::protocol_41 | capability::transactions | capability::secure_connection |
    capability::multi_statements | capability::multi_results | capability::ps_multi_results |
    capability::plugin_auth | capability::plugin_auth_lenenc | capability::session_track |
    capability::deprecate_eof;

// Whether certificates are verified is the opener's affair.
enum class server_tls { off, prefer, require };

struct client_login_options {
    std::string user = {};
    std::string password = {};
    std::string database = {};  // empty: none
    std::vector<std::pair<std::string, std::string>> attributes = {};
    // Used as far as the server has them; add found_rows or ignore_space here.
    std::uint32_t capabilities = wanted_capabilities;
    std::uint16_t collation = collation::utf8mb4_general_ci;
    server_tls tls = server_tls::prefer;
    bool unix_socket = false;  // as safe as TLS for a clear password
    // caching_sha2 without TLS, for a server that has not cached the password: with this key, or
    // with the one that the server sends when asked, which whoever stands between could replace.
    rsa_key server_key = nullptr;
    bool ask_server_key = true;
};

enum class client_login_action { read_more, start_tls, authenticated, failed };

// Why a login ended. With a number they are the server's words; never the password.
struct client_login_failure {
    std::uint16_t number = 0;
    std::string sqlstate;
    std::string message;
};

class client_login {
public:
    explicit client_login(client_login_options options);
    ~client_login();
    client_login(const client_login&) = delete;
    client_login& operator=(const client_login&) = delete;

    // `input`: all that was received and not consumed. Called again in the same state it says the
    // same again.
    client_login_action step(bytes_view input, std::size_t& consumed, byte_queue& out);
    void tls_started(byte_queue& out);

    // From start_tls or authenticated on.
    const std::string& server_version() const noexcept { return server_version_; }
    bool is_mariadb() const noexcept { return is_mariadb_; }
    std::uint32_t connection_id() const noexcept { return connection_id_; }
    bool tls_active() const noexcept { return tls_active_; }

    // At authenticated.
    std::uint32_t capabilities() const noexcept { return capabilities_; }  // of both sides
    std::uint16_t status() const noexcept { return status_; }
    // That the server reported in its OK, as a session tracker does.
    const std::vector<std::pair<std::string, std::string>>& variables() const noexcept
    {
        return variables_;
    }

    // At failed.
    const client_login_failure& failure() const noexcept { return failure_; }

private:
    enum class state {
        greeting,
        tls,         // the caller shakes hands
        verdict,     // waits for OK, ERR, or a request for another answer
        sha2,        // likewise, and whether caching_sha2 believed the answer
        public_key,  // waits for the server's key
        authenticated,
        failed,
    };

    bool take_packet(bytes_view input, std::size_t& consumed, byte_queue& out);
    void on_greeting(bytes_view payload, bool bytes_behind, byte_queue& out);
    bool take_capabilities(std::uint32_t offered);
    void on_verdict(bytes_view payload, byte_queue& out);
    void on_ok(bytes_view payload);
    void on_auth_switch(bytes_view payload, byte_queue& out);
    void on_more_data(bytes_view data, byte_queue& out);
    void send_password(byte_queue& out);
    void send_encrypted(EVP_PKEY& key, byte_queue& out);
    void append_ssl_request(byte_queue& out);
    void append_response(byte_queue& out);
    void append_flags(packet_writer& packet) const;
    void append_attributes(packet_writer& packet) const;
    // What plugin_ answers to nonce_, and where that leads. False: it cannot, and has failed.
    bool make_answer(std::string& answer);
    void append_answer(std::string& answer, byte_queue& out);

    bool secure() const noexcept { return tls_active_ || options_.unix_socket; }
    void fail_with(std::string message);
    void fail_with_error(bytes_view payload);

    client_login_options options_;
    state state_ = state::greeting;
    std::uint8_t sequence_ = 0;  // of the next packet, whoever sends it
    int rounds_ = 0;
    bool tls_active_ = false;
    bool is_mariadb_ = false;
    std::uint32_t connection_id_ = 0;
    std::uint32_t capabilities_ = 0;
    std::uint16_t status_ = 0;
    std::string server_version_;
    std::string plugin_;
    std::string nonce_;
    std::vector<std::pair<std::string, std::string>> variables_;
    client_login_failure failure_;
};

}  // namespace sluice::mysql
