// gateway/config/diff.hpp: what differs between two configurations, for reload: each key with its
// old and new value, and whether a running gateway can take it.
//
// Layer: gateway. Pure: no files, no clock. No secret is shown: of those it says "changed".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"

namespace sluice::gateway {

struct config_change {
    std::string text;      // "databases.app.pool.size: 20 → 30", "users.bob: removed"
    bool restart = false;  // a running process cannot change it

    friend bool operator==(const config_change&, const config_change&) = default;
};

// In the order of the sections of the file, by name within one.
std::vector<config_change> differences(const config& before, const config& after);

// `now` of the running process, but for what is only taken at a start, which stays as in `before`:
// what is in effect is never said to be something else.
config effective(const config& before, config now);

// Whether only a start takes this key of that section (as all_keys() names it). What belongs to a
// SQLite database always needs one.
bool needs_restart(std::string_view section, std::string_view key) noexcept;

// How a database's connections are made differs: those that are open are of no use any more.
bool connects_differently(const database& before, const database& after);

}  // namespace sluice::gateway
