// gateway/lane.hpp: how a client's requests become a backend's work, chosen once at login: relay
// (same protocol on both sides) or translate.
//
// A lane is driven by its client's session, on the session's worker. It never blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>

#include "proto/core/byte_queue.hpp"

namespace sluice::gateway {

struct client_identity {
    std::uint64_t id = 0;  // of this client in logs
    std::string user;
    std::string database;                                         // as the client named it
    std::vector<std::pair<std::string, std::string>> parameters;  // of the startup packet, all
    std::string peer;                                             // address:port, or "unix"
    std::uint32_t pid = 0;                                        // what BackendKeyData shall say
    std::uint32_t cancel_key = 0;
};

// What a lane sees of its client; implemented by the session.
class client_channel {
public:
    virtual ~client_channel() = default;
    virtual asio::io_context& io() noexcept = 0;  // everything here runs on its thread
    virtual std::size_t worker() const noexcept = 0;
    virtual byte_queue& out() noexcept = 0;           // append replies, then flush()
    virtual void flush() = 0;                         // sends what the socket takes
    virtual void send(bytes_view bytes) = 0;          // out() and flush() without the copy, mostly
    virtual std::size_t unsent() const noexcept = 0;  // bytes the client has not taken yet
    virtual void set_reading(bool on) = 0;            // back-pressure on the client
    // After flushing what can be flushed; the lane is destroyed later, never inside its own calls.
    virtual void close(std::string_view reason) = 0;
    virtual const client_identity& identity() const noexcept = 0;
    // A session that shows its backend's own pid: cancels come with it from now on.
    virtual void set_pid(std::uint32_t pid) = 0;
    // The lane has taken what it needs of identity().parameters.
    virtual void forget_parameters() noexcept = 0;
};

class lane {
public:
    virtual ~lane() = default;
    // After AuthenticationOk was appended: the lane sends ParameterStatus, BackendKeyData and
    // ReadyForQuery, now or later.
    virtual void start() = 0;
    // Takes all of it; keeps what it cannot use yet, and says set_reading(false) when that is
    // enough.
    virtual void on_data(bytes_view bytes) = 0;
    virtual void on_drained() = 0;      // unsent() fell to zero after it was above zero
    virtual void on_client_gone() = 0;  // no more calls but the destructor
    // A CancelRequest for this client. `done` is called when it cannot hit anything any more.
    virtual void on_cancel(std::function<void()> done) = 0;
    virtual bool quiescent() const noexcept = 0;  // between requests, outside of a transaction
    virtual void request_drain() = 0;             // at the next quiescent moment: 57P01 and close
};

}  // namespace sluice::gateway
