// gateway/context.hpp: what the parts of one running gateway share; made and owned by the server.
//
// Everything here outlives every session, link and pool. Members say which thread may use them.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <asio/thread_pool.hpp>

#include "drivers/io/poller.hpp"
#include "gateway/admin/actions.hpp"
#include "gateway/admin/stats_history.hpp"
#include "gateway/auth/rsa_keys.hpp"
#include "gateway/cancel_registry.hpp"
#include "gateway/client_limits.hpp"
#include "gateway/config/config.hpp"
#include "gateway/control.hpp"
#include "gateway/databases.hpp"
#include "gateway/generation.hpp"
#include "gateway/relay/statements.hpp"
#include "gateway/server_version.hpp"
#include "gateway/sqlite_files.hpp"
#include "gateway/takeover/successor.hpp"
#include "gateway/tenants/table.hpp"
#include "gateway/statistics/registry.hpp"

namespace sluice::gateway {

class worker;

struct context {
    explicit context(const config& loaded);
    ~context();

    // What is in effect now, for one expression or to be kept; see generation.hpp.
    std::shared_ptr<const generation> current() const { return live.get(); }
    config_snapshot settings() const
    {
        auto now = live.get();
        const config* inside = &now->settings;
        return {std::move(now), inside};
    }

    const std::string auth_secret;                 // any thread, never changes
    live_generation live;                          // any thread
    sluice::gateway::control control;              // any thread
    admin::actions operations;                     // any thread
    statistics::registry counts;                   // any thread; see there
    admin::stats_history stats_before;             // any thread
    asio::thread_pool blocking;                    // DNS, libpq's steps, PBKDF2
    std::vector<std::unique_ptr<worker>> workers;  // each its own thread's
    client_limits limits;                          // any thread
    tenant_table tenants;                          // any thread
    // Of all pools: a tenant's limits hold over all of them.
    const std::shared_ptr<pool::scheduler> scheduling = std::make_shared<pool::scheduler>();
    sqlite_files files;                   // any thread, after start
    cancel_registry cancels;              // any thread
    statement_table statements;           // any thread
    database_table databases;             // any thread
    rsa_keys rsa;                         // any thread
    server_version mysql_version;         // any thread
    takeover::successor takeover;         // any thread; of the process before us
    std::atomic<std::size_t> clients{0};  // any thread
    asio::thread_pool lookout{1};         // the console's rows; above all they look at
    // When the process began.
    const std::chrono::system_clock::time_point started_at = std::chrono::system_clock::now();
};

}  // namespace sluice::gateway
