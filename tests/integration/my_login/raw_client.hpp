// tests/integration/my_login/raw_client.hpp: a MySQL client that sends whatever packets a test
// wants.
//
// Blocking, each wait bounded. Nothing is checked on the way out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/wire_client.hpp"

namespace sluice::test {

using namespace std::chrono_literals;

struct packet {
    std::uint8_t sequence = 0;
    std::string payload;

    bool is_ok() const { return !payload.empty() && payload[0] == '\0'; }
    bool is_error() const { return !payload.empty() && payload[0] == '\xff'; }
    // Of an ERR.
    int number() const;
    std::string sqlstate() const;
    std::string message() const;
};

// A packet with its right length.
std::string framed(std::uint8_t sequence, std::string_view payload);
// Any length with any bytes behind it.
std::string header(std::uint32_t length, std::uint8_t sequence);
std::string le32(std::uint32_t value);

struct greeting {
    std::string version;
    std::uint32_t id = 0;
    std::uint32_t capabilities = 0;
    std::string nonce;
    std::string plugin;
};

struct login_request {
    std::string user;
    std::string password;
    std::string database = {};
    std::string plugin = "mysql_native_password";
    std::uint32_t capabilities = 0;  // added to what every client has
};

class raw_client {
public:
    explicit raw_client(std::uint16_t port) : wire_(port) {}

    bool connected() const noexcept { return wire_.connected(); }
    bool send(std::string_view bytes) const { return wire_.send(bytes); }
    void half_close() const { wire_.half_close(); }
    void reset() { wire_.reset(); }

    // The next packet; nothing at the end of the stream. Throws when nothing comes for `longest`.
    std::optional<packet> receive(std::chrono::milliseconds longest = 30s);
    // What came until the other side closed. Throws when it does not within `longest`.
    std::string until_closed(std::chrono::milliseconds longest = 30s);

    // Reads the greeting; throws when it is none.
    const greeting& greet();
    // The handshake response, as its payload.
    std::string response(const login_request& who) const;
    // Greeting to OK, or to the ERR that ended it. Follows an auth switch to native.
    packet log_in(const login_request& who);
    // The first packet of the answer to a command.
    packet command(char code, std::string_view argument = {});

    const greeting& server() const noexcept { return greeting_; }

private:
    support::wire_client wire_;
    std::string in_;
    greeting greeting_;
};

}  // namespace sluice::test
