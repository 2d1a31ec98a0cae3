// proto/sql/mysql_functions.cpp: MySQL's functions under SQLite's names and grammar. Those that
// need a body of their own are registered with every handle (drivers/sqlite/mysql_functions.cpp).
#include <algorithm>

#include "proto/sql/key_words.hpp"
#include "proto/sql/mysql_literal.hpp"
#include "proto/sql/mysql_rewriter.hpp"

namespace sluice::sql {
namespace {

struct renamed {
    std::string_view mysql;
    std::string_view sqlite;
};

// A quoted name stands for a function that SQLite's grammar has as a key word.
constexpr std::array renames{
    renamed{"if", "iif"},
    renamed{"concat", "mysql_concat"},
    renamed{"ucase", "upper"},
    renamed{"lcase", "lower"},
    renamed{"char_length", "length"},
    renamed{"character_length", "length"},
    renamed{"length", "octet_length"},
    renamed{"mid", "substr"},
    renamed{"left", "\"left\""},
    renamed{"right", "\"right\""},
    renamed{"isnull", "\"isnull\""},
    renamed{"greatest", "max"},
    renamed{"least", "min"},
    renamed{"any_value", "max"},
    renamed{"ascii", "unicode"},
    renamed{"ceiling", "ceil"},
    renamed{"adddate", "date_add"},
    renamed{"subdate", "date_sub"},
    renamed{"timestamp", "datetime"},
    renamed{"day", "dayofmonth"},
};

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = lower_ascii(c);
    return out;
}

}  // namespace

// Without parentheses: CURRENT_USER, UTC_TIMESTAMP. With them: function_call().
bool mysql_rewriter::session_function()
{
    const bool call = kind(1) == token_kind::open_paren;
    if (call && kind(2) != token_kind::close_paren)
        return false;
    if (!call && !at("current_user") && !at("current_role"))
        return false;
    const auto value = session_.function(lower(now().text));
    if (!value)
        return false;
    result_.session_values = true;
    replace(*value, call ? 3 : 1);
    return true;
}

