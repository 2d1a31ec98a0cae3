// gateway/listener.cpp: listening sockets.
#include "gateway/listener.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/context.hpp"
#include "gateway/log/log.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

constexpr int accepts_max = 64;  // in one turn of the loop
constexpr std::chrono::milliseconds pause_time{100};

[[noreturn]] void fail(const std::string& address, const std::string& why)
{
    throw std::runtime_error("cannot listen at " + address + ": " + why);
}

void set_option(int fd, int level, int name, int value) noexcept
{
    ::setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

std::string peer_text(const sockaddr_storage& from)
{
    if (from.ss_family == AF_UNIX)
        return "unix";
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    if (::getnameinfo(reinterpret_cast<const sockaddr*>(&from),
                      sizeof from,
                      host,
                      sizeof host,
                      port,
                      sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return "unknown";
    return std::string(host) + ":" + port;
}

listener::listener(
    context& shared, asio::io_context& io, const endpoint& where, client_protocol protocol, int fd)
    : shared_(shared),
      where_(where),
      protocol_(protocol),
      socket_(io),
      pause_(io),
      address_(where.text()),
      owns_path_(fd < 0)
{
    if (fd >= 0) {
        socket_.assign(fd);
        learn_address(fd);
    } else if (where_.is_unix()) {
        open_unix();
    } else {
        open_tcp();
    }
}

listener::~listener()
{
    started_ = false;
    stop();
}

void listener::open_tcp()
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(where_.port);
    const int failed = ::getaddrinfo(
        where_.host.empty() ? nullptr : where_.host.c_str(), port.c_str(), &hints, &found);
    if (failed != 0)
        fail(address_, ::gai_strerror(failed));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, ::freeaddrinfo);
    // "every address" in IPv6 takes IPv4 as well.
    const addrinfo* best = found;
    for (const addrinfo* each = found; where_.host.empty() && each; each = each->ai_next) {
        if (each->ai_family == AF_INET6)
            best = each;
    }
    const int fd = ::socket(best->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail(address_, std::strerror(errno));
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (best->ai_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (::bind(fd, best->ai_addr, best->ai_addrlen) != 0 ||
        ::listen(fd, shared_.settings()->listen.backlog) != 0) {
        const int error = errno;
        ::close(fd);
        fail(address_, std::strerror(error));
    }
    socket_.assign(fd);
    if (where_.port == 0)
        learn_address(fd);
}

void listener::learn_address(int fd)
{
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
        bound.ss_family != AF_UNIX)
        address_ = peer_text(bound);
}

void listener::open_unix()
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (where_.unix_path.size() >= sizeof address.sun_path)
        fail(address_, "the path is longer than a Unix socket's may be");
    std::memcpy(address.sun_path, where_.unix_path.c_str(), where_.unix_path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail(address_, std::strerror(errno));
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    // A socket that nobody listens at is left over from a process that was killed.
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(probe, name, sizeof address) != 0 && errno == ECONNREFUSED)
        ::unlink(where_.unix_path.c_str());
    ::close(probe);
    if (::bind(fd, name, sizeof address) != 0 ||
        ::chmod(where_.unix_path.c_str(), shared_.settings()->listen.unix_socket_mode) != 0 ||
        ::listen(fd, shared_.settings()->listen.backlog) != 0) {
        const int error = errno;
        ::close(fd);
        fail(address_, std::strerror(error));
    }
    socket_.assign(fd);
}

void listener::start()
{
    started_ = true;
    accept();
}

void listener::stop()
{
    if (!socket_.is_open())
        return;
    // Closing the socket would reset those that have connected already.
    if (started_)
        accept_some(shared_.settings()->listen.backlog);
    close_socket();
    if (where_.is_unix() && owns_path_)
        ::unlink(where_.unix_path.c_str());
}

void listener::hand_over()
{
    if (socket_.is_open())
        close_socket();
}

void listener::close_socket()
{
    asio::error_code ignored;
    pause_.cancel();
    socket_.close(ignored);
}

int listener::fd() const noexcept
{
    // native_handle() is not const in this version of Asio.
    auto& socket = const_cast<asio::posix::stream_descriptor&>(socket_);
    return socket.is_open() ? socket.native_handle() : -1;
}

void listener::adjust(const listen_config& settings)
{
    if (!socket_.is_open())
        return;
    ::listen(socket_.native_handle(), settings.backlog);
    if (where_.is_unix())
        ::chmod(where_.unix_path.c_str(), settings.unix_socket_mode);
}

void listener::accept()
{
    if (!socket_.is_open())
        return;
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this](const asio::error_code& ec) {
                           if (ec)
                               return;
                           if (accept_some(accepts_max))
                               accept();
                           else
                               pause();
                       });
}

// False: there are no descriptors or there is no memory.
bool listener::accept_some(int most)
{
    for (int i = 0; i < most; ++i) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const int fd = ::accept4(socket_.native_handle(),
                                 reinterpret_cast<sockaddr*>(&from),
                                 &size,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
        deal(fd, peer_text(from));
    }
    return true;
}

// Out of descriptors: clients wait in the kernel's queue until some are free again.
void listener::pause()
{
    if (!exhausted_)
        log::error("no new clients: out of file descriptors",
                   {{"address", address_}, {"hint", "raise the process's limit (ulimit -n)"}});
    exhausted_ = true;
    pause_.expires_after(pause_time);
    pause_.async_wait([this](const asio::error_code& ec) {
        if (!ec)
            accept();
    });
}

void listener::deal(int fd, std::string peer)
{
    exhausted_ = false;
    if (!where_.is_unix()) {
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        const auto keepalive = shared_.settings()->gateway.tcp_keepalive;
        if (keepalive.enabled) {
            set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
            set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(keepalive.idle.count()));
            set_option(
                fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(keepalive.interval.count()));
            set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive.count);
        }
    }
    worker* least = shared_.workers.front().get();
    for (const auto& each : shared_.workers) {
        if (each->clients() < least->clients())
            least = each.get();
    }
    least->post_adopt(fd, std::move(peer), protocol_);
}

}  // namespace sluice::gateway
