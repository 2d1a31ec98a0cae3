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
    // Throws std::runtime_error that says which address and why.
    listener(context& shared,
             asio::io_context& io,
             const endpoint& where,
             client_protocol protocol);
    ~listener();

    // The address listened at; the port is the kernel's where 0 was asked for.
    std::string address() const { return address_; }
    client_protocol protocol() const noexcept { return protocol_; }
    void start();
    void stop();

private:
    void open_tcp();
    void open_unix();
    void accept();
    void deal(int fd, std::string peer);
    void pause();

    context& shared_;
    const endpoint where_;
    const client_protocol protocol_;
    asio::posix::stream_descriptor socket_;
    asio::steady_timer pause_;
    std::string address_;
    bool exhausted_ = false;  // said once
};

}  // namespace sluice::gateway
