// gateway/worker.hpp: one thread with its loop, its sockets and its clients.
//
// Layer: gateway. Thread: everything on the worker's own thread, but for what is marked.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
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
    // KILL of client `id` by one of `user`; `done` is called on some thread. Any thread.
    void post_kill(std::uint64_t id,
                   kill_scope scope,
                   std::string user,
                   std::function<void(kill_outcome)> done);
    // Clients get greater ids than this; before start().
    void use_ids_after(std::uint64_t id) noexcept;
    std::uint64_t ids_used() const noexcept;  // any thread: none is greater
    // Clients are asked to leave: those that have been idle for a moment, and, if `firm`, all
    // others as soon as they are between transactions. Who is logging in is let in unless `firm`.
    // Any thread.
    void post_drain(bool firm);
    // Clients that got one of these databases by a generation before the number beside it leave at
    // their next moment between transactions; any thread.
    void post_drain_databases(std::map<std::string, std::uint64_t> names);
    // Who was asked to leave leaves now; any thread.
    void post_close_leaving();
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
    bool draining() const noexcept { return drain_ == drain_stage::firm; }

private:
    void adopt(int fd, std::string peer, client_protocol protocol);
    std::uint64_t fresh_id();
    void arm_sweep();
    void sweep();
    void sweep_sessions(std::chrono::steady_clock::time_point now);

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
    std::atomic<std::uint64_t> next_{1};
    unsigned sweeps_ = 0;
    std::chrono::steady_clock::time_point swept_{};
    enum class drain_stage : std::uint8_t { none, gentle, firm };
    drain_stage drain_ = drain_stage::none;
    std::thread thread_;
};

}  // namespace sluice::gateway
