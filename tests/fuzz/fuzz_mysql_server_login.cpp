// tests/fuzz/fuzz_mysql_server_login.cpp: any bytes as a MySQL client that logs in, in pieces of
// any size.
#include <openssl/rsa.h>

#include <algorithm>
#include <cstdlib>

#include "proto/mysql/server_login.hpp"

namespace {

using namespace sluice;
using mysql::server_login_action;

void check(bool holds)
{
    if (!holds)
        std::abort();
}

bool constant_bytes(std::span<std::byte> bytes) noexcept
{
    for (auto& byte : bytes)
        byte = std::byte{'7'};
    return true;
}

mysql::server_login_options options_of(std::uint8_t choice)
{
    static const mysql::rsa_key key(EVP_RSA_gen(1024), EVP_PKEY_free);
    mysql::server_login_options options;
    options.random = constant_bytes;
    options.plugin = choice & 1 ? mysql::auth_plugin::native_password
                                : mysql::auth_plugin::caching_sha2_password;
    options.tls = choice & 2 ? mysql::client_tls::prefer : mysql::client_tls::off;
    options.unix_socket = choice & 4;
    options.trust = (choice & 0x18) == 0x18;
    options.rsa = choice & 8 ? key : nullptr;
    return options;
}

mysql::credentials alice(std::uint8_t choice)
{
    mysql::credentials known;
    if (choice & 0x20)
        known.native.push_back(mysql::native_stage2("secret"));
    if (choice & 0x40)
        known.sha2.push_back(mysql::sha2_stage2("secret"));
    known.other = choice & 0x80;
    return known;
}

// Whatever is sent is whole packets, numbered in order.
void check_sent(bytes_view sent)
{
    while (!sent.empty()) {
        const auto packet = mysql::peek_packet(sent);
        check(packet.missing == 0 && !packet.payload.empty());
        sent = sent.subspan(packet.wire_size());
    }
}

// True when there is nothing more to say.
bool obey(server_login_action action,
          mysql::server_login& login,
          std::uint8_t choice,
          byte_queue& out)
{
    switch (action) {
        case server_login_action::read_more:
            return false;
        case server_login_action::start_tls:
            login.tls_started();
            return false;
        case server_login_action::need_credentials:
            check(login.user().size() <= mysql::user_name_max);
            check(login.database().size() <= mysql::database_name_max);
            check(login.attributes().size() <= mysql::connection_attributes_max);
            check((login.capabilities() &
                   ~(mysql::offered_capabilities | mysql::capability::ssl)) == 0);
            login.supply(alice(choice), out);
            return false;
        case server_login_action::check_password: {
            const auto clear = login.sealed().open();
            login.password_checked(clear && mysql::password_matches(login.known(), *clear), out);
            return false;
        }
        case server_login_action::authenticated:
            login.welcome(mysql::status::autocommit, out);
            return true;
        case server_login_action::failed:
            check(login.failure().number != 0);
            return true;
        case server_login_action::gone:
            return true;
    }
    return true;
}

}  // namespace

// input := options:u8 piece:u8 change_user:u8 stream. The stream arrives `piece` bytes at a time.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3)
        return 0;
    const auto choice = data[0];
    const std::size_t piece = data[1] == 0 ? size : data[1];
    mysql::session_so_far before;
    before.capabilities = mysql::offered_capabilities;
    before.nonce = std::string(mysql::nonce_size, '7');
    if (data[2] & 2)
        before.capabilities &= ~mysql::capability::plugin_auth;
    std::optional<mysql::server_login> login;
    if (data[2] & 1)
        login.emplace(options_of(choice), before);
    else
        login.emplace(options_of(choice));
    bytes_view rest = std::as_bytes(std::span(data + 3, size - 3));
    std::string arrived;
    byte_queue out;
    for (;;) {
        std::size_t consumed = 0;
        const std::vector<char> block(arrived.begin(), arrived.end());
        const auto action =
            login->step(as_bytes(std::string_view(block.data(), block.size())), consumed, out);
        check(consumed <= arrived.size());
        arrived.erase(0, consumed);
        if (obey(action, *login, choice, out))
            break;
        if (action != server_login_action::read_more)
            continue;
        // Nobody may make the gateway hold more than one packet of the largest kind.
        check(login->read_max() > 0);
        check(arrived.size() + login->read_max() <=
              mysql::handshake_response_max + mysql::header_size);
        if (rest.empty())
            break;
        const auto next = rest.first(std::min({piece, rest.size(), login->read_max()}));
        arrived += as_text(next);
        rest = rest.subspan(next.size());
    }
    check_sent(out.readable());
    return 0;
}
