// proto/mysql/client_login_auth.cpp: the plugins that the gateway answers a server with.
//
// What they compute is in passwords.hpp and ed25519.hpp; the packets are server_login_auth.cpp's.
#include "proto/mysql/client_login.hpp"
#include "proto/mysql/ed25519.hpp"

namespace sluice::mysql {
namespace {

constexpr std::byte auth_more_data{0x01};
constexpr std::byte auth_next_factor{0x02};  // MySQL 8.0.27
constexpr std::byte auth_switch{0xfe};
constexpr std::size_t ed25519_nonce_size = 32;
constexpr std::string_view public_key_request = "\x02";
constexpr std::byte fast_success{3};
constexpr std::byte full_authentication{4};

template <class Bytes>
void assign(std::string& to, const Bytes& bytes)
{
    to.assign(as_text(bytes_view(bytes)));
}

}  // namespace

void client_login::on_verdict(bytes_view payload, byte_queue& out)
{
    switch (const auto first = payload[0]; first) {
        case ok_byte:
            on_ok(payload);
            return;
        case err_byte:
            fail_with_error(payload);
            return;
        case auth_switch:
        case auth_more_data:
            if (++rounds_ > auth_rounds_max)
                fail_with("the server asks for too many answers");
            else if (first == auth_switch)
                on_auth_switch(payload.subspan(1), out);
            else
                on_more_data(payload.subspan(1), out);
            return;
        case auth_next_factor:
            fail_with("the account needs a second factor, which is not supported");
            return;
        default:
            fail_with("the server sent a packet that no login has");
            return;
    }
}

void client_login::on_auth_switch(bytes_view payload, byte_queue& out)
{
    if (payload.empty()) {
        fail_with("the account uses mysql_old_password, which is not safe: give it another plugin");
        return;
    }
    field_reader in(payload);
    plugin_ = in.cstring();
    nonce_ = as_text(in.rest());
    if (in.failed()) {
        fail_with("the server sent a malformed auth switch");
        return;
    }
    state_ = state::verdict;
    std::string answer;
    if (make_answer(answer))
        append_answer(answer, out);
}

bool client_login::make_answer(std::string& answer)
{
    const std::string_view password = options_.password;
    const auto least = plugin_ == ed25519_plugin                            ? ed25519_nonce_size
                       : plugin_ == native_plugin || plugin_ == sha2_plugin ? nonce_size
                                                                            : 0;
    if (nonce_.size() < least) {
        fail_with("the server sent a challenge too short for " + plugin_);
        return false;
    }
    const auto nonce = as_bytes(nonce_).first(least);
    if (plugin_ == native_plugin) {
        if (!password.empty())
            assign(answer, native_answer(password, nonce));
        return true;
    }
    if (plugin_ == sha2_plugin) {
        if (!password.empty())
            assign(answer, sha2_answer(password, nonce));
        state_ = state::sha2;
        return true;
    }
    if (plugin_ == ed25519_plugin) {
        const auto signature = ed25519_sign(password, nonce);
        if (signature)
            assign(answer, *signature);
        else
            fail_with("this machine's OpenSSL cannot sign for client_ed25519");
        return signature.has_value();
    }
    if (plugin_ == clear_plugin && secure()) {
        answer = password;
        answer += '\0';
        return true;
    }
    if (plugin_ == clear_plugin)
        fail_with("the server asks for the password in clear text, which needs TLS");
    else if (plugin_ == old_plugin)
        fail_with("the account uses mysql_old_password, which is not safe: give it another plugin");
    else
        fail_with("the account uses the authentication plugin \"" + plugin_ +
                  "\", which is not supported: use mysql_native_password, caching_sha2_password, "
                  "client_ed25519, or mysql_clear_password under TLS");
    return false;
}

void client_login::append_answer(std::string& answer, byte_queue& out)
{
    append_message(out, as_bytes(answer), sequence_);
    wipe(answer);
}

void client_login::on_more_data(bytes_view data, byte_queue& out)
{
    if (state_ == state::public_key) {
        const auto key = parse_rsa_public_pem(as_text(data));
        if (key)
            send_encrypted(*key, out);
        else
            fail_with("the server sent no usable RSA key");
        return;
    }
    if (state_ != state::sha2 || data.size() != 1) {
        fail_with("the server asks for something that " + plugin_ + " does not know");
        return;
    }
    if (data[0] == fast_success)
        state_ = state::verdict;
    else if (data[0] == full_authentication)
        send_password(out);
    else
        fail_with("the server asks for something that " + plugin_ + " does not know");
}

// caching_sha2: the server has not cached the password.
void client_login::send_password(byte_queue& out)
{
    if (secure()) {
        std::string answer = options_.password;
        answer += '\0';
        append_answer(answer, out);
        state_ = state::verdict;
    } else if (options_.server_key) {
        send_encrypted(*options_.server_key, out);
    } else if (options_.ask_server_key) {
        append_message(out, as_bytes(public_key_request), sequence_);
        state_ = state::public_key;
    } else {
        fail_with("the server wants the password itself, which needs TLS or its public key");
    }
}

void client_login::send_encrypted(EVP_PKEY& key, byte_queue& out)
{
    const auto nonce = as_bytes(nonce_).first(nonce_size);
    auto answer = rsa_encrypt_password(key, options_.password, nonce);
    if (answer.empty()) {
        fail_with("the password is too long for the server's RSA key: use TLS");
        return;
    }
    append_answer(answer, out);
    state_ = state::verdict;
}

}  // namespace sluice::mysql
