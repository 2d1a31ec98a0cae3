// proto/pg/login_password.cpp: the login conversation from the password request on.
#include <array>

#include "proto/core/base64.hpp"
#include "proto/core/errc.hpp"
#include "proto/core/reader.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/login.hpp"
#include "proto/pg/md5.hpp"

namespace sluice::pg {

namespace {

constexpr char password_message = 'p';  // also SASLInitialResponse and SASLResponse
constexpr char terminate = 'X';

constexpr error_fields no_randomness{
    .severity = "FATAL", .sqlstate = "58000", .message = "could not generate a random challenge"};

error_fields protocol_violation(std::string_view message, std::string_view detail = {})
{
    return {.severity = "FATAL", .sqlstate = "08P01", .message = message, .detail = detail};
}

}  // namespace

void login_machine::begin_sasl(byte_queue& out)
{
    std::array<std::byte, scram_nonce_size> random{};
    if (!options_.random(random)) {
        fail_with(no_randomness, "no randomness", out);
        return;
    }
    sasl_nonce_ = base64_encode(random);
    // Whoever supplies credentials gives a mock where there are none; this one is the last resort.
    if (known_.scram.empty()) {
        scram_verifier like;
        like.salt.resize(scram_salt_size_default);
        known_.scram.push_back(mock_scram_verifier(sasl_nonce_, user_, like));
    }
    const std::array mechanisms{scram_plus_mechanism, scram_mechanism};
    const auto offered = std::span(mechanisms).subspan(end_point_.empty() ? 1 : 0);
    append_authentication_sasl(out, offered);
    state_ = state::sasl_initial;
}

void login_machine::begin_md5(byte_queue& out)
{
    if (!options_.random(md5_salt_)) {
        fail_with(no_randomness, "no randomness", out);
        return;
    }
    append_authentication_md5(out, md5_salt_);
    state_ = state::md5;
}

bool login_machine::take_password_message(bytes_view input, std::size_t& consumed, byte_queue& out)
{
    if (input.empty())
        return false;
    const auto type = static_cast<char>(input.front());
    // psql hangs up when it is asked for a password, asks its user, and comes back.
    if (type == terminate) {
        forget_secrets();
        state_ = state::gone;
        return true;
    }
    if (type != password_message) {
        const auto message = "expected password response, got message type " +
                             std::to_string(std::to_integer<int>(input.front()));
        fail_with(protocol_violation(message), "another message than a password", out);
        return true;
    }
    const auto most = state_ == state::cleartext ? password_message_max : proof_message_max;
    const auto found = next_frame(input, most);
    if (!found) {
        fail_with(protocol_violation("invalid length of password message"),
                  "a malformed password message",
                  out);
        return true;
    }
    if (found->missing > 0)
        return false;
    consumed += found->message.wire_size();
    const auto body = found->message.body;
    if (state_ == state::sasl_initial)
        on_sasl_initial(body, out);
    else if (state_ == state::sasl_first || state_ == state::sasl_final)
        on_sasl_message(as_text(body), out);
    else
        on_password(body, out);
    return true;
}

// SASLInitialResponse := mechanism:cstring length:u32be data:byte[length]     (-1: no data)
void login_machine::on_sasl_initial(bytes_view body, byte_queue& out)
{
    reader in(body);
    const auto mechanism = in.cstring();
    const auto length = in.be<std::uint32_t>();
    const bool without_data = length == 0xffffffff;
    const auto data = as_text(in.take(without_data ? 0 : length));
    if (in.finish()) {
        fail_with(protocol_violation("malformed SASLInitialResponse"), "malformed SASL", out);
        return;
    }
    const bool plus = mechanism == scram_plus_mechanism && !end_point_.empty();
    if (!plus && mechanism != scram_mechanism) {
        fail_with(protocol_violation("client selected an invalid SASL authentication mechanism"),
                  "an unknown SASL mechanism",
                  out);
        return;
    }
    const scram_binding binding{end_point_, plus};
    scram_.emplace(std::move(known_.scram), std::move(sasl_nonce_), binding);
    state_ = state::sasl_first;
    if (without_data)
        append_authentication_sasl_continue(out, {});
    else
        on_sasl_message(data, out);
}

void login_machine::on_sasl_message(std::string_view message, byte_queue& out)
{
    const auto answer = scram_->step(message);
    if (!answer) {
        if (answer.error() == errc::authentication_failed) {
            fail_password("the SCRAM proof does not match", out);
            return;
        }
        fail_with(protocol_violation("malformed SCRAM message", scram_->problem()),
                  scram_->problem(),
                  out);
        return;
    }
    if (scram_->done()) {
        append_authentication_sasl_final(out, *answer);
        accept(out);
        return;
    }
    append_authentication_sasl_continue(out, *answer);
    state_ = state::sasl_final;
}

// PasswordMessage := password:cstring
void login_machine::on_password(bytes_view body, byte_queue& out)
{
    reader in(body);
    const auto text = in.cstring();
    if (in.finish()) {
        fail_with(protocol_violation("invalid password packet size"),
                  "a malformed password message",
                  out);
        return;
    }
    if (state_ == state::cleartext) {
        password_ = text;
        state_ = state::password_check;
        return;
    }
    bool matches = false;
    for (const auto& verifier : known_.md5)
        matches |= matches_md5_response(verifier, md5_salt_, text);
    if (matches)
        accept(out);
    else
        fail_password("the md5 response does not match", out);
}

}  // namespace sluice::pg
