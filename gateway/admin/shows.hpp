// gateway/admin/shows.hpp: the rows of every SHOW.
//
// Layer: gateway. Any thread, preferably none that serves clients: some of it takes milliseconds.
// Bounds: statements_max, lines_max; clients and servers as the snapshot's.
#pragma once

#include <memory>
#include <optional>

#include "gateway/admin/answer.hpp"
#include "gateway/admin/topics.hpp"
#include "gateway/config/config.hpp"
#include "gateway/statistics/snapshot.hpp"

namespace sluice::gateway {
struct context;
}

namespace sluice::gateway::admin {

// What has to be asked for before show(); nothing: it needs no snapshot.
std::optional<statistics::parts> parts_for(topic what) noexcept;
// `now`: as parts_for() says, may be null then.
answer show(context& shared, topic what, const statistics::snapshot* now);

// The configuration in effect.
std::shared_ptr<const config> settings_of(context& shared);

// Where a database is; several hosts: the first.
struct address {
    std::string host;
    std::int64_t port = 0;
    std::string database;
    std::string user;
};

// shows_config.cpp
// `name`: as clients call it; not entry.name for those of [databases."*"].
address address_of(const database& entry, const std::string& name);
void show_databases(context& shared, answer& into);
void show_users(context& shared, answer& into);
void show_config(context& shared, answer& into);
// shows_live.cpp
void show_pools(context& shared, const statistics::snapshot& now, answer& into);
void show_clients(const statistics::snapshot& now, answer& into);
void show_servers(context& shared, const statistics::snapshot& now, answer& into);
void show_waiting(context& shared, const statistics::snapshot& now, answer& into);
void show_pins(const statistics::snapshot& now, answer& into);
// shows_totals.cpp
void show_stats(context& shared, topic what, answer& into);
void show_tenants(context& shared, answer& into);
void show_statements(context& shared, answer& into);
void show_errors(context& shared, answer& into);

}  // namespace sluice::gateway::admin
