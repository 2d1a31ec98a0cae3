// gateway/statistics/snapshot.hpp: who is connected, what they do and what they wait for, as the
// workers say it now: for the admin console, the HTTP API and the dashboard.
//
// Totals are not in here: they are read at any time without asking anybody (registry.hpp).
//
// Layer: gateway. gather() on any thread. A worker is asked in pieces of at most `piece` clients,
// backends or pools, so that its loop is never held up for as long as a millisecond.
// Bounds: clients_max and servers_max in one answer; `truncated` says that there were more.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pool/tenant.hpp"

namespace sluice::gateway {

struct context;

namespace statistics {

using time_point = std::chrono::steady_clock::time_point;

enum class client_state : std::uint8_t {
    login,
    idle,            // the word is the client's, and it holds no backend
    active,          // a request of it runs
    waiting,         // a request of it waits, see waits_for
    in_transaction,  // the word is the client's, its transaction keeps a backend
    pinned,          // the word is the client's, its session keeps a backend, see pinned_by
    closing,
};
std::string_view name_of(client_state state) noexcept;

// Of client_info::waits_for; more come from pool::wait_reason.
inline constexpr std::string_view pool_full = "pool full";
inline constexpr std::string_view connecting = "connecting";
inline constexpr std::string_view max_buffer = "max_buffer";

struct client_info {
    std::uint64_t id = 0;  // as in logs, KILL_CLIENT; MySQL's connection id
    std::uint32_t worker = 0;
    bool mysql = false;  // its protocol
    bool tls = false;
    client_state state = client_state::login;
    std::string user;
    std::string database;
    std::string pool;  // empty: none (SQLite: the database)
    std::string tenant;
    std::string peer;             // address:port, or "unix"
    std::string local;            // the same of our end; with parts::ends, like unix_*
    std::uint16_t unix_port = 0;  // of a Unix socket that is named for one (.s.PGSQL.6432)
    std::int32_t unix_pid = 0;    // of the process at its other end
    bool leaving = false;         // asked to leave: closed at its next moment between transactions
    std::string application;      // application_name, program_name
    std::string waits_for;        // "pool full", "tenant limit", ...; empty: does not wait
    std::string waits_why;        // the numbers behind it, of the first `explained_max` who wait
    std::string pinned_by;        // "LISTEN", ...; empty: not pinned
    time_point connected;
    time_point since;          // in this state
    time_point request;        // when the request began that runs, waits, or was the last
    std::int64_t backend = 0;  // pid or connection id of the server's; 0: none
    std::size_t prepared = 0;  // statements
    std::size_t unsent = 0;    // bytes that it has not taken yet
};

enum class server_state : std::uint8_t {
    active,  // leased
    shared,  // answers requests of several clients
    idle,
    cleaning,  // after a lease
    testing,   // a probe runs
};
std::string_view name_of(server_state state) noexcept;

struct server_info {
    std::string pool;
    std::string database;
    std::string user;     // of the backend, if not the database's own
    std::string address;  // address:port, or "unix"
    std::string local;    // the same of our end
    std::uint32_t worker = 0;
    bool mysql = false;
    bool tls = false;
    server_state state = server_state::idle;
    std::int64_t id = 0;       // pid or connection id
    std::uint64_t client = 0;  // client_info::id of who leased it; 0: nobody, or several
    time_point opened;
    time_point since;  // idle since, leased since
    std::size_t prepared = 0;
    std::size_t requests = 0;  // that it owes an answer to
    bool worn_out = false;     // closed when nobody uses it: its time is over, or RECONNECT
};

struct pool_info {
    std::string name;
    std::string database;
    std::string user;
    std::string engine;  // "postgres", "mysql", "sqlite"
    std::string mode;    // "session", "transaction", "statement"
    std::size_t size = 0;
    std::size_t open = 0;  // connected or being so
    std::size_t working = 0;
    std::size_t idle = 0;
    std::size_t in_flight = 0;        // leased, or shared by a request
    std::size_t in_flight_limit = 0;  // size, or what "auto" found
    std::size_t clients = 0;
    std::size_t active = 0;   // clients with a request on a backend
    std::size_t waiting = 0;  // clients without
    std::chrono::nanoseconds oldest_wait{0};
    std::string last_failure;     // why the last connect failed; empty: the last one did not
    bool failed_of_late = false;  // within the last seconds: an older failure says nothing any more
};

// A tenant now, and what it was refused since it came to be.
struct tenant_info {
    std::string name;
    pool::tenant_limits limits;  // zeros for "other"
    std::size_t clients = 0;
    std::size_t running = 0;  // requests, transactions that have a backend
    std::size_t queued = 0;
    std::int64_t buffered = 0;  // bytes
    std::array<std::uint64_t, pool::limit_count> refused{};
    std::array<std::uint64_t, pool::limit_count> would_refuse{};  // with dry_run
};
std::string_view name_of(pool::limit by) noexcept;

enum class parts : unsigned { clients = 1, servers = 2, pools = 4, all = 7, ends = 8 };
constexpr parts operator|(parts a, parts b) noexcept
{
    return static_cast<parts>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(parts all, parts one) noexcept
{
    return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0;
}

struct snapshot {
    time_point taken;
    std::vector<client_info> clients;
    std::vector<server_info> servers;
    std::vector<pool_info> pools;
    bool truncated = false;
    std::chrono::nanoseconds longest_piece{0};  // CPU time that a worker's loop gave at once
};

// The pools alone, without asking the workers; any thread.
std::vector<pool_info> pools_now(context& shared);

// Any thread. Those that are counted under a name of their own, and the rest as "other".
std::vector<tenant_info> tenants_now(context& shared);

// `done` is called exactly once, on a helper's thread (context::blocking), while the workers run.
void gather(context& shared,
            parts wanted,
            std::function<void(std::shared_ptr<const snapshot>)> done);
// Waits for it; not on a worker's thread. Null: the workers did not answer in time.
std::shared_ptr<const snapshot> gather_now(context& shared,
                                           parts wanted,
                                           std::chrono::milliseconds timeout);

}  // namespace statistics
}  // namespace sluice::gateway
