// proto/sql/trace_comment.hpp: which trace a statement belongs to, as its client says it.
//
//   traceparent := version "-" trace-id "-" parent-id "-" flags   (W3C Trace Context, 3.2)
//                  2 hex       32 hex       16 hex        2 hex    lower case, ids not all zeros
//   sqlcommenter: a comment at the statement's end, /*key='value',key='value'*/, keys sorted, both
//   URL-encoded, a quote in them as \'
//
// Layer: proto. Pure, no allocation, bounded: only the last `comment_max` bytes are looked at.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace sluice::sql {

inline constexpr std::size_t trace_comment_max = 2048;

struct trace_parent {
    std::array<char, 32> trace{};
    std::array<char, 16> parent{};
    bool sampled = false;

    std::string_view trace_id() const noexcept { return {trace.data(), trace.size()}; }
    std::string_view parent_id() const noexcept { return {parent.data(), parent.size()}; }
};

// None: it is not of this form.
std::optional<trace_parent> parse_traceparent(std::string_view text) noexcept;

// Of the comment at the end of `statement`, behind which blanks and semicolons may stand.
std::optional<trace_parent> trace_of(std::string_view statement) noexcept;

}  // namespace sluice::sql
