// gateway/databases.hpp: the pools behind the names that clients connect to.
//
// A pool is one (database, backend user, mode). Pools come to be when they are first asked for;
// those of [databases."*"] are forgotten again when nobody used them for pool.idle_timeout.
//
// Layer: gateway. Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <asio/io_context.hpp>

#include "gateway/config/config.hpp"
#include "gateway/relay/my_database.hpp"
#include "gateway/relay/pg_database.hpp"

namespace sluice::gateway {

struct context;
struct generation;

pool::limits limits_of(const pool_config& settings);

class database_table {
public:
    explicit database_table(context& shared) : shared_(shared) {}

    // `name`: as the client said it; `entry`: its table in the configuration, maybe "*".
    std::shared_ptr<pg_database> postgres(const database& entry,
                                          const std::string& name,
                                          const user* who);

    // `capabilities`: the client's. Some of them make pools of their own.
    std::shared_ptr<my_database> mysql(const generation& rules,
                                       const database& entry,
                                       const std::string& name,
                                       const user* who,
                                       std::uint32_t capabilities);

    // After a reload: limits and connections of the pools that are there. Pools whose database is
    // gone, or is another one, take no new clients, and close when they have none. Returns the
    // names, as clients say them, of whose clients have to leave.
    std::set<std::string> apply(const generation& rules);

    // Timeouts of worker number `worker`'s shards; on that worker.
    void sweep(std::size_t worker, std::chrono::steady_clock::time_point now);
    // Closes what is idle everywhere and refuses what waits.
    void close_all();
    // Each pool with the name of its database as clients say it. `look` must not come back here.
    void for_each(const std::function<void(const std::string&, relay_database&)>& look) const;
    // The same, kept while the caller looks.
    std::vector<std::shared_ptr<relay_database>> all() const;
    // Databases that have a pool now.
    std::set<std::string> names() const;
    // Backends of all pools that are open or being opened.
    std::size_t open_backends() const;

private:
    // What a pool was made of, and how to change what it connects to.
    struct origin {
        std::string name;  // as clients say it
        std::string backend_user;
        pool_mode mode = pool_mode::transaction;
        database entry;
        secret backend_password;
        std::function<void(const generation&, const database&, const user*)> change;
    };
    struct slot {
        std::shared_ptr<relay_database> database;
        origin from;
        bool forgettable = false;
        bool closing = false;
        std::chrono::steady_clock::time_point used;
    };

    // The pool known as `key`; `make` makes it where there is none (with its shared_pool).
    std::shared_ptr<relay_database> find_or_make(
        const std::string& key,
        const database& entry,
        const std::string& name,
        const user* who,
        const std::function<std::shared_ptr<relay_database>(origin&)>& make);
    bool update(const generation& rules, slot& each);
    template <class Function>
    void each_slot(Function call) const;
    std::vector<asio::io_context*> loops() const;
    void forget_idle(std::chrono::steady_clock::time_point now);

    context& shared_;
    mutable std::mutex mutex_;
    std::map<std::string, slot> slots_;
    std::vector<slot> retired_;  // of databases that are gone; some have clients still
};

}  // namespace sluice::gateway
