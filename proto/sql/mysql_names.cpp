// proto/sql/mysql_names.cpp: what MySQL calls the columns of a result: the alias, else the column's
// name as written, else the expression's text.
#include "proto/sql/mysql_literal.hpp"
#include "proto/sql/mysql_rewriter.hpp"

namespace sluice::sql {
namespace {

bool is_operator_word(const token& t) noexcept
{
    for (const std::string_view word : {"collate",
                                        "binary",
                                        "rlike",
                                        "regexp",
                                        "distinct",
                                        "all",
                                        "escape",
                                        "case",
                                        "interval",
                                        "select",
                                        "xor",
                                        "glob"})
        if (is_word(t, word))
            return true;
    return is_mysql_clause(t) && !is_word(t, "end");
}

bool ends_list(const token& t) noexcept
{
    for (const std::string_view word : {"from",
                                        "where",
                                        "group",
                                        "having",
                                        "order",
                                        "limit",
                                        "union",
                                        "intersect",
                                        "except",
                                        "into",
                                        "for",
                                        "lock",
                                        "procedure",
                                        "window"})
        if (is_word(t, word))
            return true;
    return t.kind == token_kind::end || t.kind == token_kind::semicolon;
}

}  // namespace

void mysql_rewriter::read_names()
{
    std::size_t i = 0;
    std::size_t depth = 0;
    // Behind WITH stand definitions in parentheses.
    while (!(depth == 0 && is_word(tokens_[i], "select"))) {
        if (tokens_[i].kind == token_kind::end)
            return;
        depth += tokens_[i].kind == token_kind::open_paren;
        depth -= tokens_[i].kind == token_kind::close_paren && depth > 0;
        ++i;
    }
    ++i;
    while (is_word(tokens_[i], "distinct") || is_word(tokens_[i], "all") ||
           is_word(tokens_[i], "straight_join") || is_word(tokens_[i], "distinctrow") ||
           (tokens_[i].kind == token_kind::word && tokens_[i].text.size() > 4 &&
            same_word(tokens_[i].text.substr(0, 4), "sql_")))
        ++i;
    for (bool more = true; more; ++i) {
        const auto from = i;
        depth = 0;
        for (; tokens_[i].kind != token_kind::end; ++i) {
            if (depth == 0 && (tokens_[i].kind == token_kind::comma || ends_list(tokens_[i])))
                break;
            depth += tokens_[i].kind == token_kind::open_paren;
            depth -= tokens_[i].kind == token_kind::close_paren && depth > 0;
        }
        more = tokens_[i].kind == token_kind::comma;
        const auto size = i - from;
        if (size == 0 || (tokens_[i - 1].kind == token_kind::op && tokens_[i - 1].text == "*")) {
            result_.names.clear();
            result_.never_null.clear();
            return;
        }
        const auto& first = tokens_[from];
        result_.never_null.push_back(
            first.kind == token_kind::number || first.kind == token_kind::string
                ? size == 1 || is_word(tokens_[from + 1], "as")
                : is_word(first, "count") && tokens_[from + 1].kind == token_kind::open_paren);
        const auto& last = tokens_[i - 1];
        const bool name = last.kind == token_kind::word || last.kind == token_kind::quoted_word ||
                          last.kind == token_kind::string;
        const auto& before = size > 1 ? tokens_[i - 2] : last;
        const bool aliased =
            size > 1 && name &&
            (is_word(before, "as") ||
             (before.kind != token_kind::op && before.kind != token_kind::dot &&
              before.kind != token_kind::open_paren && before.kind != token_kind::comma &&
              !is_operator_word(before) && !is_word(last, "end") && !is_word(last, "null") &&
              !(before.kind == token_kind::word && before.text.starts_with('_')) &&
              !(before.kind == token_kind::string && last.kind == token_kind::string)));
        const bool plain = size == 1 || (tokens_[from + 1].kind == token_kind::dot && size <= 5);
        if (aliased || (plain && name && last.kind != token_kind::string))
            result_.names.push_back(mysql_name_value(last));
        else if (size == 1 && last.kind == token_kind::string)
            result_.names.push_back(literal(last));
        else
            result_.names.push_back(text_between(from, i));
    }
}

}  // namespace sluice::sql
