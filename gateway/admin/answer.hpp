// gateway/admin/answer.hpp: what the console answers, whatever the protocol: rows, a word, or an
// error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::gateway::admin {

// Numbers are 64 bits, everything else is text.
struct column {
    std::string name;
    bool number = false;
};

using cell = std::variant<std::monostate, std::int64_t, std::string>;
using row = std::vector<cell>;

// Why a command is refused.
struct problem {
    std::string_view sqlstate = "42601";
    std::uint16_t mysql_errno = 1064;
    std::string_view mysql_sqlstate = "42000";
    std::string message;
    std::string hint = {};
};

struct answer {
    std::vector<column> columns;  // none: no rows, only the tag
    std::vector<row> rows;
    std::string tag = "SHOW";          // PostgreSQL's CommandComplete
    std::vector<std::string> notices;  // one line each
    std::optional<problem> failure;    // instead of all else
};

}  // namespace sluice::gateway::admin
