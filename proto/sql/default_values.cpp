// proto/sql/default_values.cpp: which columns an INSERT gives DEFAULT for, in every row.
#include "proto/sql/default_values.hpp"

#include <algorithm>

#include "proto/sql/key_words.hpp"

namespace sluice::sql {
namespace {

struct item {
    std::size_t begin;
    std::size_t end;
};

// The items of the list in parentheses that opens at `n`, which is then behind it. Empty: no list.
std::vector<item> read_list(std::span<const token> tokens, std::size_t& n)
{
    std::vector<item> items;
    if (tokens[n].kind != token_kind::open_paren)
        return items;
    std::size_t depth = 1;
    for (std::size_t begin = ++n; tokens[n].kind != token_kind::end; ++n) {
        const auto kind = tokens[n].kind;
        depth += kind == token_kind::open_paren;
        depth -= kind == token_kind::close_paren;
        if (depth > 1 || (depth == 1 && kind != token_kind::comma))
            continue;
        items.push_back({begin, n});
        begin = n + 1;
        if (depth == 0) {
            ++n;
            return items;
        }
    }
    return {};
}

bool is_default(std::span<const token> tokens, const item& one) noexcept
{
    return one.end == one.begin + 1 && is_word(tokens[one.begin], "default");
}

// A comma stays where something stands on both sides of it.
void leave_out(const std::vector<item>& items,
               const std::vector<bool>& gone,
               std::vector<bool>& tokens)
{
    bool before = false;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0 && (gone[i] || !before))
            tokens[items[i].begin - 1] = true;
        if (gone[i])
            std::fill(tokens.begin() + static_cast<std::ptrdiff_t>(items[i].begin),
                      tokens.begin() + static_cast<std::ptrdiff_t>(items[i].end),
                      true);
        before = before || !gone[i];
    }
}

}  // namespace

default_values find_default_values(std::span<const token> tokens)
{
    default_values found;
    if (!is_word(tokens[0], "insert") && !is_word(tokens[0], "replace"))
        return found;
    if (std::none_of(
            tokens.begin(), tokens.end(), [](const token& t) { return is_word(t, "default"); }))
        return found;
    std::size_t n = 1;
    while (tokens[n].kind == token_kind::word || tokens[n].kind == token_kind::quoted_word ||
           tokens[n].kind == token_kind::dot)
        ++n;
    const auto first = n;
    const auto columns = read_list(tokens, n);
    if (columns.empty() || (!is_word(tokens[n], "values") && !is_word(tokens[n], "value")))
        return found;
    const auto values = n;
    std::vector<std::vector<item>> rows;
    std::vector<bool> gone(columns.size(), true);
    do {
        rows.push_back(read_list(tokens, ++n));
        if (rows.back().size() != columns.size())
            return found;
        for (std::size_t i = 0; i < columns.size(); ++i)
            gone[i] = gone[i] && is_default(tokens, rows.back()[i]);
    } while (tokens[n].kind == token_kind::comma);

    const auto count = static_cast<std::size_t>(std::count(gone.begin(), gone.end(), true));
    if (count == 0 || (count == columns.size() && rows.size() > 1))
        return found;
    found.left_out.resize(tokens.size());
    if (count == columns.size()) {
        std::fill(found.left_out.begin() + static_cast<std::ptrdiff_t>(first),
                  found.left_out.begin() + static_cast<std::ptrdiff_t>(n),
                  true);
        found.left_out[values] = false;
        found.values = values;
        return found;
    }
    leave_out(columns, gone, found.left_out);
    for (const auto& row : rows)
        leave_out(row, gone, found.left_out);
    return found;
}

}  // namespace sluice::sql
