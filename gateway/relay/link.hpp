// gateway/relay/link.hpp: one connection to a database server, as a relay uses it: its socket, its
// flow control, its cancels and its end. Each protocol derives its own (pg_link, my_link).
//
//   idle in the pool -> leased -> (recovering: cancel, roll back, clean) -> idle, or closed
//
// Layer: gateway/relay. Thread: its worker's. Owned by its pool shard.
// Bounds: reading pauses when the client does not take its bytes; writing is the lane's to stop
// while congested().
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include "drivers/api/backend.hpp"
#include "drivers/io/poller.hpp"
#include "drivers/io/transport.hpp"
#include "pool/shard.hpp"

namespace sluice::gateway {

struct context;
namespace statistics {
struct server_info;
}

class link : public backend, protected pollable {
public:
    // backend
    void depart() override;
    void arrive(std::size_t worker) override;

    void add(bytes_view bytes) { stream_.unsent().append(bytes); }
    // To be sent with the next send() or flush().
    byte_queue& out() noexcept { return stream_.unsent(); }
    void send(bytes_view bytes);
    void flush();
    bool congested() const noexcept { return !stream_.unsent().empty(); }

    // Back-pressure: the client does not take its bytes.
    void pause_reading() noexcept { paused_ = true; }
    void resume_reading();

    // Asks the server to cancel what runs; `done` comes when it can hit nothing any more. The link
    // is not leased to anybody else before.
    void cancel(std::function<void()> done);
    bool cancelling() const noexcept { return cancels_ > 0; }
    // It did not do what it was told; whoever leases it is told why.
    void abort(const std::string& why) { lost(why); }

    void describe(statistics::server_info& into) const;

    // The connection is not to be used again. Nobody is told: for links without a client.
    void give_up(const std::string& why);

protected:
    link(context& shared, pool::shared_pool& pool, int fd, SSL* ssl);
    ~link() override;

    // --- what a protocol does with it
    // What the server sent, to be changed in place at will; false: the link is dead.
    virtual bool consume(std::span<std::byte> bytes) = 0;
    virtual void settled() = 0;                          // after each batch of reads
    virtual void on_drained() = 0;                       // the server took what waited to be sent
    virtual void on_lost(const std::string& cause) = 0;  // whoever leases it has to be told
    virtual bool nothing_owed() const noexcept = 0;      // the server waits for a request
    // One step of the clean-up after a lease, when nothing is owed and no cancel can hit any more;
    // ends in recovered().
    virtual void step_recovery() = 0;
    // Asks on a connection of its own. The link may be gone before it ends: not a coroutine of its.
    virtual asio::awaitable<std::error_code> send_cancel() = 0;
    virtual bool leased() const noexcept = 0;
    virtual void describe_session(statistics::server_info& into) const = 0;
    // Several clients' statements are on it, and are timed one by one.
    virtual bool times_itself() const noexcept { return false; }
    virtual std::int64_t server_id() const noexcept = 0;  // its process or connection id, for logs

    // From every derived destructor, before the descriptor is closed.
    void leave_poller() noexcept;
    void lost(const std::string& cause);
    void start_deadline(std::chrono::milliseconds timeout, std::string why);
    void begin_recovery() noexcept { recovering_ = true; }
    // Clean: back to the pool.
    void recovered();
    bool write_blocked() const noexcept { return writing_blocked_; }
    // One on_turn_end() (see poller.hpp).
    void flush_at_turn_end() { poller_->at_turn_end(*this); }
    steady_clock::time_point poller_now() const noexcept { return poller_->turn_time(); }
    steady_clock::time_point poller_time() const noexcept { return poller_->time(); }

    context& shared_;
    pool::shared_pool& pool_;
    pool::shard* shard_ = nullptr;
    transport stream_;
    bool paused_ = false;
    bool recovering_ = false;
    bool dead_ = false;
    std::unique_ptr<asio::steady_timer> deadline_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for completions under way

private:
    void on_ready(std::uint32_t events) override;
    void read_some();
    void note_begun() noexcept;
    void note_answered();

    poller* poller_ = nullptr;
    bool writing_blocked_ = false;
    bool hung_up_ = false;  // the server has closed its side
    int cancels_ = 0;
    bool timing_ = false;  // of pools that find their own size: what the server takes
    steady_clock::time_point begun_;
};

}  // namespace sluice::gateway
