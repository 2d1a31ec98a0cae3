// tests/unit/proto_mysql_login/both_ends.hpp: our own client and server machine, talking.
#pragma once

#include <openssl/rsa.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "proto/mysql/client_login.hpp"
#include "proto/mysql/server_login.hpp"

namespace sluice::test {

using mysql::auth_plugin;
using mysql::client_login;
using mysql::client_login_action;
using mysql::client_login_options;
using mysql::credentials;
using mysql::server_login;
using mysql::server_login_action;
using mysql::server_login_options;

inline bool constant_bytes(std::span<std::byte> bytes) noexcept
{
    std::size_t i = 0;
    for (auto& byte : bytes)
        byte = static_cast<std::byte>('A' + i++ % 26);
    return true;
}

inline bool no_randomness(std::span<std::byte>) noexcept
{
    return false;
}

inline const mysql::rsa_key& gateway_key()
{
    static const mysql::rsa_key key(EVP_RSA_gen(1024), EVP_PKEY_free);
    return key;
}

inline credentials native_only(std::string_view password)
{
    credentials known;
    known.native.push_back(mysql::native_stage2(password));
    return known;
}

inline credentials sha2_only(std::string_view password)
{
    credentials known;
    known.sha2.push_back(mysql::sha2_stage2(password));
    return known;
}

inline credentials both_kinds(std::string_view password)
{
    auto known = native_only(password);
    known.sha2 = sha2_only(password).sha2;
    return known;
}

// As for a user of whom only SCRAM is stored.
inline credentials clear_only()
{
    credentials known;
    known.other = true;
    return known;
}

struct meeting {
    server_login_options server;
    client_login_options client = {.user = "alice", .password = "secret"};
    credentials known = both_kinds("secret");
    std::string scram_password = "secret";  // what fits `other`
    bool byte_by_byte = false;
};

// Runs to the end; the server says OK when it is content.
class both_ends {
public:
    explicit both_ends(meeting m)
        : server(std::move(m.server)),
          client(std::move(m.client)),
          known_(std::move(m.known)),
          scram_password_(std::move(m.scram_password)),
          piece_(m.byte_by_byte ? 1 : 100000)
    {
    }

    // At most this many turns; a login that needs more hangs.
    bool run()
    {
        for (int turn = 0; turn < 5000; ++turn) {
            if (!server_turn() || !client_turn())
                return client_done_;
        }
        return false;
    }

    server_login server;
    client_login client;
    server_login_action server_says{};
    client_login_action client_says{};
    std::string to_client;  // all of it
    std::string to_server;
    bool tls = false;
    int checks = 0;

private:
    static void move(byte_queue& from, std::string& to, std::string& log, std::size_t most)
    {
        const auto size = std::min(most, from.size());
        to += as_text(from.readable().first(size));
        log += as_text(from.readable().first(size));
        from.consume(size);
    }

    bool server_turn()
    {
        // As a session reads: no more than the machine says.
        move(client_out_, server_in_, to_server, std::min(piece_, server.read_max()));
        do {
            const std::vector<char> block(server_in_.begin(), server_in_.end());
            std::size_t consumed = 0;
            server_says = server.step(
                as_bytes(std::string_view(block.data(), block.size())), consumed, server_out_);
            server_in_.erase(0, consumed);
        } while (obey());
        return server_says != server_login_action::gone;
    }

    // True when the machine has more to say.
    bool obey()
    {
        switch (server_says) {
            case server_login_action::start_tls:
                tls = true;
                server.tls_started();
                return true;
            case server_login_action::need_credentials:
                server.supply(known_, server_out_);
                return true;
            case server_login_action::check_password: {
                ++checks;
                const auto clear = server.sealed().open();
                const auto& known = server.known();
                server.password_checked(clear && (mysql::password_matches(known, *clear) ||
                                                  (known.other && *clear == scram_password_)),
                                        server_out_);
                return true;
            }
            case server_login_action::authenticated:
                if (!welcomed_)
                    server.welcome(mysql::status::autocommit, server_out_);
                welcomed_ = true;
                return false;
            default:
                return false;
        }
    }

    bool client_turn()
    {
        move(server_out_, client_in_, to_client, piece_);
        const std::vector<char> block(client_in_.begin(), client_in_.end());
        std::size_t consumed = 0;
        client_says = client.step(
            as_bytes(std::string_view(block.data(), block.size())), consumed, client_out_);
        client_in_.erase(0, consumed);
        if (client_says == client_login_action::start_tls)
            client.tls_started(client_out_);
        client_done_ = client_says == client_login_action::authenticated ||
                       client_says == client_login_action::failed;
        return !client_done_;
    }

    byte_queue server_out_;
    byte_queue client_out_;
    std::string server_in_;
    std::string client_in_;
    credentials known_;
    std::string scram_password_;
    std::size_t piece_;
    bool welcomed_ = false;
    bool client_done_ = false;
};

}  // namespace sluice::test
