// drivers/sqlite/array_functions.cpp: functions and aggregates on PostgreSQL's arrays, which are
// text here: {1,2}, or 1 2 for the catalogs' vectors.
#include <algorithm>
#include <charconv>
#include <new>
#include <vector>

#include "drivers/sqlite/catalog.hpp"
#include "drivers/sqlite/function_call.hpp"
#include "proto/pg/arrays.hpp"

namespace sluice::sqlite {
namespace {

using pg::array_items;

// What an aggregate may collect: as long as a value may be.
constexpr std::size_t items_max = 1'000'000;

std::optional<array_items> array_of(sqlite3_value* v)
{
    return is_null(v) ? std::nullopt : pg::parse_array(text_of(v));
}

std::optional<std::string> item_of(sqlite3_value* v)
{
    if (is_null(v))
        return std::nullopt;
    return std::string(text_of(v));
}

// Numbers come out as numbers, so that they compare with columns that have no affinity.
void answer_item(sqlite3_context* call, const std::optional<std::string>& item)
{
    if (!item)
        return;
    std::int64_t number = 0;
    const char* end = item->data() + item->size();
    const auto [at, ec] = std::from_chars(item->data(), end, number);
    if (ec == std::errc{} && at == end && std::to_string(number) == *item)
        return sqlite3_result_int64(call, number);
    answer(call, *item);
}

void build(sqlite3_context* call, int count, arguments given)
{
    array_items items;
    for (int i = 0; i < count; ++i)
        items.push_back(item_of(given[i]));
    answer(call, pg::format_array(items));
}

bool is_vector(sqlite3_value* v) noexcept
{
    return !text_of(v).starts_with('{');
}

void subscript(sqlite3_context* call, int, arguments given)
{
    const auto items = array_of(given[0]);
    if (!items || is_null(given[1]))
        return;
    const auto at = sqlite3_value_int64(given[1]) - (is_vector(given[0]) ? 0 : 1);
    if (at >= 0 && at < static_cast<std::int64_t>(items->size()))
        answer_item(call, (*items)[static_cast<std::size_t>(at)]);
}

void upper_bound(sqlite3_context* call, int, arguments given)
{
    const auto items = array_of(given[0]);
    if (!items || items->empty() || sqlite3_value_int(given[1]) != 1)
        return;
    sqlite3_result_int64(call,
                         static_cast<std::int64_t>(items->size()) - (is_vector(given[0]) ? 1 : 0));
}
void lower_bound(sqlite3_context* call, int, arguments given)
{
    const auto items = array_of(given[0]);
    if (items && !items->empty() && sqlite3_value_int(given[1]) == 1)
        sqlite3_result_int64(call, is_vector(given[0]) ? 0 : 1);
}
void length(sqlite3_context* call, int, arguments given)
{
    const auto items = array_of(given[0]);
    if (items && !items->empty() && sqlite3_value_int(given[1]) == 1)
        sqlite3_result_int64(call, static_cast<std::int64_t>(items->size()));
}
void cardinality(sqlite3_context* call, int, arguments given)
{
    if (const auto items = array_of(given[0]))
        sqlite3_result_int64(call, static_cast<std::int64_t>(items->size()));
}

void to_text(sqlite3_context* call, int count, arguments given)
{
    const auto items = array_of(given[0]);
    if (!items || is_null(given[1]))
        return;
    std::string out;
    bool first = true;
    for (const auto& item : *items) {
        if (!item && (count < 3 || is_null(given[2])))
            continue;
        if (!std::exchange(first, false))
            out += text_of(given[1]);
        out += item ? std::string_view(*item) : text_of(given[2]);
    }
    answer(call, out);
}

void append(sqlite3_context* call, int, arguments given)
{
    auto items = array_of(given[0]).value_or(array_items{});
    items.push_back(item_of(given[1]));
    answer(call, pg::format_array(items));
}
void prepend(sqlite3_context* call, int, arguments given)
{
    auto items = array_of(given[1]).value_or(array_items{});
    items.insert(items.begin(), item_of(given[0]));
    answer(call, pg::format_array(items));
}
void concatenate(sqlite3_context* call, int, arguments given)
{
    const auto first = array_of(given[0]);
    const auto second = array_of(given[1]);
    if (!first && !second)
        return;
    auto items = first.value_or(array_items{});
    if (second)
        items.insert(items.end(), second->begin(), second->end());
    answer(call, pg::format_array(items));
}
void remove(sqlite3_context* call, int, arguments given)
{
    auto items = array_of(given[0]);
    if (!items)
        return;
    items->erase(std::remove(items->begin(), items->end(), item_of(given[1])), items->end());
    answer(call, pg::format_array(*items));
}
void position(sqlite3_context* call, int, arguments given)
{
    const auto items = array_of(given[0]);
    if (!items)
        return;
    const auto at = std::find(items->begin(), items->end(), item_of(given[1]));
    if (at != items->end())
        sqlite3_result_int64(call, at - items->begin() + (is_vector(given[0]) ? 0 : 1));
}

void from_text(sqlite3_context* call, int, arguments given)
{
    if (is_null(given[0]))
        return;
    array_items items;
    const auto text = text_of(given[0]);
    const auto by = text_of(given[1]);
    for (std::size_t at = 0; at <= text.size() && !text.empty();) {
        const auto end = by.empty() ? text.size() : std::min(text.find(by, at), text.size());
        items.emplace_back(std::string(text.substr(at, end - at)));
        at = end + std::max<std::size_t>(by.size(), 1);
        if (end == text.size())
            break;
    }
    answer(call, pg::format_array(items));
}

// array_agg(x), and "x ORDER BY k DESC, ..." as (x, k, 1, ...); string_agg(x, s, k, 1, ...).
struct collected {
    struct row {
        std::optional<std::string> item;
        std::string separator;
        std::vector<std::pair<sqlite3_value*, bool>> keys;  // descending?
    };
    std::vector<row> rows;
    std::size_t bytes = 0;

