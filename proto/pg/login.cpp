// proto/pg/login.cpp: the login conversation: its states, and how it ends.
#include "proto/pg/login.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "proto/pg/md5.hpp"

namespace sluice::pg {

bool fill_random(std::span<std::byte> bytes) noexcept
{
    auto* to = reinterpret_cast<unsigned char*>(bytes.data());
    return RAND_bytes(to, static_cast<int>(bytes.size())) == 1;
}

bool password_matches(const credentials& known, std::string_view user, std::string_view password)
{
    // No early way out: how long it takes must not tell which of several passwords it was.
    bool matches = false;
    for (const auto& verifier : known.md5)
        matches |= matches_md5_verifier(verifier, password, user);
    const scram_verifier* challenge = nullptr;
    scram_verifier made;
    for (const auto& verifier : known.scram) {
        if (!challenge || !challenge->same_challenge(verifier))
            made = make_scram_verifier(password, verifier.salt, verifier.iterations);
        challenge = &verifier;
        matches |= same_keys(made, verifier);
    }
    return matches;
}

login_action login_machine::step(bytes_view input, std::size_t& consumed, byte_queue& out)
{
    consumed = 0;
    for (;;) {
        const auto rest = input.subspan(consumed);
        switch (state_) {
            case state::startup:
                if (!take_startup_packet(rest, consumed, out))
                    return login_action::read_more;
                break;
            case state::sasl_initial:
            case state::sasl_first:
            case state::sasl_final:
            case state::md5:
            case state::cleartext:
                if (!take_password_message(rest, consumed, out))
                    return login_action::read_more;
                break;
            case state::tls:
                return login_action::start_tls;
            case state::credentials:
                return login_action::need_credentials;
            case state::password_check:
                return login_action::check_password;
            case state::authenticated:
                return login_action::authenticated;
            case state::cancel:
                return login_action::cancel;
            case state::failed:
                return login_action::failed;
            case state::gone:
                return login_action::gone;
        }
    }
}

void login_machine::tls_started(std::string end_point)
{
    if (state_ != state::tls)
        return;
    tls_active_ = true;
    end_point_ = std::move(end_point);
    state_ = state::startup;
}

void login_machine::supply(credentials known, byte_queue& out)
{
    if (state_ != state::credentials)
        return;
    known_ = std::move(known);
    switch (options_.method) {
        case auth_method::trust:
            accept(out);
            break;
        case auth_method::scram_sha_256:
            begin_sasl(out);
            break;
        case auth_method::md5:
            if (known_.md5.empty())
                begin_sasl(out);
            else
                begin_md5(out);
            break;
        case auth_method::cleartext:
            append_authentication_cleartext(out);
            state_ = state::cleartext;
            break;
    }
}

void login_machine::password_checked(bool matches, byte_queue& out)
{
    if (state_ != state::password_check)
        return;
    if (matches)
        accept(out);
    else
        fail_password("the password does not match", out);
}

void login_machine::refuse(const error_fields& why, std::string_view reason, byte_queue& out)
{
    if (state_ == state::failed || state_ == state::gone)
        return;
    fail_with(why, reason, out);
}

// What was known only for the proof is forgotten: the machine may live as long as the session.
void login_machine::accept(byte_queue& out)
{
    append_authentication_ok(out);
    forget_secrets();
    state_ = state::authenticated;
}

void login_machine::forget_secrets() noexcept
{
    OPENSSL_cleanse(password_.data(), password_.size());
    password_.clear();
    known_ = {};
    scram_.reset();
}

// One text for a wrong password, an unknown user and, before authentication, an unknown database.
void login_machine::fail_password(std::string_view reason, byte_queue& out)
{
    const bool known = known_.known;
    const auto message = "password authentication failed for user \"" + user_ + "\"";
    fail_with({.severity = "FATAL", .sqlstate = "28P01", .message = message},
              known ? reason : "there is no such user",
              out);
}

void login_machine::fail_with(const error_fields& why, std::string_view reason, byte_queue& out)
{
    append_error(out, why);
    forget_secrets();
    failure_ = {std::string(why.sqlstate), std::string(why.message), std::string(reason)};
    state_ = state::failed;
}

}  // namespace sluice::pg
