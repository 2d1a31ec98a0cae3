// proto/sql/mysql_alter.cpp: ALTER TABLE, one of SQLite's statements for each part.
#include "proto/sql/mysql_definer.hpp"

namespace sluice::sql {
namespace {

constexpr std::string_view cannot_change =
    "SQLite cannot change a column that exists; create the table anew";

std::string unquoted(const std::string& name)
{
    return name.size() > 2 ? name.substr(1, name.size() - 2) : name;
}

bool is_number_type(const std::string& type)
{
    for (const std::string_view part : {"INT", "DEC", "NUM", "REAL", "FLO", "DOUB", "BOOL", "BIT"})
        if (type.find(part) != std::string::npos)
            return true;
    return false;
}

}  // namespace

mysql_statement mysql_definer::alter()
{
    take("ignore");
    take("table");
    if (at("if"))
        at_ += 2;
    table_ = table_name();
    if (table_.empty())
        return unchanged();
    do {
        if (!alter_action())
            return out_.problem.empty() ? unchanged() : problem({});
    } while (take(token_kind::comma));
    if (!at_end())
        return unchanged();
    return std::move(out_);
}

// To the comma behind the part at hand.
void mysql_definer::skip_action()
{
    while (!at_end() && kind() != token_kind::comma)
        at_ = kind() == token_kind::open_paren ? group_end(at_) : at_ + 1;
}

bool mysql_definer::alter_action()
{
    if (take("add"))
        return alter_add();
    if (take("drop"))
        return alter_drop();
    if (take("rename"))
        return alter_rename();
    if (take("change")) {
        take("column");
        const auto from = name();
        const auto to = name();
        if (from.empty() || to.empty())
            return false;
        if (from != to)
            add("ALTER TABLE " + table_ + " RENAME COLUMN " + from + " TO " + to);
        note("Column " + to + " keeps its type: " + std::string(cannot_change));
        skip_action();
        return true;
    }
    // As MySQL itself where an engine cannot do what a definition says: a warning.
    if (at("modify") || at("alter")) {
        note("The column stays as it is: " + std::string(cannot_change));
        skip_action();
        return true;
    }
    if (!at_any({"engine",
                 "auto_increment",
                 "convert",
                 "default",
                 "charset",
                 "character",
                 "collate",
                 "comment",
                 "row_format",
                 "enable",
                 "disable",
                 "order",
                 "algorithm",
                 "lock",
                 "force"}))
        return false;
    // Several options may stand without a comma.
    skip_action();
    return true;
}

bool mysql_definer::alter_add()
{
    std::string constraint;
    if (take("constraint") && !at_any({"primary", "unique", "foreign", "check"}))
        constraint = name();
    if (at("foreign")) {
        note("The foreign key was not added: SQLite has foreign keys in CREATE TABLE only");
        skip_action();
        return true;
    }
    if (at_any({"primary", "check"})) {
        out_.problem =
            "SQLite cannot add this constraint to a table that exists; create the "
            "table anew";
        return false;
    }
    if (at_any({"key", "index", "unique", "fulltext", "spatial"})) {
        auto k = read_key();
        if (!k)
            return false;
        if (k->name.empty())
            k->name = unquoted(constraint);
        add_key(*k);
        return true;
    }
    take("column");
    if (at("if"))
        at_ += 3;
    const bool several = take(token_kind::open_paren);
    do {
        column c;
        c.name = name();
        if (c.name.empty())
            return false;
        read_type(c);
        while (!at_end() && kind() != token_kind::comma && kind() != token_kind::close_paren) {
            if (take("first")) {
            } else if (at("after")) {
                at_ += 2;
            } else if (!read_attribute(c)) {
                return false;
            }
        }
        if (c.auto_increment || c.primary) {
            out_.problem =
                "SQLite cannot add a primary key to a table that exists; create the "
                "table anew";
            return false;
        }
        // MySQL's implicit default.
        if (c.not_null && !c.has_default && c.rest.find(" AS ") == std::string::npos)
            c.rest += is_number_type(c.type) ? " DEFAULT 0" : " DEFAULT ''";
        const bool unique = std::exchange(c.unique, false);
        add("ALTER TABLE " + table_ + " ADD COLUMN " + column_text(c));
        if (unique)
            add("CREATE UNIQUE INDEX " + in_backticks(unquoted(table_) + "." + unquoted(c.name)) +
                " ON " + table_ + " (" + c.name + ")");
    } while (several && take(token_kind::comma));
    return !several || take(token_kind::close_paren);
}

bool mysql_definer::alter_drop()
{
    if (at_any({"index", "key"})) {
        ++at_;
        const auto index = unquoted(name());
        add("DROP INDEX IF EXISTS " + in_backticks(unquoted(table_) + "." + index));
        add("DROP INDEX IF EXISTS " + in_backticks(index));
        return true;
    }
    if (at_any({"foreign", "constraint", "check"})) {
        note("The constraint stays: SQLite cannot drop constraints of a table that exists");
        skip_action();
        return true;
    }
    if (at("primary")) {
        out_.problem = "SQLite cannot drop a primary key; create the table anew";
        return false;
    }
    take("column");
    if (at("if"))
        at_ += 2;
    const auto column_name = name();
    if (column_name.empty())
        return false;
    if (at_any({"restrict", "cascade"}))
        ++at_;
    add("ALTER TABLE " + table_ + " DROP COLUMN " + column_name);
    return true;
}

bool mysql_definer::alter_rename()
{
    if (take("column")) {
        const auto from = name();
        if (!take("to"))
            return false;
        add("ALTER TABLE " + table_ + " RENAME COLUMN " + from + " TO " + name());
        return true;
    }
    if (at_any({"index", "key"}) && at("to", 2)) {
        out_.problem = "SQLite cannot rename an index; drop it and create it anew";
        return false;
    }
    if (at_any({"to", "as"}))
        ++at_;
    const auto to = table_name();
    add("ALTER TABLE " + table_ + " RENAME TO " + to);
    table_ = to;
    return !to.empty();
}

}  // namespace sluice::sql
