// gateway/service_manager.cpp: talking to systemd.
#include "gateway/service_manager.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace sluice::gateway {
namespace {

constexpr int first_socket = 3;  // SD_LISTEN_FDS_START
constexpr int sockets_max = 256;

std::string variable(const char* name)
{
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::int64_t number(const std::string& text)
{
    return text.empty() ? 0 : std::strtoll(text.c_str(), nullptr, 10);
}

bool is_listening(int fd)
{
    int yes = 0;
    socklen_t size = sizeof yes;
    return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes == 1;
}

bool same_place(const inherited_socket& socket, const endpoint& where)
{
    const auto text = where.text();
    if (!socket.address.empty() && socket.address == text)
        return true;
    const auto bound = bound_address(socket.fd);
    if (bound == text)
        return true;
    // "every address" is written by its family in one and by a star in the other.
    if (where.is_unix() || !where.host.empty())
        return false;
    const auto port = ":" + std::to_string(where.port);
    return bound == "[::]" + port || bound == "0.0.0.0" + port;
}

}  // namespace

service_manager::service_manager()
{
    address_ = variable("NOTIFY_SOCKET");
    const auto pid = number(variable("WATCHDOG_PID"));
    if (pid == 0 || pid == ::getpid())
        watchdog_ = std::chrono::microseconds(number(variable("WATCHDOG_USEC")));
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_PID");
    ::unsetenv("WATCHDOG_USEC");
    if (!address_.empty())
        fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

service_manager::~service_manager()
{
    if (fd_ >= 0)
        ::close(fd_);
}

void service_manager::ready(bool took_over) const
{
    std::string lines = "READY=1\nSTATUS=serving";
    if (took_over)
        lines = "MAINPID=" + std::to_string(::getpid()) + "\n" + lines;
    send(lines);
}

void service_manager::now_served_by(std::uint64_t pid) const
{
    send("MAINPID=" + std::to_string(pid));
}

void service_manager::reloading() const
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void service_manager::stopping() const
{
    send("STOPPING=1\nSTATUS=waiting for clients");
}

void service_manager::feed_watchdog() const
{
    send("WATCHDOG=1");
}

std::vector<std::string> service_manager::variables() const
{
    std::vector<std::string> all;
    if (!address_.empty())
        all.push_back("NOTIFY_SOCKET=" + address_);
    if (watchdog_.count() > 0)
        all.push_back("WATCHDOG_USEC=" + std::to_string(watchdog_.count()));
    return all;
}

void service_manager::status(const std::string& text) const
{
    send("STATUS=" + text);
}

void service_manager::send(std::string_view lines) const
{
    sockaddr_un to{};
    if (fd_ < 0 || address_.size() >= sizeof to.sun_path)
        return;
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    ::sendto(fd_,
             lines.data(),
             lines.size(),
             MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&to),
             size);
}

std::vector<inherited_socket> sockets_of_service_manager()
{
    const auto pid = number(variable("LISTEN_PID"));
    const auto count = number(variable("LISTEN_FDS"));
    const auto names = variable("LISTEN_FDNAMES");
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
    ::unsetenv("LISTEN_FDNAMES");
    std::vector<inherited_socket> all;
    if (pid != ::getpid() || count <= 0 || count > sockets_max)
        return all;
    std::size_t at = 0;
    for (int i = 0; i < count; ++i) {
        const auto end = std::min(names.find(':', at), names.size());
        inherited_socket each;
        each.fd = first_socket + i;
        each.name = at < names.size() ? names.substr(at, end - at) : "";
        at = end + 1;
        ::fcntl(each.fd, F_SETFD, FD_CLOEXEC);
        // systemd's own words for "no name was given", and the name of the unit by default.
        if (each.name == "unknown" || each.name == "connection" || each.name == "stored" ||
            each.name.ends_with(".socket"))
            each.name.clear();
        if (is_listening(each.fd))
            all.push_back(std::move(each));
        else
            ::close(each.fd);
    }
    return all;
}

int take_socket(std::vector<inherited_socket>& all, const std::string& name, const endpoint& where)
{
    auto found = std::find_if(all.begin(), all.end(), [&](const inherited_socket& each) {
        return (each.name.empty() || each.name == name) && same_place(each, where);
    });
    if (found == all.end()) {
        const auto says = [&](const inherited_socket& each) {
            return each.name == name && each.address.empty();
        };
        if (std::count_if(all.begin(), all.end(), says) == 1)
            found = std::find_if(all.begin(), all.end(), says);
    }
    if (found == all.end())
        return -1;
    const int fd = found->fd;
    all.erase(found);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

void close_sockets(std::vector<inherited_socket>& all) noexcept
{
    for (const auto& each : all)
        ::close(each.fd);
    all.clear();
}

std::string bound_address(int fd)
{
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
        return {};
    char text[INET6_ADDRSTRLEN] = {};
    if (bound.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(bound);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
    }
    if (bound.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(bound);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
    }
    if (bound.ss_family == AF_UNIX) {
        const auto& local = reinterpret_cast<const sockaddr_un&>(bound);
        const auto length = size - offsetof(sockaddr_un, sun_path);
        return "unix:" + std::string(local.sun_path, ::strnlen(local.sun_path, length));
    }
    return {};
}

}  // namespace sluice::gateway
