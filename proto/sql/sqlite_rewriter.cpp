// proto/sql/sqlite_rewriter.cpp: the walk over the tokens.
#include "proto/sql/sqlite_rewriter.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "proto/sql/string_literal.hpp"

namespace sluice::sql {
namespace {

constexpr std::uint32_t parameters_max = 65535;  // PostgreSQL's protocol counts them in 16 bits

}  // namespace

bool is_reserved(std::string_view word) noexcept
{
    static constexpr std::array<std::string_view, 58> words{
        "all",       "and",    "any",     "as",     "asc",       "between", "by",        "check",
        "collate",   "cross",  "default", "desc",   "distinct",  "do",      "else",      "escape",
        "except",    "filter", "for",     "from",   "full",      "glob",    "group",     "having",
        "ilike",     "in",     "inner",   "insert", "intersect", "into",    "is",        "isnull",
        "join",      "left",   "like",    "limit",  "match",     "natural", "not",       "notnull",
        "offset",    "on",     "or",      "order",  "outer",     "over",    "partition", "regexp",
        "returning", "select", "set",     "then",   "union",     "update",  "using",     "values",
        "when",      "where"};
    static_assert(std::is_sorted(words.begin(), words.end()));
    std::array<char, 16> lower{};
    if (word.size() > lower.size())
        return false;
    std::transform(word.begin(), word.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    });
    return std::binary_search(
        words.begin(), words.end(), std::string_view(lower.data(), word.size()));
}

sqlite_rewriter::sqlite_rewriter(std::string_view statement)
    : token_rewriter(statement, lexer(statement, dialect::postgres_for_sqlite))
{
}

sqlite_statement sqlite_rewriter::run()
{
    find_form();
    while (now().kind != token_kind::end)
        step();
    flush_joins();
    if (wrap_until_ == at_)
        out_.text += ')';
    std::sort(out_.types.begin(), out_.types.end(), [](const auto& a, const auto& b) {
        return a.number < b.number;
    });
    return std::move(out_);
}

void sqlite_rewriter::find_form()
{
    if (at("select") || at("with")) {
        form_ = statement_form::select;
        has_from_ = std::any_of(
            tokens_.begin(), tokens_.end(), [](const token& t) { return is_word(t, "from"); });
    } else if (at("alter") && at("table", 1)) {
        form_ = statement_form::create_table;
    } else if (at("drop")) {
        form_ = statement_form::drop;
    } else if (at("create")) {
        for (std::size_t i = 1; i < 4 && form_ == statement_form::other; ++i)
            form_ = at("table", i)   ? statement_form::create_table
                    : at("index", i) ? statement_form::create_index
                                     : statement_form::other;
    }
}

void sqlite_rewriter::step()
{
    if (step_over_default())
        return;
    if (wrap_until_ == at_) {
        out_.text += ')';
        wrap_until_ = none;
        end_operand();
    }
    switch (kind()) {
        case token_kind::word:
            return word();
        case token_kind::quoted_word:
            if (qualifier() || (form_ == statement_form::create_table && column_type()))
                return;
            begin_operand();
            return copy();
        case token_kind::string:
        case token_kind::escape_string:
        case token_kind::unicode_string:
        case token_kind::dollar_string:
            return string();
        case token_kind::number:
        case token_kind::bit_string:
        case token_kind::unicode_word:
            begin_operand();
            return copy();
        case token_kind::parameter:
            return parameter();
        case token_kind::cast:
            return cast();
        case token_kind::open_paren:
            return open();
        case token_kind::close_paren:
            return close();
        case token_kind::dot:
            return copy();
        case token_kind::op:
            return operator_token();
        case token_kind::open_bracket:
            if (open_bracket())
                return;
            ++bracket_depth_;
            break;
        case token_kind::close_bracket:
            if (close_bracket())
                return;
            bracket_depth_ -= bracket_depth_ > 0;
            break;
        case token_kind::comma:
            if (level_.at == clause::on)
                level_.at = clause::from;
            if (!groups_.empty() && groups_.back().ordering) {
                out_.text += groups_.back().descending ? ", 1" : ", 0";
                groups_.back().descending = false;
            }
            break;
        default:
            break;
    }
    copy();
    end_operand();
}

void sqlite_rewriter::word()
{
    const bool qualified = at_ > 0 && tokens_[at_ - 1].kind == token_kind::dot && at_ != bare_at_;
    if (!qualified && bracket_depth_ == 0) {
        if (argument_word() || ordered_column() || output_name() || call_word() || row_function())
            return;
        query_word();
        if (clause_word() || expression_word() || keyword_function() || qualifier())
            return;
        if (form_ == statement_form::create_table && definition_word())
            return;
        if (form_ == statement_form::create_index && index_word())
            return;
        if (form_ == statement_form::drop && (at("cascade") || at("restrict")) &&
            kind(1) == token_kind::end)
            return drop(1);
        if (is_reserved(now().text)) {
            copy();
            return end_operand();
        }
    }
    if (qualified)
        note_column();
    begin_operand();
    copy();
}

