// proto/sql/mysql_clauses.cpp: clauses and operators of MySQL that SQLite spells otherwise.
#include <algorithm>

#include "proto/sql/key_words.hpp"
#include "proto/sql/mysql_literal.hpp"
#include "proto/sql/mysql_rewriter.hpp"

namespace sluice::sql {
namespace {

constexpr std::array<std::string_view, 9> select_modifiers{"high_priority",
                                                           "straight_join",
                                                           "sql_small_result",
                                                           "sql_big_result",
                                                           "sql_buffer_result",
                                                           "sql_cache",
                                                           "sql_no_cache",
                                                           "sql_calc_found_rows",
                                                           "distinctrow"};

constexpr std::array<std::string_view, 20> units{"microsecond",
                                                 "second",
                                                 "minute",
                                                 "hour",
                                                 "day",
                                                 "week",
                                                 "month",
                                                 "quarter",
                                                 "year",
                                                 "second_microsecond",
                                                 "minute_microsecond",
                                                 "minute_second",
                                                 "hour_microsecond",
                                                 "hour_second",
                                                 "hour_minute",
                                                 "day_microsecond",
                                                 "day_second",
                                                 "day_minute",
                                                 "day_hour",
                                                 "year_month"};

bool is_any(const token& t, auto const& words) noexcept
{
    return t.kind == token_kind::word &&
           std::any_of(words.begin(), words.end(), [&t](auto w) { return is_word(t, w); });
}

bool ends_operand(const token& t) noexcept
{
    switch (t.kind) {
        case token_kind::close_paren:
        case token_kind::number:
        case token_kind::string:
        case token_kind::bit_string:
        case token_kind::quoted_word:
        case token_kind::parameter:
        case token_kind::variable:
            return true;
        case token_kind::word:
            return !is_mysql_clause(t) && !is_word(t, "select") && !is_word(t, "by") &&
                   !is_word(t, "returning");
        default:
            return false;
    }
}

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = lower_ascii(c);
    return out;
}

}  // namespace

bool mysql_rewriter::select_modifier()
{
    if (!at("select"))
        return false;
    copy();
    select_seen_ = select_seen_ || depth_ == 0;
    while (is_any(now(), select_modifiers)) {
        if (at("distinctrow"))
            replace("DISTINCT");
        else
            drop(1);
    }
    return true;
}

// FOR UPDATE | FOR SHARE [OF t, ...] [NOWAIT | SKIP LOCKED], LOCK IN SHARE MODE
bool mysql_rewriter::locking_clause()
{
    if (at("lock") && at("in", 1) && at("share", 2) && at("mode", 3)) {
        drop(4);
        return true;
    }
    if (!at("for") || (!at("update", 1) && !at("share", 1)))
        return false;
    std::size_t n = 2;
    if (at("of", n))
        for (++n; is_name(n) || kind(n) == token_kind::comma || kind(n) == token_kind::dot;)
            ++n;
    if (at("nowait", n))
        ++n;
    if (at("skip", n) && at("locked", n + 1))
        n += 2;
    drop(n);
    return true;
}

bool mysql_rewriter::index_hint()
{
    if (!at("use") && !at("ignore") && !at("force"))
        return false;
    if (!at("index", 1) && !at("key", 1))
        return false;
    std::size_t n = 2;
    while (kind(n) == token_kind::word)
        ++n;
    if (kind(n) != token_kind::open_paren)
        return false;
    drop(close_of(n) + 1);
    return true;
}

bool mysql_rewriter::clause_word()
{
    if (select_modifier() || locking_clause() || index_hint())
        return true;
    if (at("from")) {
        if (at("dual", 1)) {
            drop(2);
            return true;
        }
        from_depth_ = depth_ + 1;
        copy();
        return true;
    }
    if (from_depth_ == depth_ + 1 && (at("where") || at("group") || at("order") || at("having") ||
                                      at("limit") || at("set") || at("union")))
        from_depth_ = 0;
    if (at("where")) {
        where_seen_ = where_seen_ || depth_ == 0;
        copy();
        return true;
    }
    if (at("straight_join")) {
        replace("JOIN");
        return true;
    }
    // SQLite's own WITH ... INSERT INTO is none.
    if (at("into") && form_ == form::select && !before_is("insert")) {
        result_.problem = "SELECT ... INTO is not available for SQLite databases";
        copy();
        return true;
    }
    return form_ == form::insert && on_duplicate();
}

bool mysql_rewriter::collation()
{
    if (!at("collate") || !(is_name(1) || kind(1) == token_kind::string))
        return false;
    const auto name = lower(mysql_name_value(ahead(1)));
    if (name == "nocase" || name == "rtrim")
        return false;
    replace(name.ends_with("_ci") ? "COLLATE NOCASE" : "COLLATE BINARY", 2);
    return true;
}

