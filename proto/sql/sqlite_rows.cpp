// proto/sql/sqlite_rows.cpp: arrays, and functions that return rows.
//
//   FROM unnest(x) WITH ORDINALITY AS t(a, n)    FROM "pg:unnest+:a:n"(x) AS t
//   SELECT unnest(x), unnest(y) FROM t           SELECT pg_1.unnest, pg_2.unnest FROM t,
//                                                "pg:unnest+:unnest:pg_n"(x) AS pg_1 JOIN
//                                                "pg:unnest+:unnest:pg_n"(y) AS pg_2 ON
//                                                pg_2.pg_n=pg_1.pg_n
//   x = ANY (y)                                  x IN (SELECT v FROM "pg:unnest:v"(y))
//   x[1], ARRAY[1, 2]                            pg_subscript(x, 1), pg_array(1, 2)
#include <algorithm>
#include <array>

#include "proto/sql/sqlite_rewriter.hpp"
#include "proto/sql/string_literal.hpp"

namespace sluice::sql {
namespace {

struct row_function_kind {
    std::string_view name;
    std::string_view kind;     // as drivers/sqlite/set_functions.cpp knows it
    std::string_view columns;  // where the statement names none; empty: as the function
};

constexpr std::array<row_function_kind, 10> row_functions{{
    {"unnest", "unnest", ""},
    {"generate_series", "generate_series", ""},
    {"generate_subscripts", "generate_subscripts", ""},
    {"_pg_expandarray", "_pg_expandarray", "x:n"},
    {"string_to_table", "string_to_table", ""},
    {"pg_partition_ancestors", "nothing", "relid"},
    {"pg_partition_tree", "nothing", "relid:parentrelid:isleaf:level"},
    {"pg_get_keywords", "keywords", "word:catcode:catdesc"},
    {"aclexplode", "nothing", "grantor:grantee:privilege_type:is_grantable"},
    {"pg_options_to_table", "nothing", "option_name:option_value"},
}};

const row_function_kind* find(const token& word) noexcept
{
    const auto at = std::find_if(row_functions.begin(),
                                 row_functions.end(),
                                 [&word](const auto& f) { return is_word(word, f.name); });
    return at == row_functions.end() ? nullptr : &*at;
}

bool is_plain(std::string_view name) noexcept
{
    return !name.empty() && name.size() < 64 &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) {
               return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      (c >= '0' && c <= '9') || c >= 0x80;
           });
}

bool is_name(const token& t) noexcept
{
    if (t.kind == token_kind::quoted_word)
        return true;
    return t.kind == token_kind::word && !is_reserved(t.text) && !is_word(t, "right") &&
           !is_word(t, "window") && !is_word(t, "with") && !is_word(t, "fetch") &&
           !is_word(t, "tablesample");
}

std::string join(const std::vector<std::string>& names)
{
    std::string out;
    for (const auto& name : names)
        out += (out.empty() ? "" : ":") + name;
    return out;
}

}  // namespace

// At the name of such a function, in FROM or in a select list.
bool sqlite_rewriter::row_function()
{
    if (kind(1) != token_kind::open_paren)
        return false;
    // SELECT * FROM current_schema()
    if (level_.at == clause::from && kind(2) == token_kind::close_paren &&
        (at("current_schema") || at("current_database") || at("version"))) {
        const std::string name(now().text);
        const bool alias = at("as", 3) || is_name(ahead(3));
        begin_operand();
        replace("(SELECT " + name + "() AS " + name + ')' + (alias ? "" : " AS " + name), 3);
        return true;
    }
    const auto* known = find(now());
    if (!known)
        return false;
    if (level_.at == clause::from)
        return row_source(known->name);
    return level_.at == clause::list && row_item(known->name, 0, {});
}

bool sqlite_rewriter::row_source(std::string_view name)
{
    const auto* known = find(now());
    const auto close = closing(1);
    if (close == 0)
        return false;
    auto n = close + 1;
    const bool ordinality = at("with", n) && at("ordinality", n + 1);
    n += ordinality ? 2 : 0;
    std::string alias(name);
    std::vector<std::string> columns;
    bool named = false;
    if (at("as", n) && is_name(ahead(n + 1)))
        ++n;
    if (is_name(ahead(n))) {
        named = true;
        alias = name_value(ahead(n++));
        if (kind(n) == token_kind::open_paren) {
            for (++n; is_name(ahead(n)); ++n) {
                columns.push_back(name_value(ahead(n)));
                // Types are written behind the names in some lists.
                while (kind(n + 1) != token_kind::comma && kind(n + 1) != token_kind::close_paren &&
                       kind(n + 1) != token_kind::end)
                    ++n;
                n += kind(n + 1) == token_kind::comma;
                if (kind(n) != token_kind::comma)
                    ++n;
                if (kind(n) == token_kind::close_paren)
                    break;
            }
            if (kind(n) != token_kind::close_paren)
                return false;
            ++n;
        }
    }
    if (columns.empty() && !known->columns.empty()) {
        columns = {std::string(known->columns)};
    } else if (columns.empty()) {
        columns = {named ? alias : std::string(name)};
        // unnest(a, b) has two columns of one name; the second gets another.
        std::size_t depth = 0;
        for (std::size_t i = 1; i < close && known->kind == "unnest"; ++i) {
            depth += kind(i) == token_kind::open_paren;
            depth -= kind(i) == token_kind::close_paren;
            if (depth == 1 && kind(i) == token_kind::comma)
                columns.push_back(columns.front() + '_' + std::to_string(columns.size()));
        }
        if (ordinality)
            columns.emplace_back("ordinality");
    }
    if (!is_plain(alias) ||
        (known->columns.empty() && !std::all_of(columns.begin(), columns.end(), is_plain)))
        return false;
    begin_operand();
    const auto begin = operand_.begin;
    replace("\"pg:" + std::string(known->kind) + (ordinality ? "+:" : ":") + join(columns) + "\"(",
            2);
    push(group_kind::paren, begin);
    groups_.back().suffix = " AS \"" + alias + '"';
    groups_.back().skipped = n - close - 1;
    return true;
}

