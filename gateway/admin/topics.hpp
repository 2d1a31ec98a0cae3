// gateway/admin/topics.hpp: what SHOW can show, and under which columns.
//
// PgBouncer's columns come first, with its names and in its order, so that its tools read ours;
// columns of our own follow. What PgBouncer has and Sluice has not is zero or empty.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/admin/answer.hpp"

namespace sluice::gateway::admin {

enum class topic {
    help,
    pools,
    clients,
    servers,
    stats,
    stats_totals,
    stats_averages,
    totals,
    lists,
    databases,
    users,
    config,
    version,
    state,
    mem,
    tenants,
    waiting,
    pins,
    statements,
    errors,
};

struct topic_entry {
    topic what;
    std::string_view name;  // upper case
    std::string_view help;
    // "name name# name": # marks a number.
    std::string_view columns;
};

std::span<const topic_entry> all_topics() noexcept;
const topic_entry* find_topic(std::string_view upper_name) noexcept;
std::vector<column> columns_of(topic what);

}  // namespace sluice::gateway::admin
