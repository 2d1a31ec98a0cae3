// proto/pg/arrays.hpp: PostgreSQL's one-dimensional arrays: "{1,NULL,\"a b\"}", and the older
// vectors "1 2 3" of the catalogs, which are counted from zero.
//
// Layer: proto. Pure. SQLite has no arrays: between clients and SQL functions they travel as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/pg/values.hpp"

namespace sluice::pg {

using array_items = std::vector<std::optional<std::string>>;

// nullopt: neither an array nor a vector; arrays of arrays are not understood.
std::optional<array_items> parse_array(std::string_view text);
std::string format_array(const array_items& items);
void append_array_item(std::string& out, const std::optional<std::string>& item);

// Of text[] text, of int2vector int2, ...; unspecified: no array type that is known.
type_oid element_type(type_oid array) noexcept;
// Of text text[]; unspecified: none that is known.
type_oid array_type(type_oid element) noexcept;

// Between the text form and the wire's binary one (array_recv in arrayfuncs.c).
[[nodiscard]] conversion append_array_binary(byte_queue& out,
                                             std::string_view text,
                                             type_oid array);
[[nodiscard]] conversion read_array_binary(bytes_view sent, std::string& text);

}  // namespace sluice::pg