// `dropped`: tokens of this call that precede its name. `field`: of (call).field.
bool sqlite_rewriter::row_item(std::string_view name, std::size_t dropped, std::string_view field)
{
    const auto* known = find(ahead(dropped));
    const auto close = closing(dropped + 1);
    if (!known || close == 0)
        return false;
    const char* from = ahead(dropped + 1).text.data() + 1;
    const char* to = ahead(close).text.data();
    auto inner = sqlite_rewriter({from, static_cast<std::size_t>(to - from)}).run();
    out_.parameter_count = std::max(out_.parameter_count, inner.parameter_count);
    for (const auto& each : inner.types)
        type_of(each.number, each.type);

    const auto own = "pg_" + std::to_string(++rows_seen_);
    const auto columns = known->columns.empty() ? std::string(name) : std::string(known->columns);
    if (level_.rows > 0)
        level_.joins += " JOIN ";
    level_.joins += "\"pg:" + std::string(known->kind) + "+:" + columns + ":pg_n\"(" + inner.text +
                    ") AS " + own;
    if (level_.rows > 0)
        level_.joins +=
            " ON " + own + ".pg_n=pg_" + std::to_string(rows_seen_ - level_.rows) + ".pg_n";
    ++level_.rows;
    const auto column =
        field.empty() ? std::string_view(columns).substr(0, columns.find(':')) : field;
    begin_operand();
    // What stands in parentheses and its field are one with the call.
    replace(own + '.' + std::string(column), close + 1 + (field.empty() ? 0 : 3));
    return true;
}

// (information_schema._pg_expandarray(x)).n, and (t.keys).x of such a column.
bool sqlite_rewriter::composite_field()
{
    const std::size_t schema = at("information_schema", 1) && kind(2) == token_kind::dot ? 2 : 0;
    if (at("_pg_expandarray", 1 + schema) && level_.at == clause::list) {
        const auto close = closing(2 + schema);
        if (close == 0 || kind(close + 1) != token_kind::close_paren ||
            kind(close + 2) != token_kind::dot || (!at("n", close + 3) && !at("x", close + 3)))
            return false;
        return row_item("_pg_expandarray", 1 + schema, at("n", close + 3) ? "n" : "x");
    }
    const bool field = kind(1) == token_kind::word && kind(2) == token_kind::dot &&
                       kind(3) == token_kind::word && kind(4) == token_kind::close_paren &&
                       kind(5) == token_kind::dot && at("x", 6);
    if (!field)
        return false;
    begin_operand();
    drop(1);
    copy();
    copy();
    copy();
    drop(3);
    return true;
}

// = ANY (array), <> ALL (array); of a query: IN, NOT IN.
bool sqlite_rewriter::any_of_array()
{
    const bool equal = now().text == "=" && (at("any", 1) || at("some", 1));
    const bool unequal = (now().text == "<>" || now().text == "!=") && at("all", 1);
    if ((!equal && !unequal) || kind(2) != token_kind::open_paren)
        return false;
    const std::string in = equal ? " IN " : " NOT IN ";
    if (at("select", 3) || at("values", 3) || at("with", 3)) {
        replace(in, 2);
        end_operand();
        return true;
    }
    replace(in + "(SELECT v FROM \"pg:unnest:v\"(", 3);
    push(group_kind::paren, out_.text.size());
    groups_.back().suffix = ")";
    return true;
}

// x[1] is a subscript where nothing stands between; [x] alone is a name of SQLite's.
bool sqlite_rewriter::open_bracket()
{
    const bool inside = !groups_.empty() && groups_.back().kind == group_kind::bracket;
    const bool subscript =
        operand_.begin != none && at_ > 0 &&
        tokens_[at_ - 1].text.data() + tokens_[at_ - 1].text.size() == now().text.data();
    if (!inside && !subscript)
        return false;
    if (!subscript) {
        gap();
        const auto begin = out_.text.size();
        replace("pg_array(");
        push(group_kind::bracket, begin);
        return true;
    }
    const auto begin = operand_.begin;
    insert(begin, "pg_subscript(");
    replace(", ");
    push(group_kind::bracket, begin);
    return true;
}

bool sqlite_rewriter::close_bracket()
{
    if (groups_.empty() || groups_.back().kind != group_kind::bracket)
        return false;
    const group done = std::move(groups_.back());
    groups_.pop_back();
    replace(")");
    operand_ = {};
    operand_.begin = done.begin;
    limit_seen_ = done.limit_seen;
    level_ = done.around;
    return true;
}

}  // namespace sluice::sql