void sqlite_rewriter::push(group_kind kind, std::size_t begin)
{
    group made;
    made.kind = kind;
    made.begin = begin;
    made.limit_seen = std::exchange(limit_seen_, false);
    made.around = std::exchange(level_, query_level{});
    groups_.push_back(std::move(made));
    end_operand();
}

// A group belongs to the operand that its function's name began.
void sqlite_rewriter::open()
{
    if (composite_field())
        return;
    gap();
    const bool called = operand_.begin != none && at_ > 0 &&
                        (tokens_[at_ - 1].kind == token_kind::word ||
                         tokens_[at_ - 1].kind == token_kind::quoted_word);
    push(group_kind::paren, called ? operand_.begin : out_.text.size());
    copy();
}

void sqlite_rewriter::close()
{
    flush_joins();
    while (!groups_.empty() && groups_.back().kind == group_kind::case_)
        groups_.pop_back();
    if (groups_.empty()) {
        copy();
        return end_operand();
    }
    group done = std::move(groups_.back());
    groups_.pop_back();
    gap();
    if (done.ordering)
        out_.text += done.descending ? ", 1" : ", 0";
    copy();
    out_.text += done.suffix;
    if (done.skipped > 0)
        drop(done.skipped);
    end_operand();
    operand_.begin = done.begin;
    limit_seen_ = done.limit_seen;
    level_ = std::move(done.around);
}

// 0: no parameter can have this number; SQLite refuses it, too.
std::uint32_t sqlite_rewriter::parameter_number(const token& t) noexcept
{
    std::uint32_t number = 0;
    for (const char c : t.text.substr(1)) {
        number = number * 10 + static_cast<std::uint32_t>(c - '0');
        if (number > parameters_max)
            return 0;
    }
    out_.parameter_count = std::max(out_.parameter_count, number);
    return number;
}

void sqlite_rewriter::parameter()
{
    begin_operand();
    operand_.parameter = parameter_number(now());
    replace('?' + std::string(now().text.substr(1)));
}

void sqlite_rewriter::string()
{
    begin_operand();
    const token& t = now();
    if (unterminated_ && at_ + 2 == tokens_.size()) {
        // It has to stay without an end, so that SQLite refuses it, too.
        std::string open_end;
        append_literal(open_end,
                       t.text.substr(std::min(t.text.find_first_of("'$") + 1, t.text.size())));
        open_end.pop_back();
        return replace(open_end);
    }
    if (const auto truth = catalog_truth(); !truth.empty())
        return replace(truth);
    operand_.literal = &t;
    const bool plain = t.kind == token_kind::string && t.text.front() == '\'' &&
                       lexer(t.text, dialect::sqlite).next().text.size() == t.text.size();
    if (plain)
        return copy();
    std::string text;
    append_literal(text, string_value(t));
    replace(text);
}

// indisprimary = 'f': the catalogs' own booleans are numbers, as all are in SQLite.
std::string_view sqlite_rewriter::catalog_truth() const noexcept
{
    static constexpr std::array<std::string_view, 9> prefixes{
        "indis", "relis", "relhas", "attis", "attnot", "atthas", "typis", "typnot", "conde"};
    const auto text = now().text;
    if ((text != "'t'" && text != "'f'") || at_ < 2 || tokens_[at_ - 2].kind != token_kind::word)
        return {};
    const auto op = tokens_[at_ - 1].text;
    const auto column = tokens_[at_ - 2].text;
    const bool known = std::any_of(prefixes.begin(), prefixes.end(), [column](auto prefix) {
        return column.size() > prefix.size() && same_word(column.substr(0, prefix.size()), prefix);
    });
    if (!known || (op != "=" && op != "<>" && op != "!="))
        return {};
    return text == "'t'" ? "TRUE" : "FALSE";
}

bool sqlite_rewriter::replace_operator(std::string_view op, std::size_t tokens)
{
    struct pair {
        std::string_view postgres;
        std::string_view sqlite;
    };
    static constexpr std::array<pair, 8> pairs{{
        {"~", "REGEXP"},
        {"!~", "NOT REGEXP"},
        {"~*", "REGEXP '(?i)' ||"},
        {"!~*", "NOT REGEXP '(?i)' ||"},
        {"~~", "LIKE"},
        {"!~~", "NOT LIKE"},
        {"~~*", "LIKE"},
        {"!~~*", "NOT LIKE"},
    }};
    for (const auto& p : pairs) {
        if (op != p.postgres)
            continue;
        replace(' ' + std::string(p.sqlite) + ' ', tokens);
        return true;
    }
    return false;
}

void sqlite_rewriter::operator_token()
{
    const bool binary = operand_.begin != none;
    if (binary && any_of_array())
        return;
    if (!binary || !replace_operator(now().text, 1))
        copy();
    end_operand();
}

}  // namespace sluice::sql
