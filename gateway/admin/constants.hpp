// gateway/admin/constants.hpp: what drivers send of themselves and a console has no use for, and
// the answers that let them go on.
//
// Layer: gateway. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/admin/command.hpp"

namespace sluice::gateway::admin {

std::string upper_case(std::string_view text);
std::string lower_case(std::string_view text);
// A name or a text without its quotes.
std::string unquoted(std::string_view text);

// SET of a session's setting: `rest` is what follows SET. Nothing: none that we know.
std::optional<command> session_setting(std::string_view rest, client_protocol protocol);
// SHOW of a server's setting, and MySQL's SHOW WARNINGS and the like.
std::optional<command> shown_setting(std::string_view rest, const session_facts& session);
// BEGIN, COMMIT, SELECT of constants, DISCARD, USE; `first`: its first word in upper case.
std::optional<command> session_statement(std::string_view text,
                                         std::string_view first,
                                         const session_facts& session);

}  // namespace sluice::gateway::admin
