// drivers/mysql/resolve.cpp: names to addresses, on a helper thread.
#include "drivers/mysql/resolve.hpp"

#include <asio/post.hpp>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "drivers/io/wakeup.hpp"

namespace sluice::mysql {
namespace {

// Without a look-up when `flags` has AI_NUMERICHOST; may block otherwise.
void look_up(const std::string& host, std::uint16_t port, int flags, resolve_result& into)
{
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICSERV | flags;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
    if (failed != 0) {
        into.problem = "its name cannot be resolved: ";
        into.problem += ::gai_strerror(failed);
        return;
    }
    for (const addrinfo* one = found; one; one = one->ai_next) {
        server_address address;
        address.size = std::min<socklen_t>(one->ai_addrlen, sizeof address.bytes);
        std::memcpy(&address.bytes, one->ai_addr, address.size);
        into.addresses.push_back(address);
    }
    ::freeaddrinfo(found);
}

void socket_address(const std::string& path, resolve_result& into)
{
    sockaddr_un local{};
    if (path.size() >= sizeof local.sun_path) {
        into.problem = "the path is longer than a socket's may be";
        return;
    }
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, path.data(), path.size());
    server_address address;
    address.size = sizeof local;
    std::memcpy(&address.bytes, &local, sizeof local);
    into.addresses.push_back(address);
}

// Shared by the coroutine and the helper thread, which may outlive it.
struct attempt {
    explicit attempt(asio::io_context& loop) : wake(loop.get_executor()) {}
    wakeup wake;
    std::string host;
    std::uint16_t port = 0;
    resolve_result found;
    std::atomic<bool> abandoned = false;
};

}  // namespace

asio::awaitable<resolve_result> resolve(asio::io_context& loop,
                                        asio::thread_pool& blocking,
                                        const connect_options& options,
                                        std::chrono::steady_clock::time_point deadline)
{
    resolve_result found;
    if (options.only)
        found.addresses.push_back(*options.only);
    else if (!options.socket.empty())
        socket_address(options.socket, found);
    else
        look_up(options.host, options.port, AI_NUMERICHOST, found);
    if (!found.addresses.empty() || !options.socket.empty())
        co_return found;

    const auto self = std::make_shared<attempt>(loop);
    self->host = options.host;
    self->port = options.port;
    const unsigned turn = self->wake.begin();
    asio::post(blocking, [self, turn, &loop]() {
        if (!self->abandoned)
            look_up(self->host, self->port, 0, self->found);
        asio::post(loop, [self, turn]() { self->wake.signal(turn); });
    });
    if (!co_await self->wake.wait(deadline)) {
        self->abandoned = true;
        found.problem = "no answer in time, while resolving its name";
        found.late = true;
        co_return found;
    }
    co_return std::move(self->found);
}

std::string describe(const connect_options& options)
{
    if (!options.socket.empty())
        return "server on socket \"" + options.socket + "\"";
    return "server at \"" + options.host + "\", port " + std::to_string(options.port);
}

std::string describe(const connect_options& options, const server_address& address)
{
    if (!options.socket.empty())
        return describe(options);
    std::array<char, NI_MAXHOST> text{};
    const auto* from = reinterpret_cast<const sockaddr*>(&address.bytes);
    if (::getnameinfo(from, address.size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) !=
            0 ||
        options.host == text.data())
        return describe(options);
    return "server at \"" + options.host + "\" (" + text.data() + "), port " +
           std::to_string(options.port);
}

}  // namespace sluice::mysql
