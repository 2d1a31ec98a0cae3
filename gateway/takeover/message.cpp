// gateway/takeover/message.cpp: packets between two gateway processes.
#include "gateway/takeover/message.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace sluice::gateway::takeover {
namespace {

std::string escaped(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        if (c == '%')
            out += "%25";
        else if (c == '\n')
            out += "%0A";
        else
            out += c;
    }
    return out;
}

std::string plain(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto code = text.substr(i, 3);
        if (code == "%25" || code == "%0A") {
            out += code == "%25" ? '%' : '\n';
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool fill_address(const std::string& path, sockaddr_un& into)
{
    into.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof into.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    std::memcpy(into.sun_path, path.c_str(), path.size());
    return true;
}

int close_and_fail(int fd)
{
    const int code = errno;
    if (fd >= 0)
        ::close(fd);
    errno = code;
    return -1;
}

}  // namespace

message& message::add(std::string name, std::string value)
{
    values.emplace_back(std::move(name), std::move(value));
    return *this;
}

message& message::add(std::string name, std::uint64_t number)
{
    return add(std::move(name), std::to_string(number));
}

std::string message::text(std::string_view name) const
{
    const auto found = std::find_if(
        values.begin(), values.end(), [&](const auto& each) { return each.first == name; });
    return found == values.end() ? std::string() : found->second;
}

std::uint64_t message::number(std::string_view name) const
{
    const auto value = text(name);
    std::uint64_t result = 0;
    const auto end = value.data() + value.size();
    const auto [at, ec] = std::from_chars(value.data(), end, result);
    return ec == std::errc() && at == end ? result : 0;
}

std::string written(const message& what)
{
    std::string out = what.verb;
    for (const auto& [name, value] : what.values)
        out += '\n' + name + '=' + escaped(value);
    return out;
}

std::optional<message> parse(std::string_view packet)
{
    if (packet.size() > packet_max)
        return std::nullopt;
    message made;
    auto end = std::min(packet.find('\n'), packet.size());
    made.verb = packet.substr(0, end);
    if (made.verb.empty() || made.verb.find('=') != std::string::npos)
        return std::nullopt;
    while (end < packet.size()) {
        packet.remove_prefix(end + 1);
        end = std::min(packet.find('\n'), packet.size());
        const auto line = packet.substr(0, end);
        const auto equals = line.find('=');
        if (equals == 0 || equals == std::string_view::npos)
            return std::nullopt;
        made.values.emplace_back(line.substr(0, equals), plain(line.substr(equals + 1)));
    }
    return made;
}

bool send_packet(int fd, const message& what, const std::vector<int>& descriptors)
{
    std::string text = written(what);
    if (text.size() > packet_max || descriptors.size() > sockets_max)
        return false;
    iovec bytes{text.data(), text.size()};
    msghdr packet{};
    packet.msg_iov = &bytes;
    packet.msg_iovlen = 1;
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int) * sockets_max)] = {};
    if (!descriptors.empty()) {
        const auto size = sizeof(int) * descriptors.size();
        packet.msg_control = room;
        packet.msg_controllen = CMSG_SPACE(size);
        cmsghdr* head = CMSG_FIRSTHDR(&packet);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(size);
        std::memcpy(CMSG_DATA(head), descriptors.data(), size);
    }
    return ::sendmsg(fd, &packet, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

received receive_packet(int fd)
{
    received got;
    std::vector<char> text(packet_max);
    iovec bytes{text.data(), text.size()};
    msghdr packet{};
    packet.msg_iov = &bytes;
    packet.msg_iovlen = 1;
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int) * sockets_max)];
    packet.msg_control = room;
    packet.msg_controllen = sizeof room;
    const auto size = ::recvmsg(fd, &packet, MSG_CMSG_CLOEXEC);
    if (size <= 0) {
        got.over = size == 0 || (errno != EAGAIN && errno != EINTR);
        return got;
    }
    for (cmsghdr* head = CMSG_FIRSTHDR(&packet); head; head = CMSG_NXTHDR(&packet, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        const auto count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        const auto before = got.descriptors.size();
        got.descriptors.resize(before + count);
        std::memcpy(got.descriptors.data() + before, CMSG_DATA(head), count * sizeof(int));
    }
    if (!(packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        got.what = parse({text.data(), static_cast<std::size_t>(size)});
    return got;
}

int connect_to(const std::string& path)
{
    sockaddr_un to{};
    if (!fill_address(path, to))
        return -1;
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        return close_and_fail(fd);
    return fd;
}

int listen_at(const std::string& path)
{
    sockaddr_un at{};
    if (!fill_address(path, at))
        return -1;
    // Somebody listens there: it is not ours to take. Nobody does: a process was killed.
    if (const int probe = connect_to(path); probe >= 0) {
        ::close(probe);
        errno = EADDRINUSE;
        return -1;
    }
    struct stat there {};
    if (errno == ECONNREFUSED && ::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode))
        ::unlink(path.c_str());
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    // The name is made with the socket's own permissions: nobody else can come in between.
    if (fd < 0 || ::fchmod(fd, 0600) != 0 ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
        ::chmod(path.c_str(), 0600) != 0 || ::listen(fd, 8) != 0)
        return close_and_fail(fd);
    return fd;
}

bool is_trusted(int fd)
{
    ucred who{};
    socklen_t size = sizeof who;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
           (who.uid == ::geteuid() || who.uid == 0);
}

}  // namespace sluice::gateway::takeover
