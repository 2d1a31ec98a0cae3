// gateway/worker.hpp: one thread with its loop, its sockets and its clients.
//
// Layer: gateway. Thread: everything on the worker's own thread, but for what is marked.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/steady_timer.hpp>

#include "drivers/io/poller.hpp"
#include "gateway/deadlines/sweep_list.hpp"
#include "gateway/relay/statement_memory.hpp"
#include "gateway/session.hpp"

namespace sluice::gateway {

struct context;

class worker {
public:
    worker(context& shared, std::size_t index);
    ~worker();

    asio::io_context& io() noexcept { return io_; }
    poller& sockets() noexcept { return sockets_; }
    statement_memory& statements() noexcept { return statements_; }
    sweep_list& deadlines() noexcept { return deadlines_; }
    std::size_t index() const noexcept { return index_; }
    std::size_t clients() const noexcept { return clients_.load(); }  // any thread

    void start();  // any thread
    void join();   // any thread

    // Takes a connection that was accepted; any thread.
    void post_adopt(int fd, std::string peer, client_protocol protocol);
    // A CancelRequest for client `id` of this worker; `done` is called on this worker. Any thread.
    void post_cancel(std::uint64_t id, std::function<void()> done);
    // Clients leave at their next quiescent moment; any thread.
    void post_drain();
    // Clients leave now; any thread.
    void post_close_clients();
    // An administrator drops the clients of a database, respectively one client (`done`, on this
    // worker: whether there was one); any thread.
    void post_kill_clients(const std::string& database);
    void post_kill_client(std::uint64_t id, std::function<void(bool)> done);
    // The loop ends when its handlers have; any thread.
    void post_stop();

    // By a session that is finished; it is destroyed after its own calls have returned.
    void remove(std::uint64_t id);
    session* find(std::uint64_t id) noexcept;
    std::vector<std::uint64_t> ids() const;  // of all clients
    bool draining() const noexcept { return draining_; }

private:
    void adopt(int fd, std::string peer, client_protocol protocol);
    std::uint64_t fresh_id();
    void arm_sweep();
    void sweep();

    context& shared_;
    const std::size_t index_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    poller sockets_;
    statement_memory statements_;
    sweep_list deadlines_;
    asio::steady_timer sweeper_;
    std::unordered_map<std::uint64_t, std::unique_ptr<session>> sessions_;
    std::atomic<std::size_t> clients_{0};
    std::uint64_t next_ = 1;
    unsigned sweeps_ = 0;
    std::chrono::steady_clock::time_point swept_{};
    bool draining_ = false;
    std::thread thread_;
};

}  // namespace sluice::gateway
