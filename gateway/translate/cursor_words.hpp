// gateway/translate/cursor_words.hpp: what PREPARE and EXECUTE, DECLARE, FETCH, MOVE and CLOSE say.
//
//   PREPARE name [(type, ...)] AS statement          EXECUTE name [(expression, ...)]
//   DECLARE name [BINARY] [INSENSITIVE] [NO SCROLL] CURSOR [WITHOUT HOLD] FOR query
//   FETCH | MOVE [direction] [FROM | IN] name        CLOSE name | ALL
//
// Layer: gateway. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::gateway {

struct words_problem {
    std::string sqlstate;  // empty: none
    std::string message;
    std::string hint;
};

struct prepare_words {
    std::string name;
    std::vector<std::string> types;
    std::size_t query = 0;  // where the statement begins in the text
    std::string arguments;  // of EXECUTE: what stands between the parentheses
    words_problem problem;
};

struct cursor_words {
    enum class verb { declare, fetch, move, close };
    enum class direction { forward, relative, absolute, backward };
    static constexpr std::int64_t everything = std::numeric_limits<std::int64_t>::max();

    verb what = verb::declare;
    std::string name;
    bool all = false;  // CLOSE ALL
    direction where = direction::forward;
    std::int64_t count = 1;
    std::size_t query = 0;
    words_problem problem;
};

// `text` begins with the verb.
prepare_words read_prepare_words(std::string_view text);
cursor_words read_cursor_words(std::string_view text);

}  // namespace sluice::gateway
