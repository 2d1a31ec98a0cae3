// drivers/sqlite/pattern.hpp: PostgreSQL's regular expressions (~, ~*) without their dangers.
//
// Advanced regular expressions as far as catalogs and applications use them: . [] [^] [:class:] \d
// \s \w \m \M \y, groups, |, * + ? {m,n} and their lazy forms, ^ $, (?i) in front. No captures, no
// back references, no look-around (refused). Matching is a walk over all states at once: its time
// is bounded by length times size, whatever the pattern.
//
// Layer: drivers. Bounds: `program_max` instructions, `depth_max` nested groups.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sqlite {

class pattern {
public:
    static constexpr std::size_t program_max = 20'000;
    static constexpr int depth_max = 100;

    // Empty `error`: good.
    static pattern compile(std::string_view text, std::string& error);

    // `stop` is asked now and then; once it is true the search ends without a match.
    bool found_in(std::string_view text, bool (*stop)(void*), void* data) const;

private:
    friend class pattern_compiler;

    enum class op : std::uint8_t { any, set, split, jump, begin, end, boundary, match };
    struct range {
        char32_t from;
        char32_t to;
    };
    struct character_set {
        std::vector<range> ranges;
        bool negated = false;
        bool has(char32_t c, bool fold) const noexcept;
    };
    struct instruction {
        op what = op::match;
        std::uint32_t a = 0;  // set: which; split, jump: where to
        std::uint32_t b = 0;  // split: the other way; boundary: which kind
    };

    void add(std::vector<std::uint32_t>& list,
             std::vector<std::uint32_t>& seen,
             std::uint32_t mark,
             std::uint32_t at,
             char32_t before,
             char32_t after) const;

    std::vector<instruction> program_;
    std::vector<character_set> sets_;
    bool fold_ = false;
};

}  // namespace sluice::sqlite
