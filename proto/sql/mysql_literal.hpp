// proto/sql/mysql_literal.hpp: the values behind MySQL's string literals and quoted names.
//
// Layer: proto. MySQL's manual, 9.1.1 "String Literals", 9.2 "Schema Object Names".
#pragma once

#include <string>
#include <string_view>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

// What a string token ('...', "...", N'...') stands for. `\%` and `\_` keep their backslash.
std::string mysql_string_value(std::string_view literal, bool backslashes = true);

// What a backslash and `c` stand for, but for `\%` and `\_`.
char mysql_unescaped(char c) noexcept;

// What a word or a quoted word stands for: as written, or without its quotes.
std::string mysql_name_value(const token& t);

// Appends a value as SQLite's literal: 'text', or x'hex' where it is no text.
void append_sqlite_literal(std::string& out, std::string_view value);
void append_sqlite_blob(std::string& out, std::string_view bytes);
// `name` as SQLite's and MySQL's quoted name.
std::string in_backticks(std::string_view name);

}  // namespace sluice::sql
