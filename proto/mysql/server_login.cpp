// proto/mysql/server_login.cpp: the login conversation with a client: its states, and how it ends.
#include "proto/mysql/server_login.hpp"

#include <openssl/rand.h>

namespace sluice::mysql {
namespace {

// The first 32 bytes of a handshake response are an SSLRequest when nothing follows.
constexpr std::size_t ssl_request_size = 32;

constexpr err_message too_large{error_number::net_packet_too_large,
                                "08S01",
                                "Got a packet bigger than 'max_allowed_packet' bytes"};
constexpr err_message out_of_order{
    error_number::net_packets_out_of_order, "08S01", "Got packets out of order"};

}  // namespace

bool fill_random(std::span<std::byte> bytes) noexcept
{
    auto* to = reinterpret_cast<unsigned char*>(bytes.data());
    return RAND_bytes(to, static_cast<int>(bytes.size())) == 1;
}

server_login::server_login(server_login_options options)
    : options_(std::move(options)), read_max_(header_size + ssl_request_size)
{
}

server_login::server_login(server_login_options options, session_so_far before)
    : options_(std::move(options)),
      state_(state::change_user),
      tls_active_(before.tls),
      changing_user_(true),
      read_max_(header_size + handshake_response_max),
      capabilities_(before.capabilities),
      nonce_(std::move(before.nonce))
{
}

server_login::~server_login()
{
    forget_secrets();
}

server_login_action server_login::step(bytes_view input, std::size_t& consumed, byte_queue& out)
{
    consumed = 0;
    for (;;) {
        switch (state_) {
            case state::greeting:
                greet(out);
                break;
            case state::response:
            case state::change_user:
            case state::native:
            case state::sha2:
            case state::full:
            case state::rsa_password:
                if (!take_packet(input.subspan(consumed), consumed, out))
                    return server_login_action::read_more;
                break;
            case state::tls:
                return server_login_action::start_tls;
            case state::credentials:
                return server_login_action::need_credentials;
            case state::password_check:
                return server_login_action::check_password;
            case state::authenticated:
                return server_login_action::authenticated;
            case state::failed:
                return server_login_action::failed;
            case state::gone:
                return server_login_action::gone;
        }
    }
}

std::size_t server_login::packet_max() const noexcept
{
    return state_ == state::response || state_ == state::change_user ? handshake_response_max
                                                                     : login_answer_max;
}

bool server_login::take_packet(bytes_view input, std::size_t& consumed, byte_queue& out)
{
    const auto packet = peek_packet(input);
    const auto& header = packet.header;
    if (header.length > packet_max()) {
        fail_with(too_large, "a packet too large for a login", out);
        return true;
    }
    if (packet.missing > 0) {
        const bool may_ask_tls = state_ == state::response && !tls_active_;
        const auto most =
            header_size + (may_ask_tls && input.size() < header_size + ssl_request_size
                               ? ssl_request_size
                               : packet_max());
        read_max_ = most - input.size();
        return false;
    }
    // A client that gives up in the middle, politely.
    constexpr auto quit = static_cast<std::byte>(command::quit);
    if (header.sequence == 0 && header.length == 1 && packet.payload[0] == quit) {
        consumed += packet.wire_size();
        forget_secrets();
        state_ = state::gone;
        return true;
    }
    if (header.sequence != sequence_) {
        fail_with(out_of_order, "a packet with a wrong sequence number", out);
        return true;
    }
    ++sequence_;
    consumed += packet.wire_size();
    on_packet(packet.payload, input.size() > packet.wire_size(), out);
    return true;
}

void server_login::on_packet(bytes_view payload, bool bytes_behind, byte_queue& out)
{
    switch (state_) {
        case state::response:
            on_response(payload, bytes_behind, out);
            break;
        case state::change_user:
            on_change_user(payload, out);
            break;
        case state::native:
            answer_ = as_text(payload);
            on_native_answer(out);
            break;
        case state::sha2:
            answer_ = as_text(payload);
            on_sha2_answer(out);
            break;
        case state::full:
            on_full_answer(payload, out);
            break;
        default:  // rsa_password
            take_password(payload, true, out);
            break;
    }
}

void server_login::tls_started()
{
    if (state_ != state::tls)
        return;
    tls_active_ = true;
    state_ = state::response;
    read_max_ = header_size + handshake_response_max;
}

void server_login::supply(credentials known, byte_queue& out)
{
    if (state_ != state::credentials)
        return;
    known_ = std::move(known);
    begin_authentication(out);
}

sealed_password server_login::sealed() const
{
    return {password_, nonce_, encrypted_ ? options_.rsa : nullptr};
}

void server_login::password_checked(bool matches, byte_queue& out)
{
    if (state_ != state::password_check)
        return;
    if (matches)
        accept();
    else
        deny("the password does not match", out);
}

void server_login::welcome(std::uint16_t status, byte_queue& out)
{
    append_ok(out, sequence_, {.status = status}, capabilities_);
}

void server_login::refuse(const err_message& why, std::string_view reason, byte_queue& out)
{
    if (state_ == state::failed || state_ == state::gone)
        return;
    fail_with(why, reason, out);
}

// What was known only for the proof is forgotten: the machine may live as long as the session.
void server_login::accept() noexcept
{
    forget_secrets();
    state_ = state::authenticated;
}

void server_login::forget_secrets() noexcept
{
    wipe(password_);
    wipe(answer_);
    known_ = {};
}

// One text for a wrong password, an unknown user and whatever else must not be told apart.
void server_login::deny(std::string_view reason, byte_queue& out)
{
    const bool known = known_.known;
    const auto message = "Access denied for user '" + user_ + "'@'" + options_.host +
                         "' (using password: " + (used_password_ ? "YES)" : "NO)");
    fail_with({error_number::access_denied, "28000", message},
              known ? reason : "there is no such user",
              out);
}

void server_login::fail_with(const err_message& why, std::string_view reason, byte_queue& out)
{
    append_err(out, sequence_, why);
    forget_secrets();
    failure_ = {why.number, std::string(why.sqlstate), std::string(why.text), std::string(reason)};
    state_ = state::failed;
}

}  // namespace sluice::mysql
