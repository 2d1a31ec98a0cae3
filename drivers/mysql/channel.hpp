// drivers/mysql/channel.hpp: one connection while it is being opened, or used for a single order:
// bytes to and from a server, each wait on the loop and none beyond a deadline.
//
// Layer: drivers. Shared by the coroutine and its timer, either of which may be the last to run.
// Bounds: a reply's packet has at most server_packet_max bytes.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/io/transport.hpp"
#include "drivers/mysql/connect.hpp"

namespace sluice::mysql {

// What a statement without rows was answered.
struct answer {
    bool lost = false;         // no answer that may be used: the connection is of no use
    std::uint16_t number = 0;  // of an error
    std::string text;          // what went wrong, on one line
    std::uint16_t status = 0;
    std::vector<std::pair<std::string, std::string>> variables;

    bool ok() const noexcept { return !lost && number == 0; }
};

class channel : public std::enable_shared_from_this<channel> {
public:
    using clock = std::chrono::steady_clock;

    explicit channel(asio::io_context& loop) : socket_(loop), timer_(loop) {}

    void set_deadline(clock::time_point until);
    bool late() const noexcept { return late_; }  // the deadline ended a wait

    // Each: empty, or what went wrong.
    asio::awaitable<std::string> connect(const server_address& to);
    asio::awaitable<std::string> shake_hands(const tls_context& tls, const std::string& host);
    asio::awaitable<std::string> send();     // all of out
    asio::awaitable<std::string> receive();  // some more into in

    asio::awaitable<answer> run(std::string_view sql, std::uint32_t capabilities);

    // Leaves the reactor.
    descriptor release();
    ssl_ptr take_ssl() noexcept { return std::move(ssl_); }

    byte_queue in;
    byte_queue out;

private:
    using socket = asio::generic::stream_protocol::socket;

    asio::awaitable<bool> wait(socket::wait_type what);
    std::string no_answer() const;

    socket socket_;
    asio::steady_timer timer_;
    ssl_ptr ssl_;
    transport stream_;
    bool late_ = false;
};

}  // namespace sluice::mysql
