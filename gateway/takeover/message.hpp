// gateway/takeover/message.hpp: what two gateway processes say to each other while one takes over
// from the other.
//
//   new -> old   takeover version=1 pid=N
//   old -> new   sockets ids=N mysql_version=V socket.0="postgres 127.0.0.1:6432" ...   (+
//   descriptors)
//           or   refused why=...
//   new -> old   ready            it serves as soon as it has the answer
//   old -> new   go               it accepts no more
//   new -> old   cancel ref=N pid=N key=N          a CancelRequest for a client of the old one
//   new -> old   kill ref=N id=N scope=query user=U
//   old -> new   done ref=N outcome=N
//
// Each is one packet (SOCK_SEQPACKET): a verb, then lines name=value; % and line feeds of values as
// %25 and %0A. Layer: gateway. Pure; parse() is for packets of any content.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::gateway::takeover {

inline constexpr int protocol_version = 1;
inline constexpr std::size_t packet_max = 64 * 1024;
inline constexpr std::size_t sockets_max = 250;  // SCM_MAX_FD is 253

struct message {
    std::string verb;
    std::vector<std::pair<std::string, std::string>> values;

    message& add(std::string name, std::string value);
    message& add(std::string name, std::uint64_t number);
    // "" and 0 where there is none.
    std::string text(std::string_view name) const;
    std::uint64_t number(std::string_view name) const;
};

std::string written(const message& what);
std::optional<message> parse(std::string_view packet);

// A packet with descriptors over a Unix socket; both false or empty when it cannot be (errno).
bool send_packet(int fd, const message& what, const std::vector<int>& descriptors = {});

struct received {
    std::optional<message> what;   // none: nothing came, or nonsense
    std::vector<int> descriptors;  // the caller's now
    bool over = false;             // the other side has closed, or failed
};
received receive_packet(int fd);

// A connection to, and a listening socket at, a path; -1 and errno. The socket is its owner's
// alone.
int connect_to(const std::string& path);
int listen_at(const std::string& path);
// Whether the process behind a connection has our user, or root's.
bool is_trusted(int fd);

}  // namespace sluice::gateway::takeover
