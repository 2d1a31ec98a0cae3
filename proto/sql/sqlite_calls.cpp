// proto/sql/sqlite_calls.cpp: where in a query the walk is, and calls that SQLite spells another
// way.
#include <algorithm>
#include <array>

#include "proto/sql/sqlite_rewriter.hpp"
#include "proto/sql/string_literal.hpp"

namespace sluice::sql {
namespace {

bool is_any_of(const token& t, std::initializer_list<std::string_view> words) noexcept
{
    return std::any_of(
        words.begin(), words.end(), [&t](std::string_view w) { return is_word(t, w); });
}

// A look-ahead is short, so that no text makes it slow.
constexpr std::size_t tokens_max = 2000;

}  // namespace

void sqlite_rewriter::query_word()
{
    if (at("select")) {
        flush_joins();
        level_ = {};
        level_.at = clause::list;
    } else if (at("from") && (level_.at == clause::list || groups_.empty())) {
        level_.at = clause::from;
        level_.has_from = true;
    } else if (at("join") && level_.at != clause::none) {
        level_.at = clause::from;
    } else if (is_any_of(now(), {"on", "using"}) && level_.at == clause::from) {
        level_.at = clause::on;
    } else if (is_any_of(now(),
                         {"where",
                          "group",
                          "having",
                          "order",
                          "limit",
                          "offset",
                          "window",
                          "union",
                          "except",
                          "intersect",
                          "returning",
                          "fetch"})) {
        flush_joins();
        if (level_.at != clause::none)
            level_.at = clause::other;
        level_.ordered = at("order");
    }
}

// Functions of the select list that return rows stand behind the FROM.
void sqlite_rewriter::flush_joins()
{
    if (level_.joins.empty())
        return;
    gap();
    out_.text += (level_.has_from ? ", " : " FROM ") + level_.joins + ' ';
    level_.joins.clear();
    level_.rows = 0;
}

// The parenthesis that closes the one at `n`; 0: it is too far away.
std::size_t sqlite_rewriter::closing(std::size_t n) const noexcept
{
    std::size_t depth = 0;
    for (const auto last = n + tokens_max; n < last && kind(n) != token_kind::end; ++n) {
        if (kind(n) == token_kind::open_paren)
            ++depth;
        else if (kind(n) == token_kind::close_paren && --depth == 0)
            return n;
    }
    return 0;
}

// The word stands between the parentheses that open at `open`, and in no deeper ones.
bool sqlite_rewriter::has_inside(std::size_t open, std::string_view word) const noexcept
{
    std::size_t depth = 0;
    for (auto n = open; n < open + tokens_max && kind(n) != token_kind::end; ++n) {
        if (kind(n) == token_kind::open_paren)
            ++depth;
        else if (kind(n) == token_kind::close_paren && --depth == 0)
            return false;
        else if (depth == 1 && at(word, n))
            return true;
    }
    return false;
}

// "INSERT INTO every (a)", "CREATE TABLE position (...)": a table, not a call.
bool sqlite_rewriter::names_a_table() const noexcept
{
    if (at_ == 0)
        return false;
    const auto& before = tokens_[at_ - 1];
    if (is_any_of(before, {"into", "table", "view", "update", "references", "with", "recursive"}))
        return true;
    if (form_ == statement_form::create_table || form_ == statement_form::create_index)
        return is_any_of(before, {"exists", "on"});
    return is_word(before, "as") && level_.at == clause::from;
}

bool sqlite_rewriter::call_word()
{
    if (at("lateral") && level_.at == clause::from) {
        drop(1);
        return true;
    }
    if (at("array"))
        return array_word();
    return kind(1) == token_kind::open_paren && !names_a_table() &&
           (special_call() || renamed_call());
}

// trim, substring, position, extract, and aggregates with ORDER BY.
bool sqlite_rewriter::special_call()
{
    std::string text;
    std::size_t count = 2;
    call reads = call::plain;
    if (at("trim") &&
        (is_any_of(ahead(2), {"both", "leading", "trailing"}) || has_inside(1, "from"))) {
        const bool sided = is_any_of(ahead(2), {"both", "leading", "trailing"});
        text = "pg_trim('" + (sided ? name_value(ahead(2)) : std::string("both")) + "', ";
        count += sided;
        if (at("from", count)) {
            text += "' ', ";
            ++count;
        } else if (!has_inside(1, "from")) {
            text += "' ', ";
        }
        reads = call::from_is_comma;
    } else if (at("substring") && has_inside(1, "from")) {
        text = "substr(";
        reads = call::from_is_comma;
    } else if (at("position") && has_inside(1, "in")) {
        text = "pg_position(";
        reads = call::in_is_comma;
    } else if (at("extract") && at("from", 3)) {
        const auto field = is_string(kind(2)) ? string_value(ahead(2)) : name_value(ahead(2));
        text = "date_part(";
        append_literal(text, field);
        text += ", ";
        count = 4;
    } else if (is_any_of(now(), {"array_agg", "string_agg"}) && has_inside(1, "order")) {
        text = name_value(now()) + '(';
        reads = call::aggregate;
    } else {
        return false;
    }
    begin_operand();
    const auto begin = operand_.begin;
    replace(text, count);
    push(group_kind::paren, begin);
    groups_.back().reads = reads;
    return true;
}

bool sqlite_rewriter::renamed_call()
{
    struct pair {
        std::string_view postgres;
        std::string_view sqlite;
    };
    static constexpr std::array<pair, 19> names{{
        {"left", "pg_left"},
        {"right", "pg_right"},
        {"json_build_object", "json_object"},
        {"jsonb_build_object", "json_object"},
        {"json_build_array", "json_array"},
        {"jsonb_build_array", "json_array"},
        {"json_agg", "json_group_array"},
        {"jsonb_agg", "json_group_array"},
        {"json_object_agg", "json_group_object"},
        {"jsonb_object_agg", "json_group_object"},
        {"char_length", "length"},
        {"character_length", "length"},
        {"greatest", "max"},
        {"least", "min"},
        {"bool_and", "min"},
        {"bool_or", "max"},
        {"every", "min"},
        {"chr", "char"},
        {"btrim", "trim"},
    }};
    for (const auto& each : names) {
        if (!at(each.postgres))
            continue;
        if (each.postgres == "left" || each.postgres == "right")
            if (level_.at == clause::from || level_.at == clause::on)
                return false;
        begin_operand();
        replace(each.sqlite);
        return true;
    }
    return false;
}

// Words between a call's parentheses that stand for commas.
bool sqlite_rewriter::argument_word()
{
    if (groups_.empty() || groups_.back().kind != group_kind::paren)
        return false;
    auto& own = groups_.back();
    const bool comma = (own.reads == call::from_is_comma && (at("from") || at("for"))) ||
                       (own.reads == call::in_is_comma && at("in"));
    if (comma) {
        replace(",");
        end_operand();
        return true;
    }
    if (own.reads != call::aggregate)
        return false;
    if (at("order") && at("by", 1)) {
        own.ordering = true;
        replace(",", 2);
        end_operand();
        return true;
    }
    if (!own.ordering)
        return false;
    if (at("asc") || at("desc")) {
        own.descending = at("desc");
        drop(1);
        return true;
    }
    if (at("nulls")) {
        drop(2);
        return true;
    }
    return false;
}

// At the second word of "SELECT a.b, ..." or ", a.b FROM".
void sqlite_rewriter::note_column()
{
    if (level_.at != clause::list || at_ < 3 || level_.columns.size() >= 100)
        return;
    const auto& table = tokens_[at_ - 2];
    const auto& before = tokens_[at_ - 3];
    const bool begins = before.kind == token_kind::comma || is_word(before, "select");
    const bool ends = kind(1) == token_kind::comma || at("from", 1);
    if (table.kind != token_kind::word || !begins || !ends)
        return;
    const auto* end = now().text.data() + now().text.size();
    level_.columns.emplace_back(
        now().text,
        std::string_view(table.text.data(), static_cast<std::size_t>(end - table.text.data())));
}

// ORDER BY b is the result's b in PostgreSQL, also where two tables have one.
bool sqlite_rewriter::ordered_column()
{
    if (!level_.ordered || level_.at != clause::other || kind(1) == token_kind::dot ||
        kind(1) == token_kind::open_paren)
        return false;
    const auto& before = tokens_[at_ - 1];
    if (before.kind != token_kind::comma && !is_word(before, "by"))
        return false;
    const auto found = std::find_if(level_.columns.begin(),
                                    level_.columns.end(),
                                    [this](const auto& c) { return c.first == now().text; });
    if (found == level_.columns.end())
        return false;
    begin_operand();
    replace(found->second);
    return true;
}

// ARRAY[a, b], ARRAY(SELECT ...)
bool sqlite_rewriter::array_word()
{
    if (kind(1) != token_kind::open_bracket && kind(1) != token_kind::open_paren)
        return false;
    const bool list = kind(1) == token_kind::open_bracket;
    begin_operand();
    const auto begin = operand_.begin;
    replace(list ? "pg_array(" : "(WITH pg_a(v) AS (", 2);
    push(list ? group_kind::bracket : group_kind::paren, begin);
    groups_.back().suffix = list ? "" : " SELECT coalesce(array_agg(v), '{}') FROM pg_a)";
    return true;
}

// AS default: PostgreSQL takes every word there, SQLite not its own.
bool sqlite_rewriter::output_name()
{
    static constexpr std::array<std::string_view, 47> words{
        "add",        "all",      "alter",  "and",         "autoincrement", "between", "case",
        "check",      "collate",  "commit", "constraint",  "create",        "cross",   "default",
        "deferrable", "distinct", "drop",   "else",        "escape",        "exists",  "foreign",
        "from",       "group",    "having", "in",          "index",         "into",    "is",
        "isnull",     "join",     "left",   "limit",       "natural",       "notnull", "null",
        "on",         "or",       "order",  "primary",     "references",    "right",   "set",
        "table",      "then",     "to",     "transaction", "unique"};
    if (!at("as") || level_.at != clause::list || kind(1) != token_kind::word)
        return false;
    if (std::none_of(words.begin(), words.end(), [this](auto w) { return at(w, 1); }))
        return false;
    copy();
    replace('"' + name_value(now()) + '"');
    end_operand();
    return true;
}

}  // namespace sluice::sql
