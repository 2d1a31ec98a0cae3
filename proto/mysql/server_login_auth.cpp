// proto/mysql/server_login_auth.cpp: the login conversation from the client's first answer on.
//
//   switch    := 0xfe plugin:cstring nonce:byte[20] 0
//   more data := 0x01 data          3: the password is right    4: send it    a public key in PEM
//   request   := 0x02               of the public key
//
// MySQL 8, "caching_sha2_password information". A client that has no password of a plugin answers
// with nothing, for caching_sha2 perhaps with one zero.
#include "proto/mysql/server_login.hpp"

namespace sluice::mysql {
namespace {

constexpr std::uint8_t auth_switch = 0xfe;
constexpr std::uint8_t auth_more_data = 0x01;
constexpr std::string_view fast_success = "\x03";
constexpr std::string_view full_authentication = "\x04";
constexpr std::byte public_key_request{0x02};

constexpr err_message no_plugin{1251,
                                "08004",
                                "Client does not support authentication protocol requested by "
                                "server; consider upgrading MySQL client"};

void append_more_data(byte_queue& out, std::uint8_t& sequence, std::string_view data)
{
    packet_writer packet(out, sequence);
    packet.u8(auth_more_data);
    packet.text(data);
}

}  // namespace

bool password_matches(const credentials& known, std::string_view password)
{
    bool matches = false;
    const auto native = native_stage2(password);
    for (const auto& stage2 : known.native)
        matches |= CRYPTO_memcmp(native.data(), stage2.data(), stage2.size()) == 0;
    const auto sha2 = sha2_stage2(password);
    for (const auto& stage2 : known.sha2)
        matches |= CRYPTO_memcmp(sha2.data(), stage2.data(), stage2.size()) == 0;
    return matches;
}

std::optional<std::string> sealed_password::open() const
{
    if (key)
        return rsa_decrypt_password(*key, sent, as_bytes(nonce));
    return sent;
}

void server_login::begin_authentication(byte_queue& out)
{
    if (options_.trust) {
        // A caching_sha2 client that sent an answer takes no bare OK.
        if (plugin_ == sha2_plugin && !answer_.empty())
            append_more_data(out, sequence_, fast_success);
        accept();
        return;
    }
    // Which nonce COM_CHANGE_USER's answer was made with is not agreed upon: ask, unless it fits.
    if (changing_user_ && can_switch() && !(plugin_ == native_plugin && native_answer_fits()))
        switch_to(preferred_plugin(), out);
    // Told to use a plugin that the greeting did not name, MariaDB's clients wait for its nonce.
    else if (!changing_user_ && answer_.empty() && can_switch() && !greeted_with(plugin_))
        switch_to(preferred_plugin(), out);
    else if (plugin_ == native_plugin)
        on_native_answer(out);
    else if (plugin_ == sha2_plugin)
        on_sha2_answer(out);
    else
        switch_to(preferred_plugin(), out);
}

// The greeting's, unless the user's verifiers are of no use to it.
auth_plugin server_login::preferred_plugin() const noexcept
{
    if (known_.native.empty())
        return auth_plugin::caching_sha2_password;
    if (known_.sha2.empty() && !secure())
        return auth_plugin::native_password;
    return options_.plugin;
}

void server_login::switch_to(auth_plugin plugin, byte_queue& out)
{
    // One nonce for all of a connection: in COM_CHANGE_USER Connector/C and libmysqlclient answer
    // for native with the last one they kept, whatever the switch says.
    if (nonce_.empty() && !fresh_nonce(out))
        return;
    const bool native = plugin == auth_plugin::native_password;
    packet_writer packet(out, sequence_);
    packet.u8(auth_switch);
    packet.cstring(native ? native_plugin : sha2_plugin);
    packet.cstring(nonce_);
    switched_ = true;
    state_ = native ? state::native : state::sha2;
}

bool server_login::greeted_with(std::string_view plugin) const noexcept
{
    return plugin ==
           (options_.plugin == auth_plugin::native_password ? native_plugin : sha2_plugin);
}

bool server_login::native_answer_fits() const
{
    bool matches = false;
    for (const auto& stage2 : known_.native)
        matches |= native_fits(as_bytes(answer_), stage2, as_bytes(nonce_));
    return matches;
}

void server_login::on_native_answer(byte_queue& out)
{
    used_password_ = !answer_.empty();
    if (known_.native.empty()) {
        if (can_switch())
            switch_to(auth_plugin::caching_sha2_password, out);
        else if (capabilities_ & capability::plugin_auth)
            deny("the client insists on mysql_native_password, which no verifier is for", out);
        else
            fail_with(no_plugin, "the client knows mysql_native_password only", out);
        return;
    }
    if (native_answer_fits())
        accept();
    else if (known_.other && used_password_ && can_switch())
        switch_to(auth_plugin::caching_sha2_password, out);
    else
        deny("the mysql_native_password answer does not match", out);
}

void server_login::on_sha2_answer(byte_queue& out)
{
    used_password_ = !answer_.empty() && answer_ != std::string_view("\0", 1);
    if (!used_password_) {
        deny("the client gave no password", out);
        return;
    }
    // Some clients (PyMySQL) take the zero that ends an auth switch for a part of its nonce.
    const auto longer = nonce_ + '\0';
    bool matches = false;
    for (const auto& stage2 : known_.sha2) {
        matches |= sha2_fits(as_bytes(answer_), stage2, as_bytes(nonce_));
        matches |= switched_ && sha2_fits(as_bytes(answer_), stage2, as_bytes(longer));
    }
    if (matches) {
        append_more_data(out, sequence_, fast_success);
        accept();
    } else if (!known_.sha2.empty() && !known_.other) {
        deny("the caching_sha2_password answer does not match", out);
    } else if (!known_.native.empty() && !secure() && can_switch() &&
               !(known_.other && options_.rsa)) {
        // Many clients do not ask for an RSA key unless they are told to: only where it is needed.
        switch_to(auth_plugin::native_password, out);
    } else {
        begin_full_authentication(out);
    }
}

void server_login::begin_full_authentication(byte_queue& out)
{
    if (!secure() && !options_.rsa) {
        deny("the stored verifier needs the password itself, over TLS", out);
        return;
    }
    append_more_data(out, sequence_, full_authentication);
    state_ = state::full;
}

void server_login::on_full_answer(bytes_view payload, byte_queue& out)
{
    const bool asks_key = payload.size() == 1 && payload[0] == public_key_request;
    if (asks_key && options_.rsa) {
        append_more_data(out, sequence_, rsa_public_pem(*options_.rsa));
        state_ = state::rsa_password;
        return;
    }
    take_password(payload, !secure(), out);
}

// password:cstring, or as RSA made of it.
void server_login::take_password(bytes_view payload, bool encrypted, byte_queue& out)
{
    password_ = as_text(payload);
    encrypted_ = encrypted;
    if (!encrypted) {
        if (password_.empty() || password_.back() != '\0') {
            deny("a malformed password", out);
            return;
        }
        password_.pop_back();
    }
    state_ = state::password_check;
}

}  // namespace sluice::mysql
