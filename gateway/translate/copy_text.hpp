// gateway/translate/copy_text.hpp: COPY's text and CSV formats, written and read.
//
//   text: fields between delimiters, \ escapes, \N is NULL, a line per row, "\." ends the data
//   csv:  fields between delimiters, "quoted ""fields""", nothing unquoted is NULL
//
// Layer: gateway. Pure. PostgreSQL's documentation: COPY, "File Formats".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/translate/row_encoder.hpp"

namespace sluice::gateway {

using namespace std::string_view_literals;
// PostgreSQL, "COPY", Binary Format: signature, flags, no extension; a field count of -1.
inline constexpr std::string_view copy_binary_header =
    "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"sv;
inline constexpr std::string_view copy_binary_trailer = "\377\377"sv;

void append_copy_field(byte_queue& out,
                       std::string_view value,
                       row_shape shape,
                       const copy_style& style);
void append_copy_header(byte_queue& out,
                        const sqlite::statement_info& info,
                        row_shape shape,
                        const copy_style& style);

using copy_fields = std::vector<std::optional<std::string>>;

// Takes the next whole line off `data`. nullopt: more data is needed (or, at the end, none is
// left). `last`: no more data follows, so a line needs no end.
std::optional<std::string_view> next_copy_line(std::string_view& data,
                                               row_shape shape,
                                               const copy_style& style,
                                               bool last);
copy_fields split_copy_line(std::string_view line, row_shape shape, const copy_style& style);

}  // namespace sluice::gateway
