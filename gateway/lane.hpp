// gateway/lane.hpp: how a client's requests become a backend's work, chosen once at login: relay
// (same protocol on both sides) or translate.
//
// A lane is driven by its client's session, on the session's worker. It never blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>

#include "pool/tenant.hpp"
#include "gateway/statistics/registry.hpp"
#include "proto/core/byte_queue.hpp"
#include "proto/sql/trace_comment.hpp"

namespace sluice::gateway {

namespace statistics {
struct client_info;
}

enum class client_protocol : std::uint8_t { postgres, mysql };

// What a MySQL client's handshake agreed on, and what its lane must know of the conversation.
struct my_client {
    std::uint32_t capabilities = 0;  // CLIENT_* flags that both sides have
    std::uint32_t max_packet = 0;    // as the client said it; 0: it did not
    std::uint16_t collation = 0;     // of the handshake response: a character set's number
    std::uint8_t sequence = 0;       // of the packet that lane::start() answers with
    bool tls = false;
    std::string nonce;   // of the login: COM_CHANGE_USER may be answered with it
    std::string schema;  // what the client begins in, if not in its database's
};

struct client_identity {
    std::uint64_t id = 0;  // of this client in logs
    std::string user;
    std::string database;  // as the client named it
    std::string tenant;    // "": by its database (gateway/tenants/identify.hpp)
    // Of the startup packet, all; MySQL: the connection attributes.
    std::vector<std::pair<std::string, std::string>> parameters;
    std::optional<sql::trace_parent> trace;  // of the whole connection (sluice.traceparent)
    std::string peer;                        // address:port, or "unix"
    std::uint32_t pid = 0;  // what BackendKeyData shall say; MySQL: the connection id
    std::uint32_t cancel_key = 0;
    std::unique_ptr<my_client> mysql;  // null: a PostgreSQL client

    bool unix_socket() const noexcept { return peer == "unix"; }
};

enum class kill_scope : std::uint8_t { query, connection };
enum class kill_outcome : std::uint8_t { done, unknown_id, not_the_owner };

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
    // Whose limits hold for the client, and who pays for it; outlives the lane if it keeps a copy.
    virtual const std::shared_ptr<pool::tenant>& tenant() const noexcept;
    // Where what this client does is counted.
    virtual const statistics::place& counted_in() const noexcept
    {
        static const statistics::place nowhere;
        return nowhere;
    }
    // A session that shows its backend's own pid: cancels come with it from now on.
    virtual void set_pid(std::uint32_t pid) = 0;
    // The lane has taken what it needs of identity().parameters.
    virtual void forget_parameters() noexcept = 0;

    // MySQL, between requests: COM_CHANGE_USER. `input`: its packet with the header, and whatever
    // came behind it. This lane gets on_client_gone() at once and is destroyed after its calls have
    // returned; the client logs in again and gets another one.
    virtual void change_user(bytes_view) {}
    // MySQL, between requests: another [databases.NAME] (COM_INIT_DB, USE), in the same way. The
    // new lane, or an error, answers the client at `sequence`; `behind`: bytes that came since.
    // False: there is no such database, and nothing has happened.
    virtual bool change_database(std::string_view, std::uint8_t, bytes_view) { return false; }
    // MySQL: KILL and COM_PROCESS_KILL by the gateway's connection ids (identity().pid). `done` is
    // called later, on this thread, while the client lives.
    virtual void kill(std::uint32_t, kill_scope, std::function<void(kill_outcome)>) {}
};

class lane {
public:
    virtual ~lane() = default;
    // PostgreSQL: AuthenticationOk was appended; the lane sends ParameterStatus, BackendKeyData and
    // ReadyForQuery, now or later. MySQL: the lane sends the OK packet that ends the login (or
    // answers what brought the client here), numbered identity().mysql->sequence.
    virtual void start() = 0;
    // Before start(): the client was served by `before`, and what belongs to its session stays.
    virtual void inherit(lane& before) { (void)before; }
    // Takes all of it; keeps what it cannot use yet, and says set_reading(false) when that is
    // enough.
    virtual void on_data(bytes_view bytes) = 0;
    virtual void on_drained() = 0;      // unsent() fell to zero after it was above zero
    virtual void on_client_gone() = 0;  // no more calls but the destructor
    // A CancelRequest for this client. `done` is called when it cannot hit anything any more.
    virtual void on_cancel(std::function<void()> done) = 0;
    // What the client does now: state, backend, pin, since when (statistics/snapshot.hpp).
    virtual void describe(statistics::client_info& into) const { (void)into; }
    virtual bool quiescent() const noexcept = 0;  // between requests, outside of a transaction
    // At the next quiescent moment: error shutting_down (57P01, 1053) and close.
    virtual void request_drain() = 0;
};

}  // namespace sluice::gateway