bool mysql_rewriter::time_function()
{
    const bool call = kind(1) == token_kind::open_paren;
    const auto name = lower(now().text);
    const bool empty = call && kind(2) == token_kind::close_paren;
    const bool precise =
        call && kind(2) == token_kind::number && kind(3) == token_kind::close_paren;
    if (call && !empty && !precise)
        return false;
    const std::size_t count = empty ? 3 : precise ? 4 : 1;
    const auto is = [&name](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if ((call && is({"now", "sysdate"})) ||
        is({"current_timestamp", "localtime", "localtimestamp", "utc_timestamp"})) {
        if (!call && name == "current_timestamp")
            return false;
        replace(precise && ahead(2).text != "0" ? "now()" : "CURRENT_TIMESTAMP", count);
        return true;
    }
    if ((call && is({"curdate", "current_date"})) || is({"utc_date"})) {
        replace("CURRENT_DATE", count);
        return true;
    }
    if ((call && is({"curtime", "current_time"})) || is({"utc_time"})) {
        replace("CURRENT_TIME", count);
        return true;
    }
    return false;
}

bool mysql_rewriter::function_call()
{
    if (kind(1) != token_kind::open_paren)
        return false;
    if (session_function() || time_function() || cast_call() || convert_call() || argument_words())
        return true;
    if (ordered_concat())
        return true;
    if (at("values") && in_duplicate_ && is_name(2)) {
        const auto close = close_of(1);
        replace("excluded." + text_between(at_ + close - 1, at_ + close), close + 1);
        return true;
    }
    if (at("last_insert_id")) {
        result_.problem = "LAST_INSERT_ID(expression) is not available for SQLite databases";
        return false;
    }
    for (const auto& each : renames) {
        if (!at(each.mysql))
            continue;
        replace(each.sqlite);
        return true;
    }
    return false;
}

// GROUP_CONCAT(x ORDER BY a DESC, b SEPARATOR '-') -> string_agg(x, '-', a, 1, b, 0)
bool mysql_rewriter::ordered_concat()
{
    if (!at("group_concat"))
        return false;
    const auto close = at_ + close_of(1);
    std::size_t order = 0;
    std::size_t separator = 0;
    std::size_t commas = 0;
    for (std::size_t i = at_ + 2, depth = 0; i < close; ++i) {
        depth += tokens_[i].kind == token_kind::open_paren;
        depth -= tokens_[i].kind == token_kind::close_paren && depth > 0;
        if (depth > 0)
            continue;
        if (is_word(tokens_[i], "order") && is_word(tokens_[i + 1], "by"))
            order = i;
        if (is_word(tokens_[i], "separator") && tokens_[i + 1].kind == token_kind::string)
            separator = i;
        commas += order == 0 && tokens_[i].kind == token_kind::comma;
    }
    if (order == 0)
        return false;
    if (commas > 0 || at("distinct", 2)) {
        result_.problem =
            commas > 0 ? "GROUP_CONCAT of several expressions with ORDER BY is not available "
                         "for SQLite databases; use CONCAT inside"
                       : "GROUP_CONCAT(DISTINCT ... ORDER BY ...) is not available for SQLite "
                         "databases; select the distinct values in a subquery";
        return false;
    }
    std::string between = ",";
    if (separator > 0)
        between = literal(tokens_[separator + 1]);
    replace("string_agg");
    walk_to(order);
    out_.text += ", '";
    for (const char c : between)
        out_.text.append(c == '\'' ? 2u : 1u, c);
    out_.text += "', ";
    drop(2);
    const auto end = separator > 0 ? separator : close;
    while (at_ < end) {
        std::size_t key = at_;
        for (std::size_t depth = 0; key < end; ++key) {
            depth += tokens_[key].kind == token_kind::open_paren;
            depth -= tokens_[key].kind == token_kind::close_paren && depth > 0;
            if (depth == 0 && (tokens_[key].kind == token_kind::comma ||
                               is_word(tokens_[key], "asc") || is_word(tokens_[key], "desc")))
                break;
        }
        walk_to(key);
        out_.text += at("desc") ? ", 1" : ", 0";
        if (at("asc") || at("desc"))
            drop(1);
        if (at_ < end && kind() == token_kind::comma)
            copy();
        else if (at_ < end)
            drop(end - at_);  // what no key looks like
    }
    drop(close - at_);
    return true;
}

// What CAST and CONVERT make of tokens [from, to).
void mysql_rewriter::cast_type(std::size_t from,
                               std::size_t to,
                               std::string& before,
                               std::string& after) const
{
    const auto& t = tokens_[from];
    const auto is = [&t](std::initializer_list<std::string_view> words) {
        return std::any_of(words.begin(), words.end(), [&t](auto w) { return is_word(t, w); });
    };
    before = "CAST(";
    if (is({"signed", "unsigned", "integer", "int", "bigint", "year"}))
        after = " AS INTEGER)";
    else if (is({"char", "nchar", "varchar", "character", "national"}))
        after = " AS TEXT)";
    else if (is({"binary", "varbinary"}))
        after = " AS BLOB)";
    else if (is({"decimal", "dec", "numeric"}))
        after = " AS NUMERIC)";
    else if (is({"double", "float", "real"}))
        after = " AS REAL)";
    else if (is({"date", "time", "datetime", "json"})) {
        before = is({"json"}) ? "(" : lower(t.text) + "(";
        after = ")";
    } else {
        after = " AS " + text_between(from, to) + ")";
    }
}

bool mysql_rewriter::cast_call()
{
    if (!at("cast"))
        return false;
    const auto close = close_of(1);
    std::size_t as = 0;
    for (std::size_t n = 2, depth = 0; n < close; ++n) {
        depth += kind(n) == token_kind::open_paren;
        depth -= kind(n) == token_kind::close_paren;
        if (depth == 0 && at("as", n))
            as = n;
    }
    if (as == 0 || as + 1 >= close)
        return false;
    std::string before;
    std::string after;
    cast_type(at_ + as + 1, at_ + close, before, after);
    const auto end = at_ + as;
    const auto rest = close - as + 1;
    replace(before, 2);
    walk_to(end);
    replace(after, rest);
    return true;
}

// CONVERT(x, type), CONVERT(x USING charset)
bool mysql_rewriter::convert_call()
{
    if (!at("convert"))
        return false;
    const auto close = close_of(1);
    std::size_t split = 0;
    bool charset = false;
    for (std::size_t n = 2, depth = 0; n < close; ++n) {
        depth += kind(n) == token_kind::open_paren;
        depth -= kind(n) == token_kind::close_paren;
        if (depth == 0 && (at("using", n) || kind(n) == token_kind::comma)) {
            split = n;
            charset = at("using", n);
        }
    }
    if (split == 0 || split + 1 >= close)
        return false;
    std::string before = "(";
    std::string after = ")";
    if (!charset)
        cast_type(at_ + split + 1, at_ + close, before, after);
    const auto end = at_ + split;
    const auto rest = close - split + 1;
    replace(before, 2);
    walk_to(end);
    replace(after, rest);
    return true;
}

// EXTRACT(unit FROM x), TIMESTAMPDIFF(unit, a, b), SUBSTRING(x FROM a FOR b), TRIM(a FROM b)
bool mysql_rewriter::argument_words()
{
    const auto close = close_of(1);
    if ((at("extract") && at("from", 3)) ||
        (at("timestampdiff") && kind(2) == token_kind::word && kind(3) == token_kind::comma)) {
        const auto unit = lower(ahead(2).text);
        replace(lower(now().text) + "('" + unit + "', ", 4);
        ++depth_;
        return true;
    }
    if (at("substring") || at("substr")) {
        const auto end = at_ + close;
        const auto inside = depth_ + 1;
        replace("substr");
        while (at_ < end && kind() != token_kind::end) {
            if (depth_ == inside && (at("from") || at("for")))
                replace(", ");
            else
                step();
        }
        return true;
    }
    if (!at("trim"))
        return false;
    std::size_t from = 0;
    for (std::size_t n = 2, depth = 0; n < close; ++n) {
        depth += kind(n) == token_kind::open_paren;
        depth -= kind(n) == token_kind::close_paren;
        if (depth == 0 && at("from", n))
            from = n;
    }
    if (from == 0)
        return false;
    const bool leading = at("leading", 2);
    const bool trailing = at("trailing", 2);
    const std::size_t what = leading || trailing || at("both", 2) ? 3 : 2;
    // The two sides change places, so each is written by a walk of its own.
    const auto side = [&](std::size_t begin, std::size_t end) {
        const auto text = text_between(at_ + begin, at_ + end);
        auto made = mysql_rewriter(text, session_).run();
        return made.statements.empty() ? text : made.statements.front().text;
    };
    std::string call = leading ? "ltrim(" : trailing ? "rtrim(" : "trim(";
    call += side(from + 1, close);
    if (what < from)
        call += ", " + side(what, from);
    replace(call + ")", close + 1);
    return true;
}

}  // namespace sluice::sql
