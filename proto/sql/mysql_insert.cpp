// proto/sql/mysql_insert.cpp: INSERT, REPLACE, UPDATE and DELETE as SQLite begins and ends them.
#include "proto/sql/key_words.hpp"
#include "proto/sql/mysql_literal.hpp"
#include "proto/sql/mysql_rewriter.hpp"

namespace sluice::sql {

void mysql_rewriter::insert_head()
{
    form_ = form::insert;
    copy();
    while (at("low_priority") || at("delayed") || at("high_priority"))
        drop(1);
    if (at("ignore"))
        replace("OR IGNORE");
    // SQLite's own INSERT OR ABORT and the like.
    if (at("or") && kind(1) == token_kind::word) {
        copy();
        copy();
    }
    if (at("into"))
        copy();
    else
        out_.text += " INTO";
    gap();
    // The database's name, whatever word stood before it.
    if (is_name() && kind(1) == token_kind::dot && mysql_name_value(now()) == session_.database)
        drop(2);
    copy();
    if (kind() == token_kind::dot) {
        copy();
        copy();
    }
    if (at("partition") && kind(1) == token_kind::open_paren)
        drop(close_of(1) + 1);
    if (at("set"))
        return insert_set();
    const bool no_columns = kind() == token_kind::open_paren && kind(1) == token_kind::close_paren;
    const std::size_t values = no_columns ? 2 : 0;
    if ((at("values", values) || at("value", values)) &&
        kind(values + 1) == token_kind::open_paren && kind(values + 2) == token_kind::close_paren)
        return replace("DEFAULT VALUES", values + 3);
    if (no_columns)
        drop(2);
    const auto list_end = kind() == token_kind::open_paren ? at_ + close_of(0) + 1 : at_;
    if (!at("select", 1))
        walk_to(list_end);
    if (at("value") && defaults_.values != at_)
        replace("VALUES");
}

// SET a = x, b = y -> (a, b) VALUES (x, y)
void mysql_rewriter::insert_set()
{
    struct assignment {
        std::size_t name;
        std::size_t value;
        std::size_t end;
    };
    std::vector<assignment> list;
    std::size_t n = at_ + 1;
    const auto at_end = [this](std::size_t i) {
        return tokens_[i].kind == token_kind::end || is_word(tokens_[i], "on") ||
               is_word(tokens_[i], "as");
    };
    for (;;) {
        while (n + 1 < tokens_.size() && tokens_[n + 1].kind == token_kind::dot)
            n += 2;
        assignment one{n, n + 2, n + 2};
        if (n + 2 >= tokens_.size() || tokens_[n + 1].kind != token_kind::op)
            return;  // SQLite says what is wrong
        std::size_t depth = 0;
        for (n += 2; !(depth == 0 && (at_end(n) || tokens_[n].kind == token_kind::comma)); ++n) {
            if (tokens_[n].kind == token_kind::end)
                return;
            depth += tokens_[n].kind == token_kind::open_paren;
            depth -= tokens_[n].kind == token_kind::close_paren && depth > 0;
        }
        one.end = n;
        list.push_back(one);
        if (tokens_[n].kind != token_kind::comma)
            break;
        ++n;
    }
    std::string names = "(";
    for (const auto& one : list)
        names += (names.size() > 1 ? ", " : "") + std::string(tokens_[one.name].text);
    replace(names + ") VALUES (");
    for (std::size_t i = 0; i < list.size(); ++i) {
        drop(list[i].value - at_);
        if (i > 0)
            out_.text += ", ";
        walk_to(list[i].end);
    }
    out_.text += ") ";
}

bool mysql_rewriter::on_duplicate()
{
    // VALUES (...) AS new ON DUPLICATE KEY UPDATE a = new.a
    if (depth_ == 0 && at("as") && is_name(1) && at("on", 2) && at("duplicate", 3)) {
        new_row_ = mysql_name_value(ahead(1));
        for (char& c : new_row_)
            c = lower_ascii(c);
        drop(2);
        return true;
    }
    if (!at("on") || !at("duplicate", 1) || !at("key", 2) || !at("update", 3))
        return false;
    // Else SQLite takes ON for a join's.
    if (select_seen_ && !where_seen_)
        out_.text += "WHERE true ";
    replace("ON CONFLICT DO UPDATE SET", 4);
    in_duplicate_ = true;
    result_.updates_duplicates = true;
    return true;
}

void mysql_rewriter::update_or_delete_head()
{
    form_ = at("update") ? form::update : form::delete_;
    copy();
    bool ignore = false;
    while (at("low_priority") || at("quick") || at("ignore")) {
        ignore = ignore || at("ignore");
        drop(1);
    }
    if (ignore && form_ == form::update)
        out_.text += " OR IGNORE";
    else if (ignore)
        result_.notes.emplace_back("IGNORE is not available for DELETE on SQLite databases");
    find_row_limit();
}

// UPDATE t SET ... WHERE c ORDER BY x LIMIT 1: only a SQLite that was built for it knows these
// words there, so the rows are chosen by a query (row_limit_).
void mysql_rewriter::find_row_limit()
{
    std::size_t name = at("from") ? 1 : 0;
    if (is_name(name) && kind(name + 1) == token_kind::dot)
        name += 2;
    if (!is_name(name))
        return;
    std::size_t where = 0;
    std::size_t limit = 0;
    std::size_t depth = 0;
    for (std::size_t n = name + 1; kind(n) != token_kind::end && limit == 0; ++n) {
        depth += kind(n) == token_kind::open_paren;
        depth -= kind(n) == token_kind::close_paren && depth > 0;
        if (depth == 0 && kind(n) == token_kind::comma && form_ == form::delete_)
            return;
        if (depth == 0 && at("where", n))
            where = n;
        else if (depth == 0 && ((at("order", n) && at("by", n + 1)) || at("limit", n)))
            limit = n;
    }
    if (limit == 0)
        return;
    row_limit_ = at_ + (where > 0 ? where : limit);
    row_limit_text_ = " WHERE rowid IN (SELECT rowid FROM " + std::string(ahead(name).text) + " ";
}

}  // namespace sluice::sql
