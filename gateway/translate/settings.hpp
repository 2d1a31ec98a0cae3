// gateway/translate/settings.hpp: a PostgreSQL client's session settings where the engine has none.
//
// Layer: gateway. One per client, on its loop. SET outlives the transaction only if that commits;
// SET LOCAL never. Unknown names are kept and shown, as drivers set what they like; those that
// would change what the gateway sends (client_encoding, DateStyle) take only the value that is.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/core/byte_queue.hpp"

namespace sluice::gateway {

struct setting_error {
    std::string sqlstate;
    std::string message;
};

class local_settings {
public:
    local_settings();

    // What the startup packet asks for: application_name, options, ... Unknown ones are ignored.
    void apply_startup(const std::vector<std::pair<std::string, std::string>>& parameters);

    // `value` nullopt: the default.
    std::optional<setting_error> set(std::string_view name,
                                     std::optional<std::string> value,
                                     bool local,
                                     bool in_transaction);
    void reset_all(bool in_transaction);
    std::optional<std::string> show(std::string_view name) const;
    std::vector<std::pair<std::string, std::string>> all() const;

    // The transaction has ended.
    void end_transaction(bool committed);

    // ParameterStatus of everything reported, then of what changed since the last call.
    void append_reported(byte_queue& out);

    // nullopt: not set, the database's own holds. Zero: none.
    std::optional<std::chrono::milliseconds> statement_timeout() const;
    std::string name_in_display(std::string_view name) const;  // "TimeZone" for "timezone"

    bool default_read_only() const { return fresh().read_only; }

    void set_user(std::string_view user);

private:
    using values = std::map<std::string, std::string, std::less<>>;
    std::optional<setting_error> check(const std::string& key, std::string& value) const;

    // What every statement asks, without a search by name.
    struct summary {
        std::optional<std::chrono::milliseconds> statement_timeout;
        bool read_only = false;
    };
    const summary& fresh() const;
    void touch() noexcept;

    mutable std::optional<summary> summary_;
    bool unreported_ = true;
    values defaults_;
    values values_;
    std::optional<values> before_;  // at the transaction's start, once it changed something
    values local_;
    values told_;
};

// "250ms", "5s", "2min", "1h", "1d"; a bare number counts milliseconds.
std::optional<std::chrono::milliseconds> parse_milliseconds(std::string_view text);

}  // namespace sluice::gateway
