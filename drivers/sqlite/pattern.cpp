// drivers/sqlite/pattern.cpp: running a regular expression: all its states at once.
#include "drivers/sqlite/pattern.hpp"

#include <algorithm>

namespace sluice::sqlite {
namespace {

constexpr char32_t outside = 0xffffffff;  // before the first character, behind the last
constexpr std::size_t characters_between_looks = 4096;

bool is_word(char32_t c) noexcept
{
    return c != outside && (c >= 0x80 || c == '_' || (c >= '0' && c <= '9') ||
                            ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'));
}

char32_t next_character(std::string_view text, std::size_t& at) noexcept
{
    const auto lead = static_cast<unsigned char>(text[at++]);
    int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    char32_t value = more == 3   ? lead & 0x07u
                     : more == 2 ? lead & 0x0fu
                     : more == 1 ? lead & 0x1fu
                                 : lead;
    for (; more > 0 && at < text.size(); --more)
        value = value << 6 | (static_cast<unsigned char>(text[at++]) & 0x3fu);
    return value;
}

char32_t other_case(char32_t c) noexcept
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? c ^ 0x20 : c;
}

}  // namespace

bool pattern::character_set::has(char32_t c, bool fold) const noexcept
{
    const auto inside = [this](char32_t one) {
        return std::any_of(ranges.begin(), ranges.end(), [one](const range& r) {
            return one >= r.from && one <= r.to;
        });
    };
    return (inside(c) || (fold && inside(other_case(c)))) != negated;
}

// Adds a state and all that it leads to without a character. An explicit stack: programs are long.
void pattern::add(std::vector<std::uint32_t>& list,
                  std::vector<std::uint32_t>& seen,
                  std::uint32_t mark,
                  std::uint32_t at,
                  char32_t before,
                  char32_t after) const
{
    std::vector<std::uint32_t> stack{at};
    while (!stack.empty()) {
        const auto i = stack.back();
        stack.pop_back();
        if (seen[i] == mark)
            continue;
        seen[i] = mark;
        const auto& one = program_[i];
        switch (one.what) {
            case op::jump:
                stack.push_back(one.a);
                break;
            case op::split:
                stack.push_back(one.a);
                stack.push_back(one.b);
                break;
            case op::begin:
                if (before == outside)
                    stack.push_back(i + 1);
                break;
            case op::end:
                if (after == outside)
                    stack.push_back(i + 1);
                break;
            case op::boundary: {
                const bool left = is_word(before);
                const bool right = is_word(after);
                const bool holds = one.b == 'm'   ? !left && right
                                   : one.b == 'M' ? left && !right
                                   : one.b == 'y' ? left != right
                                                  : left == right;
                if (holds)
                    stack.push_back(i + 1);
                break;
            }
            default:
                list.push_back(i);
        }
    }
}

bool pattern::found_in(std::string_view text, bool (*stop)(void*), void* data) const
{
    std::vector<std::uint32_t> now;
    std::vector<std::uint32_t> next;
    std::vector<std::uint32_t> seen(program_.size(), 0);
    std::uint32_t mark = 0;
    char32_t before = outside;
    std::size_t at = 0;
    std::size_t looked = 0;
    for (;;) {
        std::size_t behind = at;
        const char32_t here = at < text.size() ? next_character(text, behind) : outside;
        // A search may begin at every character. `now` came with the last one: its closure is due.
        ++mark;
        next.clear();
        for (const auto i : now)
            add(next, seen, mark, i, before, here);
        add(next, seen, mark, 0, before, here);
        now.clear();
        for (const auto i : next) {
            const auto& one = program_[i];
            if (one.what == op::match)
                return true;
            if (here != outside && (one.what == op::any || sets_[one.a].has(here, fold_)))
                now.push_back(i + 1);
        }
        if (here == outside)
            return false;
        before = here;
        at = behind;
        looked += 1 + next.size();
        if (looked > characters_between_looks && stop && stop(data))
            return false;
        if (looked > characters_between_looks)
            looked = 0;
    }
}

}  // namespace sluice::sqlite
