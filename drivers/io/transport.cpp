// drivers/io/transport.cpp: reads and writes, plain and TLS, mapped to four outcomes.
#include "drivers/io/transport.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <openssl/err.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace sluice {
namespace {

io_status of_errno(int error) noexcept
{
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR)
        return io_status::would_block;
    return io_status::failed;
}

io_status of_ssl(int outcome) noexcept
{
    switch (outcome) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return io_status::would_block;
        case SSL_ERROR_ZERO_RETURN:
            return io_status::closed;
        default:
            return io_status::failed;
    }
}

int ssl_size(std::size_t size) noexcept
{
    return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace

transport::transport(int fd, SSL* ssl) noexcept : fd_(fd)
{
    set_ssl(ssl);
}

void transport::set_ssl(SSL* ssl) noexcept
{
    ssl_ = ssl;
    // A write that would block is tried again from another address: the rest moves to unsent_.
    if (ssl_)
        SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

io_outcome transport::read(std::span<std::byte> into) noexcept
{
    const auto got = read_some(into);
    received_ += got.bytes;
    return got;
}

io_outcome transport::read_some(std::span<std::byte> into) noexcept
{
    if (ssl_) {
        ERR_clear_error();
        const int got = SSL_read(ssl_, into.data(), ssl_size(into.size()));
        if (got > 0)
            return {io_status::ok, static_cast<std::size_t>(got)};
        return {of_ssl(SSL_get_error(ssl_, got))};
    }
    const auto got = ::recv(fd_, into.data(), into.size(), 0);
    if (got > 0)
        return {io_status::ok, static_cast<std::size_t>(got)};
    return {got == 0 ? io_status::closed : of_errno(errno)};
}

bool transport::has_unread() const noexcept
{
    int waiting = 0;
    return (ssl_ && SSL_has_pending(ssl_)) ||
           (::ioctl(fd_, FIONREAD, &waiting) == 0 && waiting > 0);
}

io_outcome transport::write_some(bytes_view bytes) noexcept
{
    if (ssl_) {
        ERR_clear_error();
        const int put = SSL_write(ssl_, bytes.data(), ssl_size(bytes.size()));
        if (put > 0)
            return {io_status::ok, static_cast<std::size_t>(put)};
        return {of_ssl(SSL_get_error(ssl_, put))};
    }
    const auto put = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put >= 0)
        return {io_status::ok, static_cast<std::size_t>(put)};
    return {of_errno(errno)};
}

io_status transport::send(bytes_view bytes)
{
    if (unsent_.empty()) {
        while (!bytes.empty()) {
            const auto put = write_some(bytes);
            if (put.status == io_status::would_block)
                break;
            if (put.status != io_status::ok)
                return put.status;
            sent_ += put.bytes;
            bytes = bytes.subspan(put.bytes);
        }
        if (bytes.empty())
            return io_status::ok;
        unsent_.append(bytes);
        return io_status::would_block;
    }
    unsent_.append(bytes);
    return flush();
}

io_status transport::flush()
{
    while (!unsent_.empty()) {
        const auto put = write_some(unsent_.readable());
        if (put.status != io_status::ok)
            return put.status;
        sent_ += put.bytes;
        unsent_.consume(put.bytes);
    }
    return io_status::ok;
}

}  // namespace sluice
