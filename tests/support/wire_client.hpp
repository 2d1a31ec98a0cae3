// tests/support/wire_client.hpp: a PostgreSQL client that sends whatever bytes a test wants.
//
// Blocking, each wait bounded. Nothing is checked on the way out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::support {

// Bytes of an integer, big-endian.
std::string be32(std::uint32_t value);
std::string be16(std::uint16_t value);
// A typed message with its right length.
std::string message(char type, std::string_view body);
std::string startup(std::string_view user, std::string_view database);
std::string simple_query(std::string_view sql);

class wire_client {
public:
    explicit wire_client(std::uint16_t port);  // connected() tells
    wire_client(wire_client&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), in_(std::move(other.in_))
    {
    }
    wire_client& operator=(wire_client&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        std::swap(in_, other.in_);
        return *this;
    }
    ~wire_client();

    bool connected() const noexcept { return fd_ >= 0; }
    // False when the other side has closed, or takes nothing for `longest`.
    bool send(std::string_view bytes,
              std::chrono::milliseconds longest = std::chrono::seconds(30)) const;
    void half_close() const;  // no more from us
    void reset();             // closes with RST

    struct reply {
        char type = 0;
        std::string body;
    };
    // The next message; nothing at the end of the stream. Throws when nothing comes for `longest`.
    std::optional<reply> receive(std::chrono::milliseconds longest = std::chrono::seconds(30));
    // Appends what arrives next, whatever it is; false at the end of the stream. Throws as above.
    bool receive_bytes(std::string& into, std::chrono::milliseconds longest);
    // What came until the other side closed. Throws when it does not within `longest`.
    std::string until_closed(std::chrono::milliseconds longest = std::chrono::seconds(30));
    // Messages up to ReadyForQuery, their types as a string ("CZ"); ends early at end of stream.
    std::string until_ready(std::chrono::milliseconds longest = std::chrono::seconds(30));
    // Logs in where nobody is asked for a password. False when refused.
    bool log_in(std::string_view user, std::string_view database);

    // SQLSTATE and message of the last ErrorResponse that until_ready() or log_in() read.
    const std::string& error() const noexcept { return error_; }

private:
    bool fill(std::chrono::milliseconds longest);
    void note(const reply& got);

    int fd_ = -1;
    std::string in_;
    std::string error_;
};

}  // namespace sluice::support
