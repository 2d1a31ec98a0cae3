// gateway/takeover/successor.hpp: the new process's side of a takeover: it gets the sockets, says
// when it is ready, and passes on what clients want of the old process while that one drains.
//
// Layer: gateway. begin() and ready() on the main thread before the workers start; cancel() and
// kill() from any thread. Bounds: each wait by a timeout, requests under way by requests_max.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "gateway/lane.hpp"
#include "gateway/service_manager.hpp"
#include "gateway/takeover/message.hpp"

namespace sluice::gateway::takeover {

class successor {
public:
    static constexpr std::size_t requests_max = 1000;

    // A process that nobody came before.
    successor() = default;
    ~successor();
    successor(const successor&) = delete;
    successor& operator=(const successor&) = delete;

    struct inheritance {
        bool took_over = false;
        std::string error;  // the other process is there, but hands over nothing
        std::vector<inherited_socket> sockets;
        std::uint64_t ids = 0;  // of clients, used up
        std::string mysql_version;
    };
    // Blocks. Nobody listens at `path`: nothing is inherited, and that is no error.
    inheritance begin(const std::string& path);
    // The other process accepts no more from here on; blocks until it says so, or is gone.
    void ready();
    // Requests go out and answers come in on this loop, which outlives this object's use.
    void attach(asio::io_context& loop);

    // A CancelRequest that is for none of our clients. False: nobody else can know it, either;
    // else `done` is called later, on some thread.
    bool cancel(std::uint32_t pid, std::uint32_t key, std::function<void()> done);
    // The same for KILL of an id that is none of ours.
    bool kill(std::uint64_t id,
              kill_scope scope,
              const std::string& user,
              std::function<void(kill_outcome)> done);
    // On the loop's thread, or after it has ended.
    void stop();

private:
    using answer = std::function<void(std::uint64_t outcome)>;

    bool ask(message what, answer done);
    void wait_for_answer();
    void lost();

    int fd_ = -1;
    asio::io_context* loop_ = nullptr;
    std::atomic<bool> there_{false};
    // The loop's:
    std::unique_ptr<asio::posix::stream_descriptor> peer_;
    std::map<std::uint64_t, answer> asked_;
    std::uint64_t next_ = 1;
};

}  // namespace sluice::gateway::takeover
