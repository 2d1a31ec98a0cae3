// proto/sql/mysql_definer.cpp: which definition it is; indexes, views, DROP and RENAME.
#include "proto/sql/mysql_definer.hpp"

#include <algorithm>

#include "proto/sql/mysql_rewriter.hpp"

namespace sluice::sql {

bool is_mysql_definition(std::span<const token> tokens) noexcept
{
    const auto word = [tokens](std::size_t i, std::string_view w) {
        return i < tokens.size() && is_word(tokens[i], w);
    };
    if (word(0, "alter") || word(0, "rename"))
        return word(1, "table") || (word(1, "ignore") && word(2, "table"));
    if (word(0, "drop"))
        return word(1, "table") || word(1, "view") || word(1, "index") || word(1, "temporary");
    if (!word(0, "create"))
        return false;
    // ALGORITHM = x, DEFINER = a@b, SQL SECURITY x may stand before VIEW.
    constexpr std::size_t words_max = 24;
    for (std::size_t i = 1; i < std::min(tokens.size(), words_max); ++i) {
        if (tokens[i].kind == token_kind::open_paren || word(i, "trigger") || word(i, "virtual"))
            return false;
        if (word(i, "table") || word(i, "index") || word(i, "view"))
            return true;
    }
    return false;
}

mysql_statement mysql_definition(std::string_view statement,
                                 std::span<const token> tokens,
                                 const mysql_session& session)
{
    return mysql_definer(statement, tokens, session).run();
}

mysql_statement mysql_definer::run()
{
    auto made = definition();
    if (!made.problem.empty())
        made.statements.clear();
    return made;
}

mysql_statement mysql_definer::definition()
{
    if (take("create"))
        return create();
    if (take("alter"))
        return alter();
    if (take("drop"))
        return drop();
    ++at_;
    return rename();
}

bool mysql_definer::at_any(std::initializer_list<std::string_view> words,
                           std::size_t n) const noexcept
{
    return std::any_of(words.begin(), words.end(), [&](auto w) { return at(w, n); });
}

bool mysql_definer::take(std::string_view word) noexcept
{
    const bool here = at(word);
    at_ += here;
    return here;
}

bool mysql_definer::take(token_kind k) noexcept
{
    const bool here = kind() == k;
    at_ += here;
    return here;
}

// Behind the parenthesis that closes the one at `from`.
std::size_t mysql_definer::group_end(std::size_t from) const noexcept
{
    std::size_t depth = 0;
    for (std::size_t i = from; i + 1 < tokens_.size(); ++i) {
        depth += tokens_[i].kind == token_kind::open_paren;
        depth -= tokens_[i].kind == token_kind::close_paren && depth > 0;
        if (depth == 0)
            return i + 1;
    }
    return tokens_.size() - 1;
}

std::string mysql_definer::name()
{
    if (!at_name())
        return {};
    return in_backticks(mysql_name_value(tokens_[at_++]));
}

std::string mysql_definer::table_name()
{
    if (at_name() && kind(1) == token_kind::dot) {
        if (mysql_name_value(now()) != session_.database && out_.problem.empty())
            out_.problem = "Unknown database '" + mysql_name_value(now()) + "'";
        at_ += 2;
    }
    return name();
}

std::string mysql_definer::text(std::size_t from, std::size_t to) const
{
    if (from >= to)
        return {};
    const auto& last = tokens_[to - 1].text;
    return std::string(tokens_[from].text.data(), last.data() + last.size());
}

std::string mysql_definer::expression(std::size_t from, std::size_t to)
{
    const auto written = text(from, to);
    auto made = mysql_rewriter(written, session_).run();
    if (!made.problem.empty() && out_.problem.empty())
        out_.problem = made.problem;
    return made.statements.empty() ? written : made.statements.front().text;
}

void mysql_definer::add(std::string sql)
{
    sqlite_statement one;
    one.text = std::move(sql);
    one.client_size = statement_.size();
    one.pieces.push_back({0, 0});
    out_.statements.push_back(std::move(one));
}

mysql_statement mysql_definer::problem(std::string why)
{
    if (out_.problem.empty())
        out_.problem = std::move(why);
    out_.statements.clear();
    return std::move(out_);
}

mysql_statement mysql_definer::unchanged()
{
    if (!out_.problem.empty())
        return problem({});
    out_.statements.clear();
    add(std::string(statement_));
    return std::move(out_);
}

mysql_statement mysql_definer::create()
{
    bool unique = false;
    bool replace = false;
    for (; !at_end(); ++at_) {
        if (at("table"))
            return create_table();
        if (at("index"))
            return create_index(unique);
        if (at("view"))
            return create_view(replace);
        unique = unique || at("unique");
        replace = replace || at("replace");
        if (at_any({"fulltext", "spatial"}))
            note("The index is a plain one: SQLite has no other here");
    }
    return unchanged();
}

mysql_statement mysql_definer::create_index(bool unique)
{
    ++at_;
    const bool if_not_exists = at("if");
    if (if_not_exists)
        at_ += 3;
    auto index = name();
    if (take("using"))
        ++at_;
    if (index.empty() || !take("on"))
        return unchanged();
    table_ = table_name();
    key k;
    if (table_.empty() || !read_key_columns(k))
        return unchanged();
    std::string where;
    if (at("where"))
        where = " " + expression(at_, tokens_.size() - 1);
    add(std::string("CREATE ") + (unique ? "UNIQUE " : "") + "INDEX " +
        (if_not_exists ? "IF NOT EXISTS " : "") + index + " ON " + table_ + " " + k.columns +
        where);
    return std::move(out_);
}

mysql_statement mysql_definer::create_view(bool replace)
{
    ++at_;
    const bool if_not_exists = at("if");
    if (if_not_exists)
        at_ += 3;
    const auto view = table_name();
    std::string columns;
    if (kind() == token_kind::open_paren) {
        const auto end = group_end(at_);
        columns = text(at_, end);
        at_ = end;
    }
    if (view.empty() || !take("as"))
        return unchanged();
    auto end = tokens_.size() - 1;
    // WITH [CASCADED | LOCAL] CHECK OPTION
    if (end > 3 && is_word(tokens_[end - 1], "option") && is_word(tokens_[end - 2], "check"))
        end -= is_word(tokens_[end - 3], "with") ? 3 : 4;
    if (replace)
        add("DROP VIEW IF EXISTS " + view);
    add(std::string("CREATE VIEW ") + (if_not_exists ? "IF NOT EXISTS " : "") + view + columns +
        " AS " + expression(at_, end));
    return std::move(out_);
}

mysql_statement mysql_definer::drop()
{
    take("temporary");
    const std::string what = at("index") ? "INDEX" : at("view") ? "VIEW" : "TABLE";
    ++at_;
    std::string if_exists;
    if (at("if") && at("exists", 1)) {
        if_exists = "IF EXISTS ";
        at_ += 2;
    }
    if (what == "INDEX") {
        if (!at_name())
            return unchanged();
        const auto index = mysql_name_value(now());
        ++at_;
        if (!take("on")) {
            add("DROP INDEX " + if_exists + in_backticks(index));
            return std::move(out_);
        }
        const auto table = table_name();
        const auto plain = table.size() > 2 ? table.substr(1, table.size() - 2) : table;
        add("DROP INDEX IF EXISTS " + in_backticks(plain + "." + index));
        add("DROP INDEX IF EXISTS " + in_backticks(index));
        return std::move(out_);
    }
    do {
        const auto one = table_name();
        if (one.empty())
            return unchanged();
        add("DROP " + what + " " + if_exists + one);
    } while (take(token_kind::comma));
    return std::move(out_);
}

// Behind TABLE: a TO b [, c TO d]
mysql_statement mysql_definer::rename()
{
    take("table");
    do {
        const auto from = table_name();
        if (from.empty() || !take("to"))
            return unchanged();
        const auto to = table_name();
        add("ALTER TABLE " + from + " RENAME TO " + to);
    } while (take(token_kind::comma));
    return std::move(out_);
}

}  // namespace sluice::sql
