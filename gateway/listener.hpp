// gateway/listener.hpp: accepts connections and deals them to the workers.
//
// One acceptor per address, on the first worker, hands each socket to the worker with the fewest
// clients: SO_REUSEPORT would spread by hash, unevenly for the few long connections of a pool.
//
// Layer: gateway. Thread: the first worker's, after construction.
#pragma once

#include <memory>
#include <string>

#include <sys/socket.h>

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include "gateway/config/config.hpp"
#include "gateway/lane.hpp"

namespace sluice::gateway {

struct context;

// "address:port", or "unix".
std::string peer_text(const sockaddr_storage& from);

class listener {
public:
    // `fd`: a socket that listens there already, taken over; -1: make one. Throws
    // std::runtime_error that says which address and why.
    listener(context& shared,
             asio::io_context& io,
             const endpoint& where,
             client_protocol protocol,
             int fd);
    ~listener();

    // The address listened at; the port is the kernel's where 0 was asked for.
    std::string address() const { return address_; }
    client_protocol protocol() const noexcept { return protocol_; }
    const endpoint& where() const noexcept { return where_; }
    bool is(const endpoint& place, client_protocol protocol) const noexcept
    {
        return where_ == place && protocol_ == protocol;
    }
    int fd() const noexcept;  // -1: stopped
    void start();
    // Who has connected already is let in.
    void stop();
    // Stops, but leaves a Unix socket's name to the process that has the socket now.
    void hand_over();
    // The backlog and permissions of `settings`.
    void adjust(const listen_config& settings);

private:
    void open_tcp();
    void open_unix();
    void accept();
    bool accept_some(int most);
    void deal(int fd, std::string peer);
    void pause();
    void close_socket();
    void learn_address(int fd);

    context& shared_;
    const endpoint where_;
    const client_protocol protocol_;
    asio::posix::stream_descriptor socket_;
    asio::steady_timer pause_;
    std::string address_;
    // The name of a Unix socket that came from outside stays: systemd's, or of a process that goes
    // on if this one fails.
    const bool owns_path_;
    bool started_ = false;
    bool exhausted_ = false;  // said once
};

}  // namespace sluice::gateway
