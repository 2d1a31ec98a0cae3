// gateway/relay/my_answers.hpp: what a client may ask about its statement before, when that ran on
// a backend which somebody else has used since.
//
// ROW_COUNT(), FOUND_ROWS(), @@warning_count and @@error_count are known from the reply: they are
// put into the text. What SHOW WARNINGS would have shown is fetched when the backend changes hands,
// and shown by the gateway. LAST_INSERT_ID() is set on the next backend (my_link).
//
// Layer: gateway/relay. Pure. Bounds: as many diagnostics as the server keeps (max_error_count,
// 64), at most diagnostics_max.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/core/byte_queue.hpp"
#include "proto/sql/classify_mysql.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway {

inline constexpr std::size_t diagnostics_max = 64;

struct my_diagnostic {
    std::string level;  // "Note", "Warning", "Error"
    std::string code;
    std::string message;

    bool is_error() const noexcept { return level == "Error"; }
};

// What the last statement of a client left.
struct my_aftermath {
    std::int64_t row_count = 0;
    std::uint64_t found_rows = 0;
    std::uint32_t warnings = 0;  // errors included
    std::uint32_t errors = 0;
};

// What with_answers() answers.
inline constexpr auto known_from_replies =
    sql::looks_back::row_count | sql::looks_back::found_rows | sql::looks_back::diagnostics;

// `text` with numbers in the place of what it asks for.
std::string with_answers(std::string_view text, sql::dialect how, const my_aftermath& before);
// The same for a text that reads as `readable`, byte by byte (readable_text() in my_charsets.hpp).
std::string with_answers(std::string_view text,
                         std::string_view readable,
                         sql::dialect how,
                         const my_aftermath& before);

// SHOW WARNINGS and its kin, alone in a text.
struct show_diagnostics {
    bool errors_only = false;
    bool count = false;  // COUNT(*)
    std::uint64_t offset = 0;
    std::uint64_t limit = UINT64_MAX;
};
std::optional<show_diagnostics> parse_show_diagnostics(std::string_view text, sql::dialect how);

// The whole reply, its first packet numbered `sequence`. `charset`: of the client's results, in
// which the diagnostics are; empty: NULL.
void append_diagnostics(byte_queue& out,
                        std::uint8_t sequence,
                        const show_diagnostics& wanted,
                        const std::vector<my_diagnostic>& all,
                        std::uint16_t status,
                        std::uint32_t capabilities,
                        std::string_view charset);

}  // namespace sluice::gateway
