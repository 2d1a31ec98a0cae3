// proto/sql/settings_words.hpp: SHOW, SET and RESET, for engines that have no such settings.
//
// Layer: proto. PostgreSQL's grammar. SET TRANSACTION, SET SESSION CHARACTERISTICS and SET
// CONSTRAINTS are not here (verb none): see transaction_words.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

enum class settings_verb : std::uint8_t { none, show, show_all, set, set_local, reset, reset_all };

struct settings_words {
    settings_verb verb = settings_verb::none;
    // Without quotes, as written; TIME ZONE, NAMES, SCHEMA, ROLE, SESSION AUTHORIZATION and
    // TRANSACTION ISOLATION LEVEL give the setting's own name. Names compare without regard to
    // case.
    std::string name;
    // What SHOW would print after it: strings without quotes, a list's parts joined by ", ".
    // Nothing: SET ... TO DEFAULT.
    std::optional<std::string> value;
    // See transaction_words::error; a view into the statement.
    std::optional<token> error;
};

// One statement; a semicolon at its end does not matter.
settings_words parse_settings(std::string_view statement);

}  // namespace sluice::sql