// Where the operand that ends before this token was written.
std::size_t mysql_rewriter::operand_begin() const noexcept
{
    std::size_t first = at_ - 1;
    if (tokens_[first].kind == token_kind::close_paren) {
        std::size_t depth = 0;
        for (;; --first) {
            depth += tokens_[first].kind == token_kind::close_paren;
            depth -= tokens_[first].kind == token_kind::open_paren;
            if (depth == 0 || first == 0)
                break;
        }
        if (first > 0 && tokens_[first - 1].kind == token_kind::word &&
            !is_mysql_clause(tokens_[first - 1]) && !is_word(tokens_[first - 1], "select"))
            --first;
    }
    while (first > 1 && tokens_[first - 1].kind == token_kind::dot)
        first -= 2;
    return written_at_[first];
}

// x + INTERVAL n unit -> date_add(x, n, 'unit')
bool mysql_rewriter::interval_term()
{
    if (at_ == 0 || !ends_operand(tokens_[at_ - 1]))
        return false;
    const auto begin = operand_begin();
    std::size_t unit = 2;
    for (std::size_t depth = 0; kind(unit) != token_kind::end; ++unit) {
        depth += kind(unit) == token_kind::open_paren;
        if (depth == 0 && is_any(ahead(unit), units))
            break;
        depth -= kind(unit) == token_kind::close_paren && depth > 0;
    }
    if (kind(unit) == token_kind::end || begin > out_.text.size())
        return false;
    const std::string call = now().text == "+" ? "date_add(" : "date_sub(";
    insert(begin, call);
    for (auto& offset : written_at_)
        if (offset != static_cast<std::size_t>(-1) && offset > begin)
            offset += call.size();
    const auto end = at_ + unit;
    replace(", ", 2);
    walk_to(end);
    replace(", '" + lower(now().text) + "')");
    return true;
}

bool mysql_rewriter::expression_word()
{
    const bool binary = at_ > 0 && ends_operand(tokens_[at_ - 1]);
    if (collation())
        return true;
    if (now().text.starts_with('_') &&
        (kind(1) == token_kind::string || kind(1) == token_kind::bit_string) && at_ > 0) {
        introduced_string();
        return true;
    }
    if (binary && at("div")) {
        replace("/");
        return true;
    }
    if (binary && at("mod") && kind(1) != token_kind::open_paren) {
        replace("%");
        return true;
    }
    if (at("rlike")) {
        replace("REGEXP");
        return true;
    }
    if (at("like")) {
        copy();
        if (at("binary"))
            drop(1);
        like_escape(at_);
        return true;
    }
    if (at("binary") && !binary && !before_is("as") &&
        (is_name(1) || kind(1) == token_kind::string || kind(1) == token_kind::open_paren ||
         kind(1) == token_kind::parameter)) {
        drop(1);
        return true;
    }
    if (at("separator") && kind(1) == token_kind::string) {
        replace(",");
        return true;
    }
    if (at("interval") && at_ > 0 && tokens_[at_ - 1].kind == token_kind::comma) {
        std::size_t unit = 1;
        for (std::size_t depth = 0; kind(unit) != token_kind::end; ++unit) {
            depth += kind(unit) == token_kind::open_paren;
            if (depth == 0 && is_any(ahead(unit), units))
                break;
            depth -= kind(unit) == token_kind::close_paren && depth > 0;
        }
        const auto end = at_ + unit;
        drop(1);
        walk_to(end);
        if (kind() != token_kind::end)
            replace(", '" + lower(now().text) + "'");
        return true;
    }
    // DATE '2020-01-01'
    if ((at("date") || at("time") || at("timestamp")) && kind(1) == token_kind::string && !binary &&
        !before_is("as")) {
        drop(1);
        return true;
    }
    return session_function() || time_function();
}

// MySQL's LIKE has the backslash as its escape unless told otherwise. Known patterns only: where
// the pattern is an expression, nothing says where it ends.
void mysql_rewriter::like_escape(std::size_t pattern)
{
    const auto k = tokens_[pattern].kind;
    const bool single =
        k == token_kind::string || k == token_kind::parameter || k == token_kind::variable;
    const bool call = k == token_kind::word && kind(1) == token_kind::open_paren &&
                      (at("concat") || at("lower") || at("upper"));
    if (session_.no_backslash_escapes || (!single && !call))
        return;
    std::size_t after = single ? 1 : close_of(1) + 1;
    while (k == token_kind::string && kind(after) == token_kind::string)
        ++after;
    if (at("escape", after))
        return;
    walk_to(at_ + after);
    out_.text += " ESCAPE '\\'";
}

}  // namespace sluice::sql
