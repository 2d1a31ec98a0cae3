// gateway/translate/my_show.cpp: SHOW, DESCRIBE and EXPLAIN of a table.
#include "gateway/translate/my_show.hpp"

#include "gateway/translate/my_catalog.hpp"
#include "gateway/translate/my_show_create.hpp"
#include "gateway/translate/my_show_reader.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {

using sql::token_kind;

std::optional<my_show> my_show_reader::read()
{
    if (take("show"))
        return show();
    // DESCRIBE t, EXPLAIN t; but EXPLAIN SELECT ...
    ++at_;
    if (!at_name() || is_any({"select",
                              "insert",
                              "update",
                              "delete",
                              "replace",
                              "with",
                              "analyze",
                              "extended",
                              "format",
                              "partitions",
                              "query",
                              "values"}))
        return std::nullopt;
    my_show out;
    if (!table(out))
        return out;
    std::string where;
    if (at_name() || now().kind == token_kind::string)
        where = " WHERE Field LIKE " + quoted(sql::mysql_name_value(now())) + " ESCAPE '\\'";
    out.sql = columns(out.table, false) + where;
    return out;
}

bool my_show_reader::table(my_show& out)
{
    if (!at_name()) {
        out = syntax_error();
        return false;
    }
    out.table = sql::mysql_name_value(now());
    ++at_;
    if (now().kind == token_kind::dot) {
        if (!same_database(out.table, out))
            return false;
        ++at_;
        out.table = sql::mysql_name_value(now());
        ++at_;
    }
    return true;
}

bool my_show_reader::same_database(const std::string& name, my_show& out) const
{
    if (name == session_.database)
        return true;
    std::string folded(name);
    for (char& c : folded)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    out = wrong(1049, "42000", "Unknown database '" + name + "'");
    return false;
}

bool my_show_reader::database(my_show& out)
{
    if (!take("from") && !take("in"))
        return true;
    const auto name = sql::mysql_name_value(now());
    ++at_;
    return same_database(name, out);
}

my_show my_show_reader::filtered(std::string sql, std::string_view column, my_show out) const
{
    out.sql = std::move(sql);
    if (is("like") && tokens_[at_ + 1].kind == token_kind::string) {
        const auto pattern =
            sql::mysql_string_value(tokens_[at_ + 1].text, !session_.no_backslash_escapes);
        out.sql = "SELECT * FROM (" + out.sql + ") WHERE " + sql::in_backticks(column) + " LIKE " +
                  quoted(pattern) + " ESCAPE '\\'";
    } else if (is("where")) {
        const std::string_view rest(
            now().text.data(),
            static_cast<std::size_t>(statement_.data() + statement_.size() - now().text.data()));
        const auto made = sql::mysql_to_sqlite("SELECT * FROM x " + std::string(rest), session_);
        if (made.statements.empty())
            return wrong(1064, "42000", made.problem);
        const auto& text = made.statements.front().text;
        out.sql = "SELECT * FROM (" + out.sql + ") " + text.substr(text.find(" x ") + 3);
    } else if (now().kind != token_kind::end) {
        return syntax_error();
    }
    return out;
}

std::string my_show_reader::columns(const std::string& table, bool full)
{
    return "SELECT name AS Field, sluice_mysql_type(declared, 'full') AS Type, " +
           std::string(full ? "sluice_mysql_type(declared, 'collation') AS Collation, " : "") +
           "iif(\"notnull\", 'NO', 'YES') AS \"Null\", keyed AS \"Key\", "
           "sluice_mysql_default(dflt) AS \"Default\", CASE WHEN is_rowid THEN "
           "'auto_increment' WHEN hidden = 2 THEN 'VIRTUAL GENERATED' WHEN hidden = 3 THEN "
           "'STORED GENERATED' ELSE '' END AS Extra" +
           (full ? ", 'select,insert,update,references' AS Privileges, '' AS Comment" : "") +
           " FROM (" + columns_query(table) + " ORDER BY c.cid)";
}

my_show my_show_reader::show_tables(bool full)
{
    my_show out;
    if (!database(out))
        return out;
    const auto name = "Tables_in_" + session_.database;
    const auto sql = "SELECT name AS " + sql::in_backticks(name) +
                     (full ? ", kind AS Table_type" : "") + " FROM (" + tables_query() +
                     " ORDER BY name)";
    return filtered(sql, name);
}

my_show my_show_reader::show_create()
{
    my_show out;
    if (take("database") || take("schema")) {
        if (is("if"))
            at_ += 3;
        const auto name = sql::mysql_name_value(now());
        if (!same_database(name, out))
            return out;
        out.sql = "SELECT " + quoted(name) + " AS \"Database\", " +
                  quoted("CREATE DATABASE " + sql::in_backticks(name) +
                         " /*!40100 DEFAULT CHARACTER SET utf8mb4 */") +
                  " AS \"Create Database\"";
        return out;
    }
    const bool view = is("view");
    if (!take("table") && !take("view"))
        return wrong(1305, "42000", "SQLite databases have no such objects");
    if (!table(out))
        return out;
    out.sql = show_create_table(out.table, view, session_);
    return out;
}

my_show my_show_reader::show_variables()
{
    ++at_;
    return filtered("SELECT VARIABLE_NAME AS Variable_name, VARIABLE_VALUE AS Value FROM (" +
                        *information_schema("session_variables", session_) + ")",
                    "Variable_name");
}

// WARNINGS, ERRORS, COUNT(*) WARNINGS
my_show my_show_reader::show_diagnostics()
{
    my_show out;
    out.diagnostics = true;
    const bool count = take("count");
    if (count)
        at_ += 3;
    const bool errors = is("errors");
    std::size_t found = 0;
    std::string rows;
    for (const auto& w : session_.warnings) {
        if (errors && w.level != "Error")
            continue;
        ++found;
        rows += std::string(rows.empty() ? "SELECT " : " UNION ALL SELECT ") + quoted(w.level) +
                " AS Level, " + std::to_string(w.number) + " AS Code, " + quoted(w.message) +
                " AS Message";
    }
    if (count)
        out.sql = "SELECT " + std::to_string(found) + " AS " +
                  (errors ? "\"@@session.error_count\"" : "\"@@session.warning_count\"");
    else if (rows.empty())
        out.sql = "SELECT '' AS Level, 0 AS Code, '' AS Message WHERE 0";
    else
        out.sql = rows;
    return out;
}

std::optional<my_show> read_show(std::string_view statement, const my_state& session)
{
    return my_show_reader(statement, session).read();
}

}  // namespace sluice::gateway
