// gateway/translate/my_state.hpp: what a MySQL client's session on a SQLite file remembers:
// variables, counts of the last statement, warnings.
//
// Layer: gateway. One per client, on its loop. Bounds: variables_max of the client's own; one set
// of warnings.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/sql/mysql_to_sqlite.hpp"
#include "proto/sql/transaction_words.hpp"

namespace sluice::gateway {

// A value of a variable: how SELECT @@name and SHOW VARIABLES show it.
struct my_value {
    enum class kind : std::uint8_t { null, number, text, boolean };
    kind what = kind::null;
    std::string text;  // of a boolean ON or OFF

    bool truth() const noexcept;
};

struct my_warning {
    std::string level;  // Note, Warning, Error
    std::uint16_t number = 0;
    std::string message;
};

// What the client is told.
struct my_error {
    std::uint16_t number = 1105;
    std::string sqlstate = "HY000";
    std::string message;
};

class my_state final : public sql::mysql_session {
public:
    struct facts {
        std::string user;
        std::string host;
        std::string database;
        std::string version;
        std::uint32_t connection = 0;
        std::size_t max_packet = 0;
        bool tls = false;
    };
    explicit my_state(facts who);

    // sql::mysql_session
    std::optional<std::string> variable(std::string_view text) const override;
    std::optional<std::string> function(std::string_view name) const override;
    std::optional<std::string> relation(std::string_view name) const override;

    // `name` in lower case, without scope. nullopt: there is none.
    std::optional<my_value> system_variable(std::string_view name) const;
    // The value as given; ON, TRUE, 1 are one for a boolean. `value` nullopt: the default.
    std::optional<my_error> set_system(std::string_view name, std::optional<my_value> value);
    std::optional<my_value> user_variable(std::string_view name) const;  // in any case
    std::optional<my_error> set_user(const std::string& name, my_value value);
    std::vector<std::pair<std::string, std::string>> system_variables()
        const;  // for SHOW VARIABLES
    // COM_RESET_CONNECTION.
    void reset();

    bool autocommit() const;
    sql::isolation_level isolation() const;
    bool read_only() const;
    std::optional<std::chrono::milliseconds> statement_timeout() const;
    const facts& who() const noexcept { return who_; }

    std::uint64_t last_insert_id = 0;
    std::int64_t row_count = -1;
    std::uint64_t found_rows = 0;
    std::vector<my_warning> warnings;

private:
    static constexpr std::size_t variables_max = 1000;

    std::optional<my_value> computed(std::string_view name) const;
    std::optional<my_error> check(std::string_view name, my_value& value);

    facts who_;
    std::map<std::string, my_value, std::less<>> system_;  // that were set
    std::map<std::string, my_value, std::less<>> user_;
};

// As SQLite's literal.
std::string as_literal(const my_value& value);

}  // namespace sluice::gateway
