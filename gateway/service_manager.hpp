// gateway/service_manager.hpp: what systemd is told (sd_notify) and what it hands over (sockets).
//
// The protocol is a datagram of lines to the Unix socket $NOTIFY_SOCKET (sd_notify(3)), so no
// library is needed. Without the variable every call does nothing.
//
// Layer: gateway. Thread-safe after construction.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"
#include "gateway/lane.hpp"

namespace sluice::gateway {

class service_manager {
public:
    // Reads the environment and takes the variables out of it: no child shall believe they are its.
    service_manager();
    ~service_manager();
    service_manager(const service_manager&) = delete;
    service_manager& operator=(const service_manager&) = delete;

    // `took_over`: another process was the service until now.
    void ready(bool took_over) const;
    // To be said by the process that has been the service: of another one it may not be believed.
    void now_served_by(std::uint64_t pid) const;
    void reloading() const;
    void stopping() const;
    void feed_watchdog() const;
    void status(const std::string& text) const;

    // What the process that takes over has to know, as NAME=value.
    std::vector<std::string> variables() const;

    // 0: no watchdog. It has to be fed more often.
    std::chrono::microseconds watchdog() const noexcept { return watchdog_; }

private:
    void send(std::string_view lines) const;

    std::string address_;
    int fd_ = -1;
    std::chrono::microseconds watchdog_{0};
};

// A listening socket from outside: of systemd, or of the process that is taken over.
struct inherited_socket {
    int fd = -1;
    std::string name;     // "postgres", "mysql", "http", "control", or ""
    std::string address;  // as endpoint::text() has it; "": look at the socket
};

// LISTEN_FDS (sd_listen_fds(3)), if they are for this process; takes the variables away.
std::vector<inherited_socket> sockets_of_service_manager();

// The listening socket for `where`, taken out of `all`; -1: there is none. A socket is one's own
// when its name says the protocol or nothing, and its address is `where`; and when it is alone in
// saying the protocol, at whatever address (systemd's unit decides where it listens).
int take_socket(std::vector<inherited_socket>& all, const std::string& name, const endpoint& where);

// What is left over is closed.
void close_sockets(std::vector<inherited_socket>& all) noexcept;

// "127.0.0.1:6432", "[::]:6432", "unix:/path" of a bound socket; "": unknown.
std::string bound_address(int fd);

}  // namespace sluice::gateway
