// gateway/session_describe.cpp: what the console and the HTTP API show of a client.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

#include "gateway/context.hpp"
#include "gateway/listener.hpp"
#include "gateway/session.hpp"
#include "gateway/statistics/snapshot.hpp"
#include "gateway/tenants/waiting.hpp"

namespace sluice::gateway {
namespace {

constexpr std::string_view unix_name = "/.s.PGSQL.";

// By the name that PostgreSQL's clients look for; 0: it has another one.
std::uint16_t port_of(const sockaddr_un& at, socklen_t size) noexcept
{
    const auto begin = offsetof(sockaddr_un, sun_path);
    const auto end = std::clamp<std::size_t>(size, begin, sizeof at);
    const std::string_view path(at.sun_path, ::strnlen(at.sun_path, end - begin));
    const auto name = path.rfind(unix_name);
    std::uint16_t port = 0;
    if (name != std::string_view::npos)
        std::from_chars(path.data() + name + unix_name.size(), path.data() + path.size(), port);
    return port;
}

}  // namespace

void session::describe(statistics::client_info& into) const
{
    using statistics::client_state;
    into.id = identity_.id;
    into.mysql = protocol_ == client_protocol::mysql;
    into.tls = stream_.ssl() != nullptr;
    into.user = front_ ? front_->user() : identity_.user;
    into.database = identity_.database;
    into.tenant = place_.traffic ? tenant()->name() : std::string();
    into.peer = identity_.peer;
    into.application = application_;
    into.unsent = stream_.unsent().size();
    into.leaving = leaving_ || shared_.control.draining();
    into.connected = into.since = into.request = connected_;
    if (phase_ == phase::serving) {
        into.state = client_state::idle;
        lane_->describe(into);
        if (held()) {
            into.state = client_state::waiting;
            into.since = held_since_;
            into.waits_for = statistics::max_buffer;
            into.waits_why = describe_buffer(*tenant());
        }
    } else if (phase_ == phase::closing || phase_ == phase::finished) {
        into.state = client_state::closing;
    }
}

void session::describe_ends(statistics::client_info& into) const
{
    sockaddr_storage end{};
    socklen_t size = sizeof end;
    if (::getsockname(stream_.fd(), reinterpret_cast<sockaddr*>(&end), &size) != 0)
        return;
    into.local = peer_text(end);
    if (end.ss_family != AF_UNIX)
        return;
    into.unix_port = port_of(reinterpret_cast<const sockaddr_un&>(end), size);
    ucred peer{};
    size = sizeof peer;
    if (::getsockopt(stream_.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        into.unix_pid = peer.pid;
}

}  // namespace sluice::gateway
