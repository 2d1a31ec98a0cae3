// drivers/pg/conninfo.hpp: connection strings: checked before use, and their errors and host names
// put into words that never show a password.
//
// Layer: drivers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "drivers/pg/connect.hpp"

namespace sluice::pg {

// Why `options.url` cannot be used, or empty. Does no I/O.
std::string conninfo_problem(const connect_options& options);

// Where `options` lead, for messages, before libpq has resolved anything. The url is valid.
std::string describe_target(const connect_options& options);

// The server that `conn` is trying or using, as libpq words it: server at "db1" (10.0.0.7), port
// 5432, or: server on socket "/run/postgresql/.s.PGSQL.5432".
std::string describe_server(const PGconn& conn);

// libpq's text on one line without trailing blanks.
std::string one_line(std::string_view text);

// The keyword's value after url, environment, service file and overrides; empty without one.
std::string effective_value(PGconn& conn, std::string_view keyword);

// How many hosts `conn` may try.
std::size_t host_count(PGconn& conn);

// The options without the host that `conn` is at, so that the others get their turn; nothing is
// left to change (false) when it is the only one.
bool drop_current_host(PGconn& conn, connect_options& options);

}  // namespace sluice::pg
