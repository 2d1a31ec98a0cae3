// proto/sql/harmless_calls.hpp: the words that may stand before a parenthesis in a statement that
// only reads: key words, and built-in functions that neither write, nor wait, nor leave anything in
// the session.
//
// Layer: proto. Pure. A function that is not listed may be a user's own and do anything.
#pragma once

#include <string_view>

namespace sluice::sql {

bool harmless_before_parenthesis(std::string_view word) noexcept;

// The same of MySQL and MariaDB. What only the session itself notices (GET_LOCK, LAST_INSERT_ID) is
// among them: the caller knows these by name.
bool harmless_before_parenthesis_in_mysql(std::string_view word) noexcept;

}  // namespace sluice::sql
