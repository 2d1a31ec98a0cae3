// gateway/relay/settings.hpp: the session parameters (SET, startup options) that follow a client
// from backend to backend.
//
// A client remembers the values it set; a backend knows the values it has. Before a lease is used
// the difference is set in one query. Names compare without regard to case and are kept in lower
// case.
//
// Layer: gateway/relay. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::gateway {

class session_settings {
public:
    using entry = std::pair<std::string, std::string>;

    // Null: not set.
    const std::string* find(std::string_view name) const noexcept;
    void set(std::string_view name, std::string_view value);
    void erase(std::string_view name);
    void clear() noexcept;

    bool empty() const noexcept { return entries_.empty(); }
    std::size_t size() const noexcept { return entries_.size(); }
    const std::vector<entry>& entries() const noexcept { return entries_; }
    // Equal contents have equal fingerprints; unequal ones differ but for 2^-64.
    std::uint64_t fingerprint() const noexcept { return fingerprint_; }

private:
    void update_fingerprint() noexcept;

    std::vector<entry> entries_;  // sorted by name
    std::uint64_t fingerprint_ = 0;
};

std::string lower_case(std::string_view name);

// Of one setting in a startup packet's `options`; "": it is not there.
std::string value_in_options(std::string_view options, std::string_view name);

// What to send to a backend so that it has `wanted`: a text for one simple Query, empty when
// nothing differs. `applied` is what was set on it before, `reported` what it says it has now.
struct settings_change {
    std::string sql;
    // All of it are settings that a backend accepts whenever it accepted them once (encodings,
    // time zones, names): the client's statement may follow in the same write. Otherwise wait.
    bool safe = true;
};
settings_change plan_settings(const session_settings& wanted,
                              const session_settings& applied,
                              const session_settings& reported);

// Asks for the values of `names`, one row, one column each: see read_settings_row.
std::string read_settings_sql(const std::vector<std::string>& names);

// The settings in a startup packet: its parameters but for user, database and the protocol's own,
// and those in `options` (-c name=value, --name=value; backslash escapes as in PostgreSQL).
// False: `options` holds something else.
bool startup_settings(const std::vector<std::pair<std::string, std::string>>& parameters,
                      session_settings& into);

}  // namespace sluice::gateway
