// proto/sql/string_literal.hpp: the values behind PostgreSQL's string literals and quoted names.
//
// Layer: proto. PostgreSQL's documentation, 4.1.2 "Constants".
#pragma once

#include <string>
#include <string_view>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

constexpr bool is_string(token_kind kind) noexcept
{
    return kind == token_kind::string || kind == token_kind::escape_string ||
           kind == token_kind::unicode_string || kind == token_kind::dollar_string;
}

// What a string token (is_string) stands for, continuations joined. Escapes that PostgreSQL refuses
// stand for themselves; a zero byte, which no text can hold, is left out.
std::string string_value(const token& t);

// What a word or quoted_word stands for: folded to lower case, or without its quotes.
std::string name_value(const token& t);

// Appends 'value', quotes doubled.
void append_literal(std::string& out, std::string_view value);

}  // namespace sluice::sql