    ~collected()
    {
        for (const auto& each : rows)
            for (const auto& [key, descending] : each.keys)
                sqlite3_value_free(key);
    }
};

// NULLs last, numbers before texts: as far as one column needs.
int compare(sqlite3_value* a, sqlite3_value* b) noexcept
{
    const auto rank = [](sqlite3_value* v) {
        const int type = sqlite3_value_type(v);
        return type == SQLITE_NULL ? 2 : type == SQLITE_TEXT || type == SQLITE_BLOB ? 1 : 0;
    };
    if (rank(a) != rank(b))
        return rank(a) < rank(b) ? -1 : 1;
    if (rank(a) == 0) {
        const double x = sqlite3_value_double(a);
        const double y = sqlite3_value_double(b);
        return x < y ? -1 : x > y;
    }
    return rank(a) == 2 ? 0 : text_of(a).compare(text_of(b));
}

template <int First>  // index of the first key
void collect(sqlite3_context* call, int count, arguments given)
{
    auto** slot = static_cast<collected**>(sqlite3_aggregate_context(call, sizeof(collected*)));
    if (!slot)
        return sqlite3_result_error_nomem(call);
    if (!*slot)
        *slot = new (std::nothrow) collected;
    if (!*slot)
        return sqlite3_result_error_nomem(call);
    auto& all = **slot;
    if (First == 2 && is_null(given[0]))
        return;  // string_agg leaves NULL out
    collected::row row;
    row.item = item_of(given[0]);
    if (First == 2 && count > 1)
        row.separator = std::string(text_of(given[1]));
    all.bytes += 64 + (row.item ? row.item->size() : 0) + row.separator.size();
    const auto most = sqlite3_limit(sqlite3_context_db_handle(call), SQLITE_LIMIT_LENGTH, -1);
    if (all.rows.size() >= items_max || all.bytes > static_cast<std::size_t>(most))
        return sqlite3_result_error_toobig(call);
    for (int i = First; i + 1 < count; i += 2) {
        auto* key = sqlite3_value_dup(given[i]);
        if (!key)
            return sqlite3_result_error_nomem(call);
        row.keys.emplace_back(key, sqlite3_value_int(given[i + 1]) != 0);
    }
    all.rows.push_back(std::move(row));
}

std::unique_ptr<collected> take_sorted(sqlite3_context* call)
{
    auto** slot = static_cast<collected**>(sqlite3_aggregate_context(call, 0));
    std::unique_ptr<collected> all(slot ? std::exchange(*slot, nullptr) : nullptr);
    if (all)
        std::stable_sort(all->rows.begin(), all->rows.end(), [](const auto& a, const auto& b) {
            for (std::size_t i = 0; i < a.keys.size() && i < b.keys.size(); ++i)
                if (const int c = compare(a.keys[i].first, b.keys[i].first))
                    return a.keys[i].second ? c > 0 : c < 0;
            return false;
        });
    return all;
}

void array_result(sqlite3_context* call)
{
    const auto all = take_sorted(call);
    if (!all || all->rows.empty())
        return;
    std::string out = "{";
    for (const auto& row : all->rows) {
        if (out.size() > 1)
            out += ',';
        pg::append_array_item(out, row.item);
    }
    answer(call, out + '}');
}

void string_result(sqlite3_context* call)
{
    const auto all = take_sorted(call);
    if (!all || all->rows.empty())
        return;
    std::string out;
    for (const auto& row : all->rows) {
        if (&row != all->rows.data())
            out += row.separator;
        out += *row.item;
    }
    answer(call, out);
}

constexpr function functions[] = {
    {"pg_array", -1, build},
    {"pg_subscript", 2, subscript},
    {"array_upper", 2, upper_bound},
    {"array_lower", 2, lower_bound},
    {"array_length", 2, length},
    {"cardinality", 1, cardinality},
    {"array_to_string", 2, to_text},
    {"array_to_string", 3, to_text},
    {"array_append", 2, append},
    {"array_prepend", 2, prepend},
    {"array_cat", 2, concatenate},
    {"array_remove", 2, remove},
    {"array_position", 2, position},
    {"string_to_array", 2, from_text},
};

}  // namespace

void add_array_functions(handle& on)
{
    add_functions(on, functions);
    constexpr int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS;
    sqlite3_create_function_v2(
        on.db(), "array_agg", -1, flags, &on, nullptr, collect<1>, array_result, nullptr);
    sqlite3_create_function_v2(
        on.db(), "string_agg", -1, flags, &on, nullptr, collect<2>, string_result, nullptr);
}

}  // namespace sluice::sqlite
