// proto/sql/mysql_rewriter.cpp: the walk over a MySQL statement's tokens.
#include "proto/sql/mysql_rewriter.hpp"

#include <algorithm>
#include <charconv>

#include "proto/sql/mysql_definitions.hpp"
#include "proto/sql/key_words.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::sql {
namespace {

constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = lower_ascii(c);
    return out;
}

}  // namespace

lexer mysql_lexer(std::string_view text, const mysql_session& session) noexcept
{
    lexer lex(text, session.ansi_quotes ? dialect::mysql_ansi_quotes : dialect::mysql);
    if (session.no_backslash_escapes)
        lex.no_backslash_escapes();
    return lex;
}

std::string without_executable_comments(std::string text, const mysql_session& session)
{
    if (text.find("/*!") == std::string::npos && text.find("/*M!") == std::string::npos)
        return text;
    std::string blanked(text.size(), ' ');
    auto lex = mysql_lexer(text, session);
    for (auto t = lex.next(); t.kind != token_kind::end; t = lex.next())
        t.text.copy(blanked.data() + lex.offset(t), t.text.size());
    return blanked;
}

mysql_statement mysql_to_sqlite(std::string_view statement, const mysql_session& session)
{
    return mysql_rewriter(statement, session).run();
}

bool is_mysql_clause(const token& t) noexcept
{
    static constexpr std::array<std::string_view, 41> words{
        "and",    "as",    "asc",   "between", "cross",   "desc",          "div",
        "else",   "end",   "for",   "force",   "from",    "group",         "having",
        "ignore", "in",    "inner", "into",    "is",      "join",          "left",
        "like",   "limit", "lock",  "mod",     "natural", "not",           "offset",
        "on",     "or",    "order", "right",   "set",     "straight_join", "then",
        "union",  "use",   "using", "values",  "when",    "where"};
    return t.kind == token_kind::word &&
           std::any_of(words.begin(), words.end(), [&t](auto w) { return is_word(t, w); });
}

mysql_rewriter::mysql_rewriter(std::string_view statement, const mysql_session& session)
    : token_rewriter(statement, mysql_lexer(statement, session)),
      session_(session),
      written_at_(tokens_.size(), nowhere),
      parameters_all_(static_cast<std::uint32_t>(
          std::count_if(tokens_.begin(), tokens_.end(), [](const token& t) {
              return t.kind == token_kind::parameter;
          })))
{
}

mysql_statement mysql_rewriter::fail(std::string why)
{
    if (result_.problem.empty())
        result_.problem = std::move(why);
    result_.statements.clear();
    return std::move(result_);
}

mysql_statement mysql_rewriter::run()
{
    if (is_mysql_definition(tokens_)) {
        auto made = mysql_definition(statement_, tokens_, session_);
        return made;
    }
    if (at("select") || at("with") || kind() == token_kind::open_paren || at("values"))
        form_ = form::select;
    if (form_ == form::select)
        read_names();
    if (at("insert") || (at("replace") && kind(1) != token_kind::open_paren))
        insert_head();
    else if (at("update") || at("delete"))
        update_or_delete_head();
    else if (at("truncate"))
        replace("DELETE FROM", at("table", 1) ? 2 : 1);
    while (kind() != token_kind::end) {
        if (at_ == row_limit_)
            out_.text += row_limit_text_;
        step();
    }
    if (row_limit_ > 0)
        out_.text += ")";
    if (!result_.problem.empty())
        return fail({});
    out_.parameter_count = parameters_;
    result_.statements.push_back(std::move(out_));
    return std::move(result_);
}

void mysql_rewriter::walk_to(std::size_t end)
{
    while (at_ < end && kind() != token_kind::end)
        step();
}

void mysql_rewriter::step()
{
    if (step_over_default())
        return;
    gap();
    written_at_[at_] = out_.text.size();
    switch (kind()) {
        case token_kind::word:
            return word();
        case token_kind::quoted_word:
            if (information_schema() || qualifier() || assigned_table())
                return;
            return copy();
        case token_kind::string:
            return strings();
        case token_kind::bit_string:
            return bits();
        case token_kind::number:
            return number();
        case token_kind::variable:
            return variable();
        case token_kind::parameter:
            return replace("?" + std::to_string(++parameters_));
        case token_kind::open_paren:
            ++depth_;
            return copy();
        case token_kind::close_paren:
            depth_ -= depth_ > 0;
            return copy();
        case token_kind::op:
            return operator_token();
        default:
            return copy();
    }
}

