// proto/pg/value_text.hpp: spellings of booleans, numbers, bytea and uuid as PostgreSQL reads them.
//
// Layer: proto. Pure. Blanks around a number or a boolean are passed over.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "proto/pg/values.hpp"

namespace sluice::pg {

using uuid_bytes = std::array<std::byte, 16>;

std::optional<bool> parse_boolean(std::string_view text) noexcept;
conversion parse_integer(std::string_view text, std::int64_t& out) noexcept;
// An integer, if the value is one without loss.
conversion integer_of(const stored_value& value, std::int64_t& out) noexcept;
conversion parse_double(std::string_view text, double& out) noexcept;

// "\x0aff", or the older escape form ("\\" and "\ooo").
bool parse_bytea(std::string_view text, std::vector<std::byte>& out);
void append_hex_bytea(byte_queue& out, bytes_view bytes);

// With or without hyphens and braces, any case.
bool parse_uuid(std::string_view text, uuid_bytes& out) noexcept;
std::string format_uuid(const uuid_bytes& bytes);

}  // namespace sluice::pg
