// gateway/context.hpp: what the parts of one running gateway share; made and owned by the server.
//
// Everything here outlives every session, link and pool. Members say which thread may use them.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <asio/thread_pool.hpp>
#include <openssl/ssl.h>

#include "drivers/io/poller.hpp"
#include "gateway/admin/actions.hpp"
#include "gateway/auth/rsa_keys.hpp"
#include "gateway/auth/user_store.hpp"
#include "gateway/cancel_registry.hpp"
#include "gateway/client_limits.hpp"
#include "gateway/config/config.hpp"
#include "gateway/databases.hpp"
#include "gateway/my_backends.hpp"
#include "gateway/relay/statements.hpp"
#include "gateway/server_version.hpp"
#include "gateway/sqlite_files.hpp"
#include "gateway/tenants/table.hpp"

namespace sluice::gateway {

class worker;

struct context {
    explicit context(const config& loaded);
    ~context();

    const config& settings;                        // any thread, never changes
    admin::actions operations;                     // any thread
    asio::thread_pool blocking;                    // DNS, libpq's steps, PBKDF2
    std::vector<std::unique_ptr<worker>> workers;  // each its own thread's
    client_limits limits;                          // any thread
    tenant_table tenants;                          // any thread
    sqlite_files files;                            // any thread, after start
    cancel_registry cancels;                       // any thread
    statement_table statements;                    // any thread
    database_table databases;                      // any thread
    user_store users;                              // any thread, after start
    my_backends mysql_backends;                    // any thread, after start
    rsa_keys rsa;                                  // any thread
    server_version mysql_version;                  // any thread
    SSL_CTX* tls = nullptr;                        // any thread; null: no TLS for clients
    std::atomic<std::size_t> clients{0};           // any thread
};

}  // namespace sluice::gateway
