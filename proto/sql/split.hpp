// proto/sql/split.hpp: one text, several statements.
//
// Layer: proto. Pure, no allocation. Lifetime: statements are views into the text.
#pragma once

#include <string_view>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

// Takes the next statement that is not empty off `rest`: from its first token to its last, without
// the semicolon. Empty when there is none left. Semicolons in parentheses and in the body of
// CREATE TRIGGER ... BEGIN ... END (SQLite) or BEGIN ATOMIC ... END (PostgreSQL) end nothing.
std::string_view next_statement(std::string_view& rest,
                                dialect d = dialect::postgres_for_sqlite) noexcept;

// Where PostgreSQL's clients expect an error: characters of UTF-8, counted from 1.
std::size_t character_position(std::string_view text, std::size_t byte_offset) noexcept;

}  // namespace sluice::sql
