// drivers/io/transport.hpp: a non-blocking byte stream: a socket, plain or under TLS, with the
// bytes that it did not take yet.
//
// Layer: drivers. Thread: the worker that owns the connection. Owns neither descriptor nor SSL
// where they are lent (libpq's); see close().
// Bounds: unsent bytes grow as told; whoever sends stops its source while unsent() is too much.
#pragma once

#include <cstdint>

#include <openssl/ssl.h>

#include "proto/core/byte_queue.hpp"

namespace sluice {

enum class io_status { ok, would_block, closed, failed };

struct io_outcome {
    io_status status;
    std::size_t bytes = 0;
};

class transport {
public:
    transport() noexcept = default;
    // `ssl` null: plain. The descriptor must be non-blocking.
    transport(int fd, SSL* ssl) noexcept;

    int fd() const noexcept { return fd_; }
    SSL* ssl() const noexcept { return ssl_; }
    void set_ssl(SSL* ssl) noexcept;

    io_outcome read(std::span<std::byte> into) noexcept;
    // True when a read that filled less than asked for may still leave bytes behind (TLS records
    // are buffered in user space).
    bool may_hold_more(std::size_t read, std::size_t asked) const noexcept
    {
        return ssl_ ? true : read == asked;
    }

    // Bytes have come that read() has not brought: asks the kernel.
    bool has_unread() const noexcept;

    // Sends at once what the socket takes when nothing waits before it, and keeps the rest.
    io_status send(bytes_view bytes);
    // Bytes for the next flush().
    byte_queue& unsent() noexcept { return unsent_; }
    const byte_queue& unsent() const noexcept { return unsent_; }
    // would_block: wait for writable and call again.
    io_status flush();
    // Bytes that were read and that the socket took, in all.
    std::uint64_t received() const noexcept { return received_; }
    std::uint64_t sent() const noexcept { return sent_; }

private:
    io_outcome read_some(std::span<std::byte> into) noexcept;
    io_outcome write_some(bytes_view bytes) noexcept;

    int fd_ = -1;
    SSL* ssl_ = nullptr;
    std::uint64_t received_ = 0;
    std::uint64_t sent_ = 0;
    byte_queue unsent_;
};

}  // namespace sluice