void mysql_rewriter::word()
{
    const bool qualified = at_ > 0 && tokens_[at_ - 1].kind == token_kind::dot;
    if (!qualified) {
        if (information_schema() || clause_word() || function_call() || expression_word() ||
            qualifier() || assigned_table())
            return;
        if (!new_row_.empty() && kind(1) == token_kind::dot && lower(now().text) == new_row_)
            return replace("excluded");
    }
    copy();
}

bool mysql_rewriter::is_name(std::size_t n) const noexcept
{
    return kind(n) == token_kind::word || kind(n) == token_kind::quoted_word;
}

bool mysql_rewriter::before_is(std::string_view word) const noexcept
{
    return at_ > 0 && is_word(tokens_[at_ - 1], word);
}

// Whether a table's name may stand here.
bool mysql_rewriter::at_table_name() const noexcept
{
    if (at_ == 0)
        return false;
    for (const std::string_view word : {"from",
                                        "join",
                                        "into",
                                        "update",
                                        "table",
                                        "exists",
                                        "references",
                                        "view",
                                        "on",
                                        "ignore",
                                        "straight_join"})
        if (before_is(word))
            return word != "on" || is_word(tokens_[0], "create");
    return tokens_[at_ - 1].kind == token_kind::comma && from_depth_ == depth_ + 1;
}

// database.table -> table
bool mysql_rewriter::qualifier()
{
    if (!is_name() || kind(1) != token_kind::dot || !is_name(2) ||
        mysql_name_value(now()) != session_.database)
        return false;
    if (!at_table_name() && kind(3) != token_kind::dot)
        return false;
    drop(2);
    return true;
}

// UPDATE t SET t.a = 1, ON DUPLICATE KEY UPDATE t.a = 1: SQLite wants the column alone.
bool mysql_rewriter::assigned_table()
{
    const bool assigns = form_ == form::update || in_duplicate_;
    const bool begins = before_is("set") || before_is("update") ||
                        (at_ > 0 && tokens_[at_ - 1].kind == token_kind::comma);
    if (!assigns || !begins || depth_ > 0 || kind(1) != token_kind::dot || !is_name(2) ||
        kind(3) != token_kind::op || ahead(3).text != "=")
        return false;
    drop(2);
    return true;
}

bool mysql_rewriter::information_schema()
{
    if (!is_name() || kind(1) != token_kind::dot || !is_name(2) ||
        lower(mysql_name_value(now())) != "information_schema")
        return false;
    if (!at_table_name()) {
        drop(2);
        return true;
    }
    const auto name = mysql_name_value(ahead(2));
    const auto rows = session_.relation(lower(name));
    if (!rows) {
        result_.problem = "Unknown table '" + name + "' in information_schema";
        return false;
    }
    result_.session_values = true;  // it may tell the session's variables
    const bool alias = at("as", 3) || (is_name(3) && !is_mysql_clause(ahead(3)));
    replace("(" + *rows + ")" + (alias ? "" : " AS " + in_backticks(name)), 3);
    return true;
}

// Of the parenthesis that the one at `n` opens.
std::size_t mysql_rewriter::close_of(std::size_t n) const noexcept
{
    std::size_t depth = 0;
    for (;; ++n) {
        if (kind(n) == token_kind::end)
            return n;
        if (kind(n) == token_kind::open_paren)
            ++depth;
        if (kind(n) == token_kind::close_paren && --depth == 0)
            return n;
    }
}

// The client's text of tokens [from, to), counted from the beginning.
std::string mysql_rewriter::text_between(std::size_t from, std::size_t to) const
{
    if (from >= to)
        return {};
    const char* begin = tokens_[from].text.data();
    const auto& last = tokens_[to - 1].text;
    return std::string(begin, last.data() + last.size());
}

std::string mysql_rewriter::literal(const token& t) const
{
    return mysql_string_value(t.text, !session_.no_backslash_escapes);
}

