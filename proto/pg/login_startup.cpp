// proto/pg/login_startup.cpp: the login conversation up to the StartupMessage.
#include <algorithm>

#include "proto/core/errc.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/login.hpp"

namespace sluice::pg {

namespace {

// PostgreSQL's parse_bool for "off": unambiguous prefixes count.
bool is_false(std::string_view value) noexcept
{
    std::string lower(value);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const auto prefix_of = [&](std::string_view word, std::size_t least) {
        return lower.size() >= least && word.starts_with(lower);
    };
    return lower == "0" || prefix_of("false", 1) || prefix_of("no", 1) || prefix_of("off", 2);
}

}  // namespace

bool login_machine::take_startup_packet(bytes_view input, std::size_t& consumed, byte_queue& out)
{
    const auto found = next_startup(input);
    if (!found) {
        fail_startup(found.error(), input, out);
        return true;
    }
    if (found->missing > 0)
        return false;

    const auto& packet = found->packet;
    consumed += packet.wire_size;
    switch (packet.kind) {
        case startup_kind::ssl_request:
            on_ssl_request(input.size() > packet.wire_size, out);
            break;
        case startup_kind::gssenc_request:
            on_gssenc_request(out);
            break;
        case startup_kind::cancel_request:
            cancel_pid_ = packet.cancel_pid;
            cancel_key_ = as_text(packet.cancel_key);
            state_ = state::cancel;
            break;
        case startup_kind::startup_message:
            on_startup_message(packet, out);
            break;
    }
    return true;
}

void login_machine::on_ssl_request(bool bytes_behind, byte_queue& out)
{
    if (tls_active_ || tls_asked_) {
        fail_with({.severity = "FATAL",
                   .sqlstate = "08P01",
                   .message = "SSLRequest was sent twice or under TLS"},
                  "SSLRequest out of order",
                  out);
        return;
    }
    tls_asked_ = true;
    if (options_.tls == client_tls::off) {
        out.append_byte('N');
        return;
    }
    // Bytes that came before the handshake would be read as if they had come through it
    // (CVE-2021-23214): somebody in between may have put them there.
    if (bytes_behind) {
        fail_with({.severity = "FATAL",
                   .sqlstate = "08P01",
                   .message = "received unencrypted data after SSL request",
                   .detail = "This could be either a client-software bug or evidence of an "
                             "attempted man-in-the-middle attack."},
                  "unencrypted bytes behind SSLRequest",
                  out);
        return;
    }
    out.append_byte('S');
    state_ = state::tls;
}

void login_machine::on_gssenc_request(byte_queue& out)
{
    if (tls_active_ || gssenc_asked_) {
        fail_with({.severity = "FATAL",
                   .sqlstate = "08P01",
                   .message = "GSSENCRequest was sent twice or under TLS"},
                  "GSSENCRequest out of order",
                  out);
        return;
    }
    gssenc_asked_ = true;
    out.append_byte('N');
}

void login_machine::on_startup_message(const startup_packet& packet, byte_queue& out)
{
    if (options_.tls == client_tls::require && !tls_active_) {
        fail_with({.severity = "FATAL",
                   .sqlstate = "28000",
                   .message = "this gateway accepts connections over TLS only",
                   .hint = "Connect with sslmode=require or stricter; the setting is "
                           "[listen] tls.mode."},
                  "the client did not ask for TLS",
                  out);
        return;
    }
    negotiate(packet, out);
    if (!keep_parameters(packet.parameters, out))
        return;
    if (user_.empty()) {
        fail_with({.severity = "FATAL",
                   .sqlstate = "28000",
                   .message = "no PostgreSQL user name specified in startup packet"},
                  "no user name",
                  out);
        return;
    }
    if (database_.empty())
        database_ = user_;
    state_ = state::credentials;
    // Nobody is asked, so nobody needs to be looked up.
    if (options_.method == auth_method::trust)
        accept(out);
}

void login_machine::negotiate(const startup_packet& packet, byte_queue& out)
{
    if (!needs_negotiation(packet))
        return;
    std::vector<std::string_view> unknown;
    auto all = packet.parameters;
    while (const auto parameter = all.next()) {
        if (is_protocol_option(parameter->name))
            unknown.push_back(parameter->name);
    }
    append_negotiate_protocol_version(out, protocol_3_0, unknown);
}

bool login_machine::keep_parameters(startup_parameters parameters, byte_queue& out)
{
    while (const auto parameter = parameters.next()) {
        if (!keep_parameter(*parameter, out))
            return false;
    }
    return true;
}

bool login_machine::keep_parameter(const startup_parameter& parameter, byte_queue& out)
{
    const auto name = parameter.name;
    const auto value = parameter.value;
    if (name == "user") {
        user_ = value;
    } else if (name == "database") {
        database_ = value;
    } else if (name == "options") {
        startup_options_ = value;
    } else if (name == "replication") {
        if (!is_false(value)) {
            fail_with({.severity = "FATAL",
                       .sqlstate = "0A000",
                       .message = "replication connections are not supported by this gateway",
                       .hint = "Connect to the PostgreSQL server itself."},
                      "a replication connection",
                      out);
            return false;
        }
    } else if (!is_protocol_option(name)) {
        const auto same = [&](const auto& kept) { return kept.first == name; };
        const auto at = std::find_if(parameters_.begin(), parameters_.end(), same);
        if (at != parameters_.end()) {
            at->second = value;
        } else if (parameters_.size() < startup_parameters_max) {
            parameters_.emplace_back(name, value);
        } else {
            const auto message = "startup packet has more than " +
                                 std::to_string(startup_parameters_max) + " parameters";
            fail_with({.severity = "FATAL", .sqlstate = "54000", .message = message},
                      "too many startup parameters",
                      out);
            return false;
        }
    }
    return true;
}

void login_machine::fail_startup(std::error_code why, bytes_view input, byte_queue& out)
{
    const auto field = [&](std::size_t at) { return load_be<std::uint32_t>(input.data() + at); };
    std::string message;
    std::string_view sqlstate = "08P01";
    if (why == errc::bad_message) {
        const auto version = field(length_size);
        message = "unsupported frontend protocol " + std::to_string(protocol_major(version)) + "." +
                  std::to_string(protocol_minor(version)) + ": this gateway speaks 3.0";
        sqlstate = "0A000";
    } else if (why == errc::bad_length || why == errc::message_too_large) {
        message = "invalid length of startup packet: " + std::to_string(field(0)) +
                  " bytes; this does not look like a PostgreSQL client";
    } else {
        message = "invalid startup packet layout: expected terminator as last byte";
    }
    fail_with({.severity = "FATAL", .sqlstate = sqlstate, .message = message},
              "a malformed startup packet",
              out);
}

}  // namespace sluice::pg
