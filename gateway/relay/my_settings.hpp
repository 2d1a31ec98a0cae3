// gateway/relay/my_settings.hpp: the session state of MySQL clients that follows them from backend
// to backend: system variables, the schema in use, whether several statements may stand in one
// text.
//
// It is kept in a session_settings: variables by name, values as the server reports them, and two
// entries that are no variables. So one comparison of fingerprints tells whether a backend is as
// its next client wants it.
//
// Layer: gateway/relay. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/relay/settings.hpp"

namespace sluice::gateway {

// No variable has a slash in its name.
inline constexpr std::string_view schema_entry = "/schema";
inline constexpr std::string_view multi_statements_entry = "/multi_statements";

// What a variable that the server reports as changed means for its session.
enum class my_variable {
    follows,         // set again on the next backend
    charset,         // follows; the connection's collation has to be asked for
    last_insert_id,  // LAST_INSERT_ID(), also known from OK packets
    pins,            // used up by the next statement, or counts on: cannot be set again
    tracking,        // what the gateway has the server report
};
my_variable kind_of_variable(std::string_view name) noexcept;

// A session as it begins after a handshake: character set by its collation's number.
session_settings my_session_start(std::uint16_t collation,
                                  std::string_view schema,
                                  bool multi_statements);

// What to send to a backend that has `applied`, so that it has `wanted`.
struct my_settings_change {
    std::string schema;  // for COM_INIT_DB; empty: as it is
    std::string sql;     // SET of all variables that differ; empty: none does
    std::optional<bool> multi_statements;
    // A backend that accepted all of it once does so again: the client's command may follow in
    // the same write. Otherwise the answer decides.
    bool safe = true;

    bool empty() const noexcept { return schema.empty() && sql.empty() && !multi_statements; }
};
my_settings_change plan_my_settings(const session_settings& wanted,
                                    const session_settings& applied);

// The part of a session that decides what a statement's text means.
session_settings parse_context(const session_settings& session);

}  // namespace sluice::gateway