// 'a' 'b' is 'ab'.
void mysql_rewriter::strings()
{
    if (unterminated_ && at_ + 2 == tokens_.size()) {
        // It stays without an end, so that SQLite refuses it, too.
        std::string open_end;
        append_sqlite_literal(open_end, literal(now()));
        open_end.pop_back();
        return replace(open_end);
    }
    auto value = literal(now());
    std::size_t count = 1;
    while (kind(count) == token_kind::string)
        value += literal(ahead(count++));
    if (lift(value, false, count))
        return;
    std::string text;
    append_sqlite_literal(text, value);
    replace(text, count);
}

// True: the literal is a parameter now.
bool mysql_rewriter::lift(std::string& value, bool blob, std::size_t tokens)
{
    constexpr std::size_t inline_max = 4096;
    const bool plain = form_ == form::select || form_ == form::insert || form_ == form::update ||
                       form_ == form::delete_;
    if (value.size() <= inline_max || !plain)
        return false;
    result_.lifted.push_back({std::move(value), blob});
    replace("?" + std::to_string(parameters_all_ + result_.lifted.size()), tokens);
    return true;
}

// _charset'...'
void mysql_rewriter::introduced_string()
{
    const bool bytes = at("_binary");
    if (kind(1) == token_kind::bit_string || kind(1) == token_kind::number) {
        drop(1);
        return;
    }
    if (!bytes) {
        drop(1);
        return strings();
    }
    auto bytes_sent = literal(ahead(1));
    if (lift(bytes_sent, true, 2))
        return;
    std::string text;
    append_sqlite_blob(text, bytes_sent);
    replace(text, 2);
}

// B'101' is a number, X'4d' a blob.
void mysql_rewriter::bits()
{
    const auto text = now().text;
    if (text[0] != 'b' && text[0] != 'B')
        return copy();
    std::uint64_t value = 0;
    for (const char c : text.substr(1))
        if (c == '0' || c == '1')
            value = value << 1 | (c == '1');
    replace(std::to_string(static_cast<std::int64_t>(value)));
}

void mysql_rewriter::number()
{
    const auto text = now().text;
    if (text.size() > 2 && text[0] == '0' && text[1] == 'x') {
        const auto digits = text.substr(2);
        return replace("x'" + std::string(digits.size() % 2, '0') + std::string(digits) + "'");
    }
    if (text.size() > 2 && text[0] == '0' && text[1] == 'b') {
        std::uint64_t value = 0;
        for (const char c : text.substr(2))
            value = value << 1 | (c == '1');
        return replace(std::to_string(static_cast<std::int64_t>(value)));
    }
    // LIMIT 5, 18446744073709551615: "all".
    const bool bound = before_is("limit") || before_is("offset") ||
                       (at_ > 2 && is_word(tokens_[at_ - 3], "limit"));
    if (bound && text.size() > 18)
        return replace("9223372036854775807");
    copy();
}

void mysql_rewriter::variable()
{
    if (kind(1) == token_kind::op && ahead(1).text == ":=") {
        result_.problem =
            "Assignments (:=) inside of statements are not available for SQLite "
            "databases; use SET";
        return copy();
    }
    const auto value = session_.variable(now().text);
    if (!value) {
        result_.problem = now().text.starts_with("@@") ? std::string(now().text.substr(2)) : "";
        result_.unknown_variable = true;
        return copy();
    }
    result_.session_values = true;
    replace(*value);
}

void mysql_rewriter::operator_token()
{
    struct pair {
        std::string_view mysql;
        std::string_view sqlite;
    };
    static constexpr std::array<pair, 4> pairs{
        pair{"&&", " AND "}, pair{"||", " OR "}, pair{"<=>", " IS "}, pair{"!", " NOT "}};
    const auto text = now().text;
    if ((text == "+" || text == "-") && at("interval", 1) && interval_term())
        return;
    if (text == ":=") {
        result_.problem =
            "Assignments (:=) inside of statements are not available for SQLite "
            "databases; use SET";
        return copy();
    }
    for (const auto& p : pairs)
        if (text == p.mysql && !(text == "||" && session_.pipes_as_concat))
            return replace(p.sqlite);
    copy();
}

}  // namespace sluice::sql
