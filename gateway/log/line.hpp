// gateway/log/line.hpp: the text of one log line, without its time and level.
//
// Pure functions: what is escaped how is decided here and tested without a logger.
#pragma once

#include <spdlog/common.h>

#include <string_view>

#include "gateway/log/log.hpp"

namespace sluice::gateway::log {

using line_buffer = spdlog::memory_buf_t;

// `message key=value key="value with blanks"`; control characters and bytes that are not UTF-8 are
// escaped, so a client cannot fake a second line.
void append_text_line(line_buffer& out, std::string_view message, fields values);

// `"message":"...","key":value`: members of an object, without the braces. Bytes that are not
// UTF-8 become U+FFFD; numbers that JSON does not know (NaN) become null.
void append_json_members(line_buffer& out, std::string_view message, fields values);

}  // namespace sluice::gateway::log
