// proto/sql/mysql_create_table.cpp: columns, constraints, keys and options of CREATE TABLE.
#include <algorithm>

#include "proto/sql/mysql_definer.hpp"

namespace sluice::sql {
namespace {

std::string upper(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return out;
}

std::string unquoted(const std::string& name)
{
    return name.size() > 2 ? name.substr(1, name.size() - 2) : name;
}

}  // namespace

mysql_statement mysql_definer::create_table()
{
    const bool temporary = at_ > 0 && is_word(tokens_[at_ - 1], "temporary");
    ++at_;
    const bool if_not_exists = at("if") && at("not", 1) && at("exists", 2);
    if (if_not_exists)
        at_ += 3;
    table_ = table_name();
    if (table_.empty())
        return unchanged();
    std::string head = std::string("CREATE ") + (temporary ? "TEMP " : "") + "TABLE " +
                       (if_not_exists ? "IF NOT EXISTS " : "") + table_;
    if (at("like") || (kind() == token_kind::open_paren && at("like", 1)))
        return problem("CREATE TABLE ... LIKE is not available for SQLite databases");
    if (at("as") || at("select")) {
        take("as");
        add(head + " AS " + expression(at_, tokens_.size() - 1));
        return std::move(out_);
    }
    std::vector<column> columns;
    std::vector<std::string> constraints;
    if (!take(token_kind::open_paren) || !table_items(columns, constraints) || columns.empty())
        return out_.problem.empty() ? unchanged() : problem({});
    const auto options = table_options();
    settle_primary_key(columns);
    if (!out_.problem.empty())
        return problem({});
    std::string body;
    for (const auto& c : columns)
        body += (body.empty() ? "\n  " : ",\n  ") + column_text(c);
    if (!primary_.empty())
        body += ",\n  PRIMARY KEY " + primary_columns_;
    for (const auto& c : constraints)
        body += ",\n  " + c;
    add(head + " (" + body + "\n)" + options);
    for (const auto& k : keys_)
        add_key(k);
    if (if_not_exists)
        for (std::size_t i = 1; i < out_.statements.size(); ++i) {
            auto& sql = out_.statements[i].text;
            sql.insert(sql.find("INDEX ") + 6, "IF NOT EXISTS ");
        }
    return std::move(out_);
}

bool mysql_definer::table_items(std::vector<column>& columns, std::vector<std::string>& constraints)
{
    do {
        if (!table_item(columns, constraints))
            return false;
    } while (take(token_kind::comma));
    return take(token_kind::close_paren);
}

bool mysql_definer::table_item(std::vector<column>& columns, std::vector<std::string>& constraints)
{
    std::string constraint;
    if (at("constraint")) {
        ++at_;
        if (!at_any({"primary", "unique", "foreign", "check"}))
            constraint = name();
    }
    if (at("primary") && at("key", 1)) {
        at_ += 2;
        key k;
        if (take("using"))
            ++at_;
        if (!read_key_columns(k))
            return false;
        primary_columns_ = k.columns;
        primary_ = k.names;
        skip_key_options();
        return true;
    }
    if (at("foreign") && at("key", 1)) {
        at_ += 2;
        if (kind() != token_kind::open_paren)
            name();
        if (kind() != token_kind::open_paren)
            return false;
        const auto end = group_end(at_);
        auto made = (constraint.empty() ? "" : "CONSTRAINT " + constraint + " ") + "FOREIGN KEY " +
                    text(at_, end);
        at_ = end;
        made += read_references();
        constraints.push_back(std::move(made));
        return true;
    }
    if (at("check") && kind(1) == token_kind::open_paren) {
        const auto end = group_end(at_ + 1);
        constraints.push_back((constraint.empty() ? "" : "CONSTRAINT " + constraint + " ") +
                              "CHECK " + expression(at_ + 1, end));
        at_ = end;
        if (take("not"))
            note("NOT ENFORCED is ignored: SQLite enforces every CHECK");
        take("enforced");
        return true;
    }
    const bool is_key =
        at_any({"key", "index", "fulltext", "spatial"}) ||
        (at("unique") && (at_any({"key", "index"}, 1) || kind(1) == token_kind::open_paren ||
                          kind(2) == token_kind::open_paren));
    if (is_key) {
        // UNIQUE (a) without a name stays a constraint.
        const bool bare = at("unique") && kind(1) == token_kind::open_paren && constraint.empty();
        auto k = read_key();
        if (!k)
            return false;
        if (bare) {
            constraints.push_back("UNIQUE " + k->columns);
            return true;
        }
        if (k->name.empty() && !constraint.empty())
            k->name = unquoted(constraint);
        keys_.push_back(std::move(*k));
        return true;
    }
    return read_column(columns.emplace_back());
}

// {KEY | INDEX | UNIQUE [KEY | INDEX] | FULLTEXT ...} [name] [USING x] (columns) options
std::optional<mysql_definer::key> mysql_definer::read_key()
{
    key k;
    k.unique = take("unique");
    if (at_any({"fulltext", "spatial"})) {
        note("The index is a plain one: SQLite has no other here");
        ++at_;
    }
    if (at_any({"key", "index"}))
        ++at_;
    if (at_name() && !at("using")) {
        k.name = mysql_name_value(now());
        ++at_;
    }
    if (take("using"))
        ++at_;
    if (!read_key_columns(k))
        return std::nullopt;
    skip_key_options();
    return k;
}

// (a, b(10), c DESC, (expression))
bool mysql_definer::read_key_columns(key& out)
{
    if (!take(token_kind::open_paren))
        return false;
    out.columns = "(";
    do {
        if (out.columns.size() > 1)
            out.columns += ", ";
        if (kind() == token_kind::open_paren) {
            const auto end = group_end(at_);
            out.columns += expression(at_, end);
            at_ = end;
        } else {
            const auto one = name();
            if (one.empty())
                return false;
            if (out.first.empty())
                out.first = unquoted(one);
            out.names.push_back(one);
            out.columns += one;
            if (kind() == token_kind::open_paren)
                at_ = group_end(at_);  // of how many characters: SQLite indexes all
            if (at("collate"))
                at_ += 2;
        }
        if (take("desc"))
            out.columns += " DESC";
        else
            take("asc");
    } while (take(token_kind::comma));
    out.columns += ")";
    return take(token_kind::close_paren);
}

void mysql_definer::skip_key_options()
{
    for (;;) {
        if (at_any({"using", "comment", "key_block_size", "with"})) {
            at_ += kind(1) == token_kind::op ? 3 : 2;
            if (at("parser"))
                at_ += 2;
        } else if (at_any({"visible", "invisible", "ignored"})) {
            ++at_;
        } else {
            return;
        }
    }
}

// REFERENCES t (a) [MATCH x] [ON DELETE x] [ON UPDATE x]
std::string mysql_definer::read_references()
{
    if (!take("references"))
        return {};
    std::string out = " REFERENCES " + table_name();
    if (kind() == token_kind::open_paren) {
        const auto end = group_end(at_);
        out += " " + text(at_, end);
        at_ = end;
    }
    for (;;) {
        if (at("match")) {
            at_ += 2;
        } else if (at("on") && at_any({"delete", "update"}, 1)) {
            const std::size_t words = at_any({"set", "no"}, 2) ? 4 : 3;
            out += " " + text(at_, std::min(at_ + words, tokens_.size() - 1));
            at_ = std::min(at_ + words, tokens_.size() - 1);
        } else if (at_any({"deferrable", "initially", "not"}) && !at("null", 1)) {
            out += " " + std::string(now().text);  // SQLite's
            ++at_;
            if (at_any({"deferrable", "deferred", "immediate"})) {
                out += " " + std::string(now().text);
                ++at_;
            }
        } else {
            return out;
        }
    }
}

bool mysql_definer::read_column(column& out)
{
    out.name = name();
    if (out.name.empty())
        return false;
    read_type(out);
    while (!at_end() && kind() != token_kind::comma && kind() != token_kind::close_paren)
        if (!read_attribute(out))
            return false;
    return true;
}

void mysql_definer::read_type(column& out)
{
    if (!at_name() || at_any({"primary",
                              "not",
                              "null",
                              "unique",
                              "default",
                              "references",
                              "check",
                              "generated",
                              "as",
                              "collate",
                              "constraint"}))
        return;
    const bool list = at_any({"enum", "set"}) && kind(1) == token_kind::open_paren;
    if (list) {
        const bool one_of = at("enum");
        const auto end = group_end(at_ + 1);
        out.type = "TEXT";
        if (one_of)
            out.rest += " CHECK (" + out.name + " IN " + expression(at_ + 1, end) + ")";
        else
            note("SET is stored as text without a check");
        at_ = end;
    } else if (at("serial")) {
        out.type = "INTEGER";
        out.auto_increment = true;
        ++at_;
    } else {
        out.type = upper(now().text);
        ++at_;
        while (at_any({"precision",
                       "varying",
                       "varchar",
                       "char",
                       "character",
                       "varbinary",
                       "big",
                       "int"}) &&
               !at("set", 1)) {
            out.type += " " + upper(now().text);
            ++at_;
        }
    }
    std::string arguments;
    if (kind() == token_kind::open_paren) {
        const auto end = group_end(at_);
        arguments = text(at_, end);
        at_ = end;
    }
    for (;; ++at_) {
        if (at_any({"unsigned", "zerofill"})) {
            if (out.type.find("UNSIGNED") == std::string::npos)
                out.type += " UNSIGNED";
        } else if (!at_any({"signed", "binary", "ascii", "unicode"})) {
            break;
        }
    }
    out.type += arguments;
}

bool mysql_definer::read_attribute(column& out)
{
    if (at("not") && at("null", 1)) {
        out.not_null = true;
        at_ += 2;
    } else if (take("null")) {
    } else if (at("default")) {
        read_default(out);
    } else if (at_any({"auto_increment", "autoincrement"})) {
        out.auto_increment = true;
        ++at_;
    } else if (at("primary") && at("key", 1)) {
        out.primary = true;
        at_ += 2;
    } else if (take("unique")) {
        out.unique = true;
        take("key");
    } else if (take("key")) {
        out.primary = true;
    } else if (at("comment")) {
        at_ += 2;
    } else if (at("character") && at("set", 1)) {
        at_ += 3;
    } else if (at("charset")) {
        at_ += 2;
    } else if (at("collate")) {
        out.rest += " " + expression(at_, std::min(at_ + 2, tokens_.size() - 1));
        at_ += 2;
        if (out.rest.ends_with(" COLLATE BINARY"))
            out.rest.resize(out.rest.size() - 15);
    } else if (at("on") && at("update", 1)) {
        at_ += 3;
        if (kind() == token_kind::open_paren)
            at_ = group_end(at_);
        note("ON UPDATE of column " + out.name + " is ignored: SQLite has no such default");
    } else if (at("references")) {
        out.rest += read_references();
    } else if (at("check") && kind(1) == token_kind::open_paren) {
        const auto end = group_end(at_ + 1);
        out.rest += " CHECK " + expression(at_ + 1, end);
        at_ = end;
        take("enforced");
    } else if (at_any({"generated", "as"})) {
        take("generated");
        take("always");
        if (!take("as") || kind() != token_kind::open_paren)
            return false;
        const auto end = group_end(at_);
        out.rest += " AS " + expression(at_, end);
        at_ = end;
        if (at_any({"stored", "persistent"}))
            out.rest += " STORED";
        if (at_any({"stored", "persistent", "virtual"}))
            ++at_;
    } else if (at_any({"invisible", "visible"})) {
        ++at_;
    } else if (at_any({"column_format", "storage", "srid", "compressed"})) {
        at_ += 2;
    } else if (at("constraint")) {
        ++at_;
        if (!at("check"))
            name();
    } else if (kind() == token_kind::open_paren) {
        return false;
    } else {
        // SQLite's own words, or an error that SQLite explains.
        out.rest += " " + std::string(now().text);
        ++at_;
    }
    return true;
}

void mysql_definer::read_default(column& out)
{
    out.has_default = true;
    ++at_;
    std::size_t end = at_ + 1;
    if (kind() == token_kind::open_paren)
        end = group_end(at_);
    else if (kind() == token_kind::op)
        end = at_ + 2;
    else if (kind() == token_kind::word && kind(1) == token_kind::open_paren)
        end = group_end(at_ + 1);
    else if (kind() == token_kind::word && now().text.starts_with('_'))
        end = at_ + 2;
    end = std::min(end, tokens_.size() - 1);
    const bool call = kind() == token_kind::word && end > at_ + 1 && !now().text.starts_with('_');
    auto value = expression(at_, end);
    if (call && !value.starts_with("CURRENT_"))
        value = "(" + value + ")";
    out.rest += " DEFAULT " + value;
    at_ = end;
}

// An AUTO_INCREMENT column is the rowid; columns of a primary key are not null.
void mysql_definer::settle_primary_key(std::vector<column>& columns)
{
    for (auto& c : columns) {
        const bool listed = std::find(primary_.begin(), primary_.end(), c.name) != primary_.end();
        if (listed || c.primary)
            c.not_null = true;
        if (!c.auto_increment)
            continue;
        if ((listed && primary_.size() > 1) || (!primary_.empty() && !listed)) {
            out_.problem =
                "AUTO_INCREMENT needs a primary key of this one column for SQLite "
                "databases";
            return;
        }
        c.primary = true;
        primary_.clear();
        std::erase_if(keys_, [&c](const key& k) { return k.columns == "(" + c.name + ")"; });
    }
}

std::string mysql_definer::column_text(const column& c) const
{
    if (c.auto_increment)
        return c.name + " INTEGER PRIMARY KEY AUTOINCREMENT" + (c.not_null ? " NOT NULL" : "") +
               c.rest;
    return c.name + (c.type.empty() ? "" : " " + c.type) + (c.not_null ? " NOT NULL" : "") +
           (c.primary ? " PRIMARY KEY" : "") + (c.unique ? " UNIQUE" : "") + c.rest;
}

// What SQLite has of options; MySQL's go.
std::string mysql_definer::table_options()
{
    std::string out;
    for (; !at_end(); ++at_) {
        if (at("without") && at("rowid", 1))
            out += std::string(out.empty() ? " " : ", ") + "WITHOUT ROWID";
        else if (at("strict"))
            out += std::string(out.empty() ? " " : ", ") + "STRICT";
        else if (at("partition") && at("by", 1))
            note("PARTITION BY is ignored: SQLite has no partitions");
        else if (at("select") && out_.problem.empty())
            out_.problem =
                "CREATE TABLE with columns and SELECT is not available for SQLite "
                "databases";
    }
    return out;
}

void mysql_definer::add_key(const key& k)
{
    const auto table = unquoted(table_);
    const auto own = k.name.empty() ? k.first : k.name;
    add(std::string("CREATE ") + (k.unique ? "UNIQUE " : "") + "INDEX " +
        in_backticks(table + "." + own) + " ON " + table_ + " " + k.columns);
}

}  // namespace sluice::sql
