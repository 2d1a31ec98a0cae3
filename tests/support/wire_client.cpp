// tests/support/wire_client.cpp: sockets and framing for hostile clients.
#include "support/wire_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace sluice::support {
namespace {

using clock = std::chrono::steady_clock;

bool wait_for(int fd, short events, clock::time_point until)
{
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
    pollfd one{fd, events, 0};
    return ::poll(&one, 1, static_cast<int>(left > 0 ? left : 0)) > 0;
}

std::uint32_t load32(const std::string& from, std::size_t at)
{
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value = value << 8 | static_cast<std::uint8_t>(from[at + i]);
    return value;
}

}  // namespace

std::string be32(std::uint32_t value)
{
    return be16(static_cast<std::uint16_t>(value >> 16)) + be16(static_cast<std::uint16_t>(value));
}

std::string be16(std::uint16_t value)
{
    return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string message(char type, std::string_view body)
{
    std::string out(1, type);
    out += be32(static_cast<std::uint32_t>(body.size() + 4));
    out += body;
    return out;
}

std::string startup(std::string_view user, std::string_view database)
{
    std::string body = be32(196608);
    for (const std::string_view text : {std::string_view("user"),
                                        user,
                                        std::string_view("database"),
                                        database,
                                        std::string_view()}) {
        body += text;
        body += '\0';
    }
    return be32(static_cast<std::uint32_t>(body.size() + 4)) + body;
}

std::string simple_query(std::string_view sql)
{
    return message('Q', std::string(sql) + '\0');
}

wire_client::wire_client(std::uint16_t port)
{
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        ::close(fd_);
        fd_ = -1;
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

wire_client::~wire_client()
{
    if (fd_ >= 0)
        ::close(fd_);
}

bool wire_client::send(std::string_view bytes, std::chrono::milliseconds longest) const
{
    const auto until = clock::now() + longest;
    while (!bytes.empty()) {
        const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0)
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        else if (errno != EAGAIN || !wait_for(fd_, POLLOUT, until))
            return false;
    }
    return true;
}

void wire_client::half_close() const
{
    ::shutdown(fd_, SHUT_WR);
}

void wire_client::reset()
{
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(fd_, -1));
}

// False at the end of the stream.
bool wire_client::fill(std::chrono::milliseconds longest)
{
    if (!wait_for(fd_, POLLIN, clock::now() + longest))
        throw std::runtime_error("nothing from the gateway within the time; before it: " + in_);
    char chunk[16384];
    const auto got = ::recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0)
        return false;
    in_.append(chunk, static_cast<std::size_t>(got));
    return true;
}

bool wire_client::receive_bytes(std::string& into, std::chrono::milliseconds longest)
{
    if (in_.empty() && !fill(longest))
        return false;
    into += std::exchange(in_, {});
    return true;
}

std::optional<wire_client::reply> wire_client::receive(std::chrono::milliseconds longest)
{
    while (in_.size() < 5 || in_.size() < 1 + load32(in_, 1)) {
        if (!fill(longest))
            return {};
    }
    const std::size_t size = 1 + load32(in_, 1);
    reply got{in_[0], in_.substr(5, size - 5)};
    in_.erase(0, size);
    return got;
}

std::string wire_client::until_closed(std::chrono::milliseconds longest)
{
    const auto until = clock::now() + longest;
    while (true) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now());
        if (!fill(left.count() > 0 ? left : std::chrono::milliseconds(0)))
            return std::exchange(in_, {});
    }
}

std::string wire_client::until_ready(std::chrono::milliseconds longest)
{
    std::string types;
    error_.clear();
    while (const auto got = receive(longest)) {
        types += got->type;
        note(*got);
        if (got->type == 'Z')
            break;
    }
    return types;
}

bool wire_client::log_in(std::string_view user, std::string_view database)
{
    if (!send(startup(user, database)))
        return false;
    const auto types = until_ready();
    return types.starts_with('R') && types.ends_with('Z');
}

void wire_client::note(const reply& got)
{
    if (got.type != 'E')
        return;
    std::string code;
    std::string text;
    std::size_t at = 0;
    while (at < got.body.size() && got.body[at] != '\0') {
        const char field = got.body[at];
        const std::string value = got.body.c_str() + at + 1;
        if (field == 'C')
            code = value;
        if (field == 'M')
            text = value;
        at += 1 + value.size() + 1;
    }
    error_ = code + ": " + text;
}

}  // namespace sluice::support
