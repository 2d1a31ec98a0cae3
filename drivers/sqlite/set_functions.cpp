// drivers/sqlite/set_functions.cpp: PostgreSQL's functions that return rows, as table-valued
// functions whose columns are named as the statement wants them.
//
//   "pg:unnest:a:b"(x, y)          unnest(x, y) AS t(a, b)
//   "pg:unnest+:a:n"(x)            unnest(x) WITH ORDINALITY AS t(a, n)
//
// The rewriter of the client's SQL writes such names (proto/sql/sqlite_arrays.cpp); a module of
// each name is registered on the handle before the statement is compiled.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "drivers/sqlite/catalog.hpp"
#include "drivers/sqlite/function_call.hpp"
#include "proto/pg/arrays.hpp"

namespace sluice::sqlite {
namespace {

constexpr int arguments_max = 8;
constexpr std::size_t modules_max = 500;
constexpr std::int64_t rows_max = 100'000'000;

enum class kind { unnest, series, subscripts, expand, split, keywords, nothing };

struct specification {
    kind what = kind::nothing;
    std::vector<std::string> names;  // of all columns that are seen
    bool ordinality = false;
};

struct set_table : sqlite3_vtab {
    const specification* of = nullptr;
};

struct set_cursor : sqlite3_vtab_cursor {
    std::vector<pg::array_items> lists;
    bool from_zero = false;
    std::int64_t row = 0;
    std::int64_t rows = 0;
    std::int64_t first = 0;
    std::int64_t step = 1;
};

const char* type_of(const specification& of, std::size_t column)
{
    const bool last = column + 1 == of.names.size();
    if ((of.ordinality && last) || of.what == kind::series)
        return " pg_20 INTEGER";
    if (of.what == kind::subscripts || of.what == kind::expand)
        return " pg_23 INTEGER";
    return "";
}

int connect(sqlite3* db, void* data, int, const char* const*, sqlite3_vtab** out, char**)
{
    const auto& of = *static_cast<const specification*>(data);
    std::string sql = "CREATE TABLE x(";
    for (std::size_t i = 0; i < of.names.size(); ++i)
        sql += '"' + of.names[i] + '"' + type_of(of, i) + ',';
    for (int i = 0; i < arguments_max; ++i)
        sql += (i ? ",\"pg argument " : "\"pg argument ") + std::to_string(i) + "\" HIDDEN";
    const int code = sqlite3_declare_vtab(db, (sql + ')').c_str());
    if (code != SQLITE_OK)
        return code;
    auto* made = new set_table{};
    made->of = &of;
    *out = made;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table)
{
    delete static_cast<set_table*>(table);
    return SQLITE_OK;
}

// The hidden columns are the arguments: all that are given must be known before the first row.
int best_index(sqlite3_vtab* table, sqlite3_index_info* info)
{
    const auto visible = static_cast<int>(static_cast<set_table*>(table)->of->names.size());
    int place[arguments_max];
    std::fill(std::begin(place), std::end(place), -1);
    for (int i = 0; i < info->nConstraint; ++i) {
        const auto& each = info->aConstraint[i];
        if (each.iColumn < visible || each.op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        if (!each.usable)
            return SQLITE_CONSTRAINT;
        place[each.iColumn - visible] = i;
    }
    int count = 0;
    for (; count < arguments_max && place[count] >= 0; ++count) {
        info->aConstraintUsage[place[count]].argvIndex = count + 1;
        info->aConstraintUsage[place[count]].omit = 1;
    }
    info->idxNum = count;
    info->estimatedCost = 10;
    info->estimatedRows = 10;
    return SQLITE_OK;
}

int open_cursor(sqlite3_vtab*, sqlite3_vtab_cursor** out)
{
    *out = new set_cursor{};
    return SQLITE_OK;
}
int close_cursor(sqlite3_vtab_cursor* cursor)
{
    delete static_cast<set_cursor*>(cursor);
    return SQLITE_OK;
}

int complain(sqlite3_vtab* table, const char* why)
{
    sqlite3_free(table->zErrMsg);
    table->zErrMsg = sqlite3_mprintf("%s", why);
    return SQLITE_ERROR;
}

int start_series(set_cursor& at, int count, sqlite3_value** given)
{
    if (count < 2)
        return complain(at.pVtab, "generate_series takes two or three numbers");
    for (int i = 0; i < count; ++i) {
        if (is_null(given[i]))
            return SQLITE_OK;
        const int type = sqlite3_value_numeric_type(given[i]);
        if (type != SQLITE_INTEGER)
            return complain(at.pVtab, "generate_series of anything but integers is not available");
    }
    at.first = sqlite3_value_int64(given[0]);
    const auto last = sqlite3_value_int64(given[1]);
    at.step = count > 2 ? sqlite3_value_int64(given[2]) : 1;
    if (at.step == 0)
        return complain(at.pVtab, "step size cannot equal zero");
    if (at.step > 0 ? last < at.first : last > at.first)
        return SQLITE_OK;
    const auto width =
        at.step > 0 ? static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(at.first)
                    : static_cast<std::uint64_t>(at.first) - static_cast<std::uint64_t>(last);
    const auto by =
        at.step > 0 ? static_cast<std::uint64_t>(at.step) : 0 - static_cast<std::uint64_t>(at.step);
    if (width / by >= static_cast<std::uint64_t>(rows_max))
        return complain(at.pVtab, "generate_series returns at most 100 million rows");
    at.rows = static_cast<std::int64_t>(width / by) + 1;
    return SQLITE_OK;
}

pg::array_items split(std::string_view text, std::string_view by)
{
    pg::array_items out;
    for (std::size_t from = 0; !text.empty();) {
        const auto end = by.empty() ? text.size() : std::min(text.find(by, from), text.size());
        out.emplace_back(std::string(text.substr(from, end - from)));
        if (end == text.size())
            break;
        from = end + by.size();
    }
    return out;
}

int filter(sqlite3_vtab_cursor* cursor, int count, const char*, int, sqlite3_value** given)
{
    auto& at = *static_cast<set_cursor*>(cursor);
    const auto& of = *static_cast<set_table*>(at.pVtab)->of;
    at.lists.clear();
    at.row = at.rows = 0;
    switch (of.what) {
        case kind::series:
            return start_series(at, count, given);
        case kind::nothing:
            return SQLITE_OK;
        case kind::keywords:
            at.lists.resize(3);
            for (int i = 0; i < sqlite3_keyword_count(); ++i) {
                const char* word = nullptr;
                int size = 0;
                sqlite3_keyword_name(i, &word, &size);
                std::string text(word, static_cast<std::size_t>(size));
                for (char& c : text)
                    c = static_cast<char>(c | 0x20);
                at.lists[0].emplace_back(std::move(text));
                at.lists[1].emplace_back("R");
                at.lists[2].emplace_back("reserved");
            }
            break;
        case kind::split:
            if (count > 1 && !is_null(given[0]))
                at.lists.push_back(split(text_of(given[0]), text_of(given[1])));
            break;
        default: {
            const int lists = of.what == kind::unnest ? count : std::min(count, 1);
            for (int i = 0; i < lists; ++i) {
                auto items =
                    is_null(given[i]) ? pg::array_items{} : pg::parse_array(text_of(given[i]));
                if (!items)
                    return complain(at.pVtab, "malformed array literal");
                at.lists.push_back(std::move(*items));
            }
            at.from_zero = count > 0 && !text_of(given[0]).starts_with('{');
        }
    }
    for (const auto& each : at.lists)
        at.rows = std::max(at.rows, static_cast<std::int64_t>(each.size()));
    return SQLITE_OK;
}

int next(sqlite3_vtab_cursor* cursor)
{
    ++static_cast<set_cursor*>(cursor)->row;
    return SQLITE_OK;
}
int at_end(sqlite3_vtab_cursor* cursor)
{
    const auto& at = *static_cast<set_cursor*>(cursor);
    return at.row >= at.rows;
}
int row_number(sqlite3_vtab_cursor* cursor, sqlite3_int64* out)
{
    *out = static_cast<set_cursor*>(cursor)->row;
    return SQLITE_OK;
}

void item(sqlite3_context* call, const set_cursor& at, std::size_t list)
{
    if (list >= at.lists.size() || at.row >= static_cast<std::int64_t>(at.lists[list].size()))
        return;
    const auto& text = at.lists[list][static_cast<std::size_t>(at.row)];
    if (!text)
        return;
    std::int64_t number = 0;
    const char* end = text->data() + text->size();
    const auto [stop, ec] = std::from_chars(text->data(), end, number);
    if (ec == std::errc{} && stop == end && std::to_string(number) == *text)
        return sqlite3_result_int64(call, number);
    answer(call, *text);
}

int column(sqlite3_vtab_cursor* cursor, sqlite3_context* call, int which)
{
    const auto& at = *static_cast<set_cursor*>(cursor);
    const auto& of = *static_cast<set_table*>(at.pVtab)->of;
    const auto i = static_cast<std::size_t>(which);
    if (i >= of.names.size())
        return SQLITE_OK;
    if (of.ordinality && i + 1 == of.names.size())
        sqlite3_result_int64(call, at.row + 1);
    else if (of.what == kind::series)
        sqlite3_result_int64(call, at.first + at.row * at.step);
    else if (of.what == kind::subscripts)
        sqlite3_result_int64(call, at.row + (at.from_zero ? 0 : 1));
    else if (of.what == kind::expand && i == 1)
        sqlite3_result_int64(call, at.row + 1);
    else
        item(call, at, i);
    return SQLITE_OK;
}

sqlite3_module make_module() noexcept
{
    sqlite3_module made{};
    made.iVersion = 0;
    made.xConnect = connect;
    made.xBestIndex = best_index;
    made.xDisconnect = disconnect;
    made.xOpen = open_cursor;
    made.xClose = close_cursor;
    made.xFilter = filter;
    made.xNext = next;
    made.xEof = at_end;
    made.xColumn = column;
    made.xRowid = row_number;
    return made;
}

const sqlite3_module module = make_module();

std::optional<kind> kind_of(std::string_view name) noexcept
{
    return name == "unnest"                ? std::optional(kind::unnest)
           : name == "generate_series"     ? std::optional(kind::series)
           : name == "generate_subscripts" ? std::optional(kind::subscripts)
           : name == "_pg_expandarray"     ? std::optional(kind::expand)
           : name == "string_to_table"     ? std::optional(kind::split)
           : name == "keywords"            ? std::optional(kind::keywords)
           : name == "nothing"             ? std::optional(kind::nothing)
                                           : std::nullopt;
}

// "unnest+:a:n", what stands between the quotes behind "pg:".
std::unique_ptr<specification> read(std::string_view name)
{
    auto made = std::make_unique<specification>();
    auto colon = name.find(':');
    auto function = name.substr(0, colon);
    made->ordinality = function.ends_with('+');
    if (made->ordinality)
        function.remove_suffix(1);
    const auto known = kind_of(function);
    if (!known)
        return nullptr;
    made->what = *known;
    while (colon != std::string_view::npos) {
        const auto from = colon + 1;
        colon = name.find(':', from);
        made->names.emplace_back(name.substr(from, colon - from));
    }
    const bool good = !made->names.empty() && made->names.size() <= arguments_max + 1 &&
                      std::all_of(made->names.begin(), made->names.end(), [](const auto& each) {
                          return !each.empty();
                      });
    return good ? std::move(made) : nullptr;
}

}  // namespace

bool add_set_functions(handle& on, std::string_view sql)
{
    constexpr std::string_view mark = "\"pg:";
    for (auto at = sql.find(mark); at != std::string_view::npos; at = sql.find(mark, at + 1)) {
        const auto from = at + mark.size();
        const auto end = sql.find('"', from);
        if (end == std::string_view::npos || end - from > 1000)
            return true;
        const std::string name(sql.substr(at + 1, end - at - 1));
        if (on.set_functions.contains(name))
            continue;
        auto of = read(sql.substr(from, end - from));
        if (!of)
            continue;  // somebody's own name
        if (on.set_functions.size() >= modules_max)
            return false;
        on.set_functions.insert(name);
        sqlite3_create_module_v2(on.db(), name.c_str(), &module, of.release(), [](void* data) {
            delete static_cast<specification*>(data);
        });
    }
    return true;
}

}  // namespace sluice::sqlite
