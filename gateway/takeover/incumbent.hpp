// gateway/takeover/incumbent.hpp: the running process's side of a takeover: it listens at the
// control socket, lends its sockets to the process that asks, and leaves the field when that one is
// ready.
//
//   listening -> lending (one process has our sockets; we serve on) -> leaving (we accept no more)
//                   '-> listening, when that process fails or takes too long
//
// Layer: gateway. Thread: the first worker's; listen() before it starts.
// Bounds: one conversation at a time, `ready` within lend_most, packets of packet_max.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include "gateway/context.hpp"
#include "gateway/service_manager.hpp"
#include "gateway/takeover/message.hpp"

namespace sluice::gateway::takeover {

class incumbent {
public:
    static constexpr std::chrono::seconds lend_most{60};

    struct hooks {
        std::function<std::vector<inherited_socket>()> sockets;
        std::function<bool()> busy;                      // shutting down: nothing is handed over
        std::function<void(std::uint64_t pid)> give_up;  // that process serves now
    };
    incumbent(context& shared, asio::io_context& first, hooks calls);
    ~incumbent();

    // At `path`; or with the socket that listens there already. Without one there are no takeovers,
    // which the log says.
    void listen(const std::string& path, int inherited);
    // The gateway ends by itself: nobody can take over any more.
    void refuse();
    void stop();

private:
    enum class stage { listening, preparing, lending, leaving };

    void accept();
    void adopt(int fd);
    void wait_for_packet();
    void on_packet(received got);
    void lend();
    void answer(const std::string& why_not);
    void leave();
    void on_cancel(const message& what);
    void on_kill(const message& what);
    void done(std::uint64_t ref, int outcome);
    void peer_failed(const std::string& why);
    void close_peer();

    context& shared_;
    asio::io_context& io_;
    const hooks calls_;
    std::string path_;
    asio::posix::stream_descriptor door_;
    asio::posix::stream_descriptor peer_;
    asio::steady_timer patience_;
    stage stage_ = stage::listening;
    std::uint64_t successor_ = 0;  // its process id
    unsigned conversation_ = 0;    // answers of an earlier one are dropped
};

}  // namespace sluice::gateway::takeover
