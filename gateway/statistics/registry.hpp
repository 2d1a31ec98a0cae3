// gateway/statistics/registry.hpp: where everything that is counted has its place: per worker, per
// database, per pool, per (pool, tenant).
//
// Places are made when a client or a pool first asks for one, under a lock, and stay for good: a
// pointer to one is valid while the registry lives, and no number ever goes back. On a request's
// way nothing here is called: lanes keep their pointers.
//
// Layer: gateway. Thread-safe; what is found in a place is its worker's to write, anybody's to
// read. Bounds: databases_max, pools_max, tenants_max, places_max; what comes later is counted
// under the name "other".
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/errors.hpp"
#include "gateway/statistics/statement_table.hpp"
#include "gateway/statistics/traffic.hpp"

namespace sluice::gateway {
struct client_identity;
}

namespace sluice::gateway::statistics {

inline constexpr std::string_view other = "other";

// What happened on one worker before a client had a database, and to the worker itself.
struct alignas(64) worker_place {
    counter accepted;
    counter logins;
    counter login_failures;
    counter tls_failures;
    std::array<counter, static_cast<std::size_t>(client_error::internal) + 1> refused;
    histogram loop_delay;  // how much later than asked for a timer of the worker's ran
    // Errors of clients whose database has no place: unknown names.
    gauge clients;
};

// One worker's part of a database.
struct alignas(64) database_place {
    explicit database_place(std::atomic<std::size_t>& sets_left) : statements(sets_left) {}

    statement_table statements;
    code_counts errors;  // by SQLSTATE, MySQL's by number
    // By what the gateway itself answered: indexed by client_error.
    std::array<counter, static_cast<std::size_t>(client_error::internal) + 1> refused;
};

// One worker's part of a pool.
struct alignas(64) pool_place {
    counter opened;
    counter closed;
    counter connect_failures;
    counter prepared_hits;    // a statement that the backend had prepared already
    counter prepared_misses;  // ... that had to be prepared first
    reason_counts pins;       // how often a client was pinned, by the first reason
};

struct database_entry {
    std::string name;
    std::string engine;
    std::vector<std::unique_ptr<database_place>> workers;
};

struct pool_entry {
    std::string name;
    std::string user;  // of the backends, if not the database's own
    database_entry* database = nullptr;
    std::vector<std::unique_ptr<pool_place>> workers;
};

struct traffic_entry {
    pool_entry* pool = nullptr;
    std::string tenant;
    std::vector<std::unique_ptr<traffic>> workers;
};

// Where one client's doings are counted; copied by its lane.
struct place {
    statistics::traffic* traffic = nullptr;  // null: nowhere, in tests
    database_place* database = nullptr;
    pool_place* pool = nullptr;
    statement_texts* texts = nullptr;
    const client_identity* who = nullptr;  // outlives what is counted here
};

class registry {
public:
    explicit registry(std::size_t workers);

    worker_place& worker(std::size_t index) noexcept { return *workers_[index]; }
    const worker_place& worker(std::size_t index) const noexcept { return *workers_[index]; }
    std::size_t workers() const noexcept { return workers_.size(); }

    // `name`: as metrics shall call it; `user`: of its backends, empty for the database's own.
    pool_entry& pool(const std::string& name,
                     const std::string& database,
                     const std::string& engine,
                     const std::string& user);
    // At login.
    place client(pool_entry& of, const std::string& tenant, std::size_t worker);

    const statement_texts& texts() const noexcept { return texts_; }

    // What there is now, for readers. Entries never go and never move.
    std::vector<const database_entry*> databases() const;
    std::vector<const pool_entry*> pools() const;
    std::vector<const traffic_entry*> traffics() const;

private:
    static constexpr std::size_t databases_max = 1200;
    static constexpr std::size_t pools_max = 1200;
    static constexpr std::size_t tenants_max = 200;
    static constexpr std::size_t places_max = 4096;
    static constexpr std::size_t sets_max = 8192;  // 30 MB

    database_entry& database(const std::string& name, const std::string& engine);
    traffic_entry& place_of(pool_entry& of, const std::string& tenant);

    mutable std::mutex mutex_;
    std::atomic<std::size_t> sets_left_{sets_max};
    statement_texts texts_;
    std::vector<std::unique_ptr<worker_place>> workers_;
    std::map<std::string, database_entry> databases_;
    std::map<std::string, pool_entry> pools_;
    std::map<std::string, std::size_t> tenants_;
    std::map<std::pair<const pool_entry*, std::string>, traffic_entry> traffics_;
};

// Totals over all workers.
traffic_totals read(const traffic_entry& from) noexcept;

}  // namespace sluice::gateway::statistics
