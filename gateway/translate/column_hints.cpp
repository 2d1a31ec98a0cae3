// gateway/translate/column_hints.cpp: types and names of a select list's items by their look.
#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <string>

#include "gateway/translate/result_types.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway {
namespace {

namespace oid = pg::oid;
using sql::token;
using sql::token_kind;
using tokens = std::span<const token>;

constexpr pg::type_oid text_array = 1009;
constexpr pg::type_oid name_array = 1003;

struct function_type {
    std::string_view name;
    pg::type_oid type;
};

constexpr std::array functions{
    function_type{"count", oid::int8},
    function_type{"length", oid::int8},
    function_type{"char_length", oid::int8},
    function_type{"octet_length", oid::int8},
    function_type{"row_number", oid::int8},
    function_type{"rank", oid::int8},
    function_type{"dense_rank", oid::int8},
    function_type{"ntile", oid::int8},
    function_type{"changes", oid::int8},
    function_type{"total_changes", oid::int8},
    function_type{"last_insert_rowid", oid::int8},
    function_type{"instr", oid::int8},
    function_type{"unicode", oid::int8},
    function_type{"random", oid::int8},
    function_type{"pg_backend_pid", oid::int4},
    function_type{"avg", oid::float8},
    function_type{"total", oid::float8},
    function_type{"julianday", oid::float8},
    function_type{"percent_rank", oid::float8},
    function_type{"cume_dist", oid::float8},
    function_type{"exists", oid::boolean},
    function_type{"now", oid::timestamptz},
    function_type{"lower", oid::text},
    function_type{"upper", oid::text},
    function_type{"trim", oid::text},
    function_type{"ltrim", oid::text},
    function_type{"rtrim", oid::text},
    function_type{"replace", oid::text},
    function_type{"group_concat", oid::text},
    function_type{"string_agg", oid::text},
    function_type{"strftime", oid::text},
    function_type{"date", oid::text},
    function_type{"time", oid::text},
    function_type{"datetime", oid::text},
    function_type{"printf", oid::text},
    function_type{"format", oid::text},
    function_type{"hex", oid::text},
    function_type{"quote", oid::text},
    function_type{"typeof", oid::text},
    function_type{"version", oid::text},
    function_type{"current_database", oid::name},
    function_type{"current_schema", oid::name},
    function_type{"current_setting", oid::text},
    function_type{"set_config", oid::text},
    function_type{"sqlite_version", oid::text},
    function_type{"array_agg", text_array},
    function_type{"array", text_array},
    function_type{"array_append", text_array},
    function_type{"array_remove", text_array},
    function_type{"array_cat", text_array},
    function_type{"string_to_array", text_array},
    function_type{"current_schemas", name_array},
    function_type{"format_type", oid::text},
    function_type{"array_to_string", oid::text},
    function_type{"pg_get_expr", oid::text},
    function_type{"pg_get_constraintdef", oid::text},
    function_type{"pg_get_indexdef", oid::text},
    function_type{"pg_get_viewdef", oid::text},
    function_type{"pg_get_userbyid", oid::name},
    function_type{"pg_encoding_to_char", oid::name},
    function_type{"current_user", oid::name},
    function_type{"obj_description", oid::text},
    function_type{"col_description", oid::text},
    function_type{"quote_ident", oid::text},
    function_type{"quote_literal", oid::text},
    function_type{"concat", oid::text},
    function_type{"concat_ws", oid::text},
    function_type{"left", oid::text},
    function_type{"right", oid::text},
    function_type{"lpad", oid::text},
    function_type{"rpad", oid::text},
    function_type{"repeat", oid::text},
    function_type{"reverse", oid::text},
    function_type{"initcap", oid::text},
    function_type{"split_part", oid::text},
    function_type{"gen_random_uuid", oid::uuid},
    function_type{"date_trunc", oid::timestamp},
    function_type{"date_part", oid::float8},
    function_type{"starts_with", oid::boolean},
    function_type{"pg_is_in_recovery", oid::boolean},
    function_type{"pg_table_is_visible", oid::boolean},
    function_type{"pg_type_is_visible", oid::boolean},
    function_type{"has_table_privilege", oid::boolean},
    function_type{"has_schema_privilege", oid::boolean},
    function_type{"has_database_privilege", oid::boolean},
    function_type{"pg_has_role", oid::boolean},
    function_type{"bool_and", oid::boolean},
    function_type{"bool_or", oid::boolean},
    function_type{"array_length", oid::int4},
    function_type{"array_upper", oid::int4},
    function_type{"array_lower", oid::int4},
    function_type{"cardinality", oid::int4},
    function_type{"array_position", oid::int4},
    function_type{"zeroblob", oid::bytea},
    function_type{"randomblob", oid::bytea},
};

pg::type_oid type_of_function(std::string_view name) noexcept
{
    const auto at = std::find_if(functions.begin(), functions.end(), [name](const auto& f) {
        return sql::same_word(name, f.name);
    });
    return at == functions.end() ? oid::unspecified : at->type;
}

bool opens(const token& t) noexcept
{
    return t.kind == token_kind::open_paren || t.kind == token_kind::open_bracket;
}
bool closes(const token& t) noexcept
{
    return t.kind == token_kind::close_paren || t.kind == token_kind::close_bracket;
}

// The parenthesis at `from` closes at the last token.
bool spans_to_end(tokens item, std::size_t from) noexcept
{
    int depth = 0;
    for (std::size_t i = from; i < item.size(); ++i) {
        depth += opens(item[i]) ? 1 : closes(item[i]) ? -1 : 0;
        if (depth == 0)
            return i + 1 == item.size();
    }
    return false;
}

constexpr std::array<std::string_view, 13> truth_words{"and",
                                                       "or",
                                                       "not",
                                                       "is",
                                                       "in",
                                                       "like",
                                                       "ilike",
                                                       "between",
                                                       "isnull",
                                                       "notnull",
                                                       "glob",
                                                       "regexp",
                                                       "match"};
constexpr std::array<std::string_view, 9> comparisons{
    "=", "==", "<", ">", "<=", ">=", "<>", "!=", "~"};

// By operators outside of parentheses. CASE hides what is inside of it.
pg::type_oid type_of_operators(tokens item) noexcept
{
    int depth = 0;
    bool concatenates = false;
    for (const token& t : item) {
        depth += opens(t) ? 1 : closes(t) ? -1 : 0;
        if (depth > 0)
            continue;
        if (sql::is_word(t, "case"))
            return oid::unspecified;
        const auto is = [&t](std::string_view word) { return sql::is_word(t, word); };
        if (std::any_of(truth_words.begin(), truth_words.end(), is))
            return oid::boolean;
        if (t.kind != token_kind::op)
            continue;
        if (std::find(comparisons.begin(), comparisons.end(), t.text) != comparisons.end())
            return oid::boolean;
        concatenates = concatenates || t.text == "||";
    }
    return concatenates ? oid::text : oid::unspecified;
}

pg::type_oid type_of_literal(const token& t) noexcept
{
    switch (t.kind) {
        case token_kind::number:
            if (t.text.starts_with("0x") || t.text.starts_with("0X"))
                return oid::int8;
            if (t.text.find_first_of(".eE") != std::string_view::npos)
                return oid::float8;
            return t.text.size() <= 18 ? oid::int8 : oid::unspecified;
        case token_kind::string:
        case token_kind::escape_string:
        case token_kind::unicode_string:
        case token_kind::dollar_string:
            return oid::text;
        case token_kind::bit_string:
            return oid::bytea;
        case token_kind::word:
            if (sql::same_word(t.text, "true") || sql::same_word(t.text, "false"))
                return oid::boolean;
            if (sql::same_word(t.text, "current_timestamp"))
                return oid::timestamptz;
            if (sql::same_word(t.text, "current_date"))
                return oid::date;
            if (sql::same_word(t.text, "current_user") || sql::same_word(t.text, "session_user"))
                return oid::name;
            return type_of_catalog_column(t.text);
        default:
            return oid::unspecified;
    }
}

std::string_view text_of(tokens range) noexcept
{
    if (range.empty())
        return {};
    const char* from = range.front().text.data();
    const char* to = range.back().text.data() + range.back().text.size();
    return {from, static_cast<std::size_t>(to - from)};
}

// Without "AS alias" or a bare alias behind it.
tokens without_alias(tokens item) noexcept
{
    int depth = 0;
    for (std::size_t i = 0; i < item.size(); ++i) {
        depth += opens(item[i]) ? 1 : closes(item[i]) ? -1 : 0;
        if (depth == 0 && i > 0 && sql::is_word(item[i], "as"))
            return item.first(i);
    }
    if (item.size() < 2)
        return item;
    const auto last = item.back().kind;
    const auto before = item[item.size() - 2].kind;
    const bool named =
        last == token_kind::quoted_word ||
        (last == token_kind::word && !sql::is_word(item.back(), "end") &&
         !sql::is_word(item.back(), "isnull") && !sql::is_word(item.back(), "notnull"));
    const bool complete = before == token_kind::close_paren || before == token_kind::number ||
                          before == token_kind::string || before == token_kind::quoted_word;
    return named && complete ? item.first(item.size() - 1) : item;
}

// The last cast outside of parentheses, unless an operator could make something else of it.
std::size_t trailing_cast(tokens item) noexcept
{
    std::size_t cast = item.size();
    int depth = 0;
    for (std::size_t i = 0; i < item.size(); ++i) {
        depth += opens(item[i]) ? 1 : closes(item[i]) ? -1 : 0;
        if (depth == 0 && item[i].kind == token_kind::op)
            return item.size();
        if (depth == 0 && item[i].kind == token_kind::cast)
            cast = i;
    }
    return cast;
}

// CAST(... AS type): what stands behind AS.
pg::type_oid type_of_cast_call(tokens item, std::size_t open) noexcept
{
    int depth = 0;
    for (std::size_t i = open; i + 1 < item.size(); ++i) {
        depth += opens(item[i]) ? 1 : closes(item[i]) ? -1 : 0;
        if (depth == 1 && sql::is_word(item[i], "as"))
            return type_of_cast(text_of(item.subspan(i + 1, item.size() - i - 2)));
    }
    return oid::unspecified;
}

pg::type_oid type_of_item(tokens item) noexcept
{
    item = without_alias(item);
    while (item.size() > 2 && item[0].kind == token_kind::open_paren && spans_to_end(item, 0) &&
           !sql::is_word(item[1], "select") && !sql::is_word(item[1], "with"))
        item = item.subspan(1, item.size() - 2);
    if (item.empty())
        return oid::unspecified;
    if (const auto type = type_of_operators(item); type != oid::unspecified)
        return type;
    if (const auto cast = trailing_cast(item); cast < item.size())
        return type_of_cast(text_of(item.subspan(cast + 1)));
    if (item.size() == 1)
        return type_of_literal(item[0]);
    if (item.size() == 2 && item[0].kind == token_kind::op && item[1].kind == token_kind::number)
        return type_of_literal(item[1]);
    if (item.size() == 3 && item[1].kind == token_kind::dot)
        return type_of_catalog_column(item[2].text);
    std::size_t name = 0;
    if (item.size() > 3 && sql::is_word(item[0], "pg_catalog") && item[1].kind == token_kind::dot)
        name = 2;
    if (item[name].kind != token_kind::word || item.size() < name + 3 ||
        item[name + 1].kind != token_kind::open_paren)
        return oid::unspecified;
    if (sql::is_word(item[name], "cast") && spans_to_end(item, name + 1))
        return type_of_cast_call(item, name + 1);
    // A window or filter may follow the call; another operator would have been seen above.
    const bool windowed = std::any_of(item.begin(), item.end(), [](const token& t) {
        return sql::is_word(t, "over") || sql::is_word(t, "filter");
    });
    const bool arithmetic = std::any_of(item.begin(), item.end(), [](const token& t) {
        return t.kind == token_kind::op && t.text != "*";
    });
    if (spans_to_end(item, name + 1) || (windowed && !arithmetic))
        return type_of_function(item[name].text);
    return oid::unspecified;
}

std::string lower_word(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

// FigureColname in PostgreSQL's parse_target.c, as far as it can be told from the tokens.
std::string name_of_item(tokens item)
{
    if (without_alias(item).size() != item.size())
        return {};
    if (const auto cast = trailing_cast(item); cast < item.size() && cast + 1 < item.size()) {
        const auto inner = name_of_item(item.first(cast));
        return inner == "?column?" ? lower_word(item[cast + 1].text) : inner;
    }
    if (sql::is_word(item[0], "case"))
        return "case";
    int depth = 0;
    for (const token& t : item) {
        depth += opens(t) ? 1 : closes(t) ? -1 : 0;
        if (depth == 0 && t.kind == token_kind::op)
            return "?column?";
    }
    std::size_t name = 0;
    while (name + 2 < item.size() && item[name + 1].kind == token_kind::dot)
        name += 2;
    const bool word = item[name].kind == token_kind::word;
    if (word && name + 1 < item.size() && item[name + 1].kind == token_kind::open_paren &&
        !sql::is_word(item[name], "cast"))
        return lower_word(item[name].text);
    if (item.size() == 1 && word && type_of_literal(item[0]) == oid::boolean)
        return "bool";
    if (item.size() == 1 && word)
        return lower_word(item[0].text);
    if (item.size() == 1 && item[0].kind != token_kind::quoted_word)
        return "?column?";
    return {};
}

// Where the outermost list begins: behind SELECT [DISTINCT | ALL], or behind RETURNING.
tokens outermost_list(tokens all) noexcept
{
    int depth = 0;
    std::size_t from = all.size();
    std::size_t to = all.size();
    bool values = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const token& t = all[i];
        if (from < all.size() && depth == 0 && i >= from) {
            static constexpr std::array<std::string_view, 10> ends{"from",
                                                                   "where",
                                                                   "group",
                                                                   "order",
                                                                   "limit",
                                                                   "union",
                                                                   "intersect",
                                                                   "except",
                                                                   "window",
                                                                   "having"};
            const auto is = [&t](std::string_view word) { return sql::is_word(t, word); };
            if (std::any_of(ends.begin(), ends.end(), is)) {
                to = i;
                break;
            }
        }
        depth += opens(t) ? 1 : closes(t) ? -1 : 0;
        if (depth != 0 || from < all.size())
            continue;
        if (sql::is_word(t, "select")) {
            from = i + 1;
            if (from < all.size() &&
                (sql::is_word(all[from], "distinct") || sql::is_word(all[from], "all")))
                ++from;
        } else if (sql::is_word(t, "returning")) {
            from = i + 1;
        } else if (sql::is_word(t, "insert") || sql::is_word(t, "update") ||
                   sql::is_word(t, "delete") || sql::is_word(t, "replace")) {
            values = true;
        }
        if (values && from < all.size() && !sql::is_word(t, "returning"))
            from = all.size();  // INSERT ... SELECT returns nothing by that SELECT
    }
    return from < to ? all.subspan(from, to - from) : tokens{};
}

}  // namespace

column_hints read_column_hints(std::string_view statement, sql::dialect dialect)
{
    std::vector<token> all;
    sql::lexer lex(statement, dialect);
    for (auto t = lex.next(); t.kind != token_kind::end; t = lex.next())
        all.push_back(t);
    const auto list = outermost_list(all);
    column_hints hints;
    int depth = 0;
    std::size_t from = 0;
    for (std::size_t i = 0; i <= list.size(); ++i) {
        if (i < list.size()) {
            depth += opens(list[i]) ? 1 : closes(list[i]) ? -1 : 0;
            if (depth != 0 || list[i].kind != token_kind::comma)
                continue;
        }
        const auto item = list.subspan(from, i - from);
        if (item.empty())
            return {};
        // A star is as many columns as the table has.
        if (item.back().kind == token_kind::op && item.back().text == "*")
            return {};
        hints.push_back({type_of_item(item), name_of_item(item)});
        from = i + 1;
    }
    return hints;
}

}  // namespace sluice::gateway
