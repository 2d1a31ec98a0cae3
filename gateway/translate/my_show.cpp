// gateway/translate/my_show.cpp: SHOW, DESCRIBE and EXPLAIN of a table.
#include "gateway/translate/my_show.hpp"

#include <algorithm>

#include "gateway/translate/my_catalog.hpp"
#include "gateway/translate/my_show_create.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {
namespace {

using sql::token;
using sql::token_kind;

class show_reader {
public:
    show_reader(std::string_view statement, const my_state& session)
        : statement_(statement), session_(session)
    {
        auto lex = sql::mysql_lexer(statement, session);
        do {
            tokens_.push_back(lex.next());
        } while (tokens_.back().kind != token_kind::end);
    }

    std::optional<my_show> read()
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

private:
    const token& now() const { return tokens_[at_]; }
    bool is(std::string_view word, std::size_t n = 0) const
    {
        return sql::is_word(tokens_[std::min(at_ + n, tokens_.size() - 1)], word);
    }
    bool is_any(std::initializer_list<std::string_view> words) const
    {
        return std::any_of(words.begin(), words.end(), [this](auto w) { return is(w); });
    }
    bool take(std::string_view word)
    {
        const bool here = is(word);
        at_ += here;
        return here;
    }
    bool at_name() const
    {
        return now().kind == token_kind::word || now().kind == token_kind::quoted_word;
    }

    my_show wrong(std::uint16_t number, std::string state, std::string message) const
    {
        my_show out;
        out.problem = {number, std::move(state), std::move(message)};
        return out;
    }
    my_show syntax_error() const
    {
        return wrong(1064,
                     "42000",
                     "You have an error in your SQL syntax near '" +
                         std::string(now().text.data(), statement_.data() + statement_.size()) +
                         "'");
    }

    // [FROM | IN] [database.]table; false: `out` has an error.
    bool table(my_show& out)
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

    bool same_database(const std::string& name, my_show& out) const
    {
        if (name == session_.database)
            return true;
        std::string folded(name);
        for (char& c : folded)
            c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        out = wrong(1049, "42000", "Unknown database '" + name + "'");
        return false;
    }

    // [FROM | IN] database
    bool database(my_show& out)
    {
        if (!take("from") && !take("in"))
            return true;
        const auto name = sql::mysql_name_value(now());
        ++at_;
        return same_database(name, out);
    }

    // LIKE 'pattern' | WHERE condition, on the rows of `sql`.
    my_show filtered(std::string sql, std::string_view column, my_show out = {}) const
    {
        out.sql = std::move(sql);
        if (is("like") && tokens_[at_ + 1].kind == token_kind::string) {
            const auto pattern =
                sql::mysql_string_value(tokens_[at_ + 1].text, !session_.no_backslash_escapes);
            out.sql = "SELECT * FROM (" + out.sql + ") WHERE " + sql::in_backticks(column) +
                      " LIKE " + quoted(pattern) + " ESCAPE '\\'";
        } else if (is("where")) {
            const std::string_view rest(
                now().text.data(),
                static_cast<std::size_t>(statement_.data() + statement_.size() -
                                         now().text.data()));
            const auto made =
                sql::mysql_to_sqlite("SELECT * FROM x " + std::string(rest), session_);
            if (made.statements.empty())
                return wrong(1064, "42000", made.problem);
            const auto& text = made.statements.front().text;
            out.sql = "SELECT * FROM (" + out.sql + ") " + text.substr(text.find(" x ") + 3);
        } else if (now().kind != token_kind::end) {
            return syntax_error();
        }
        return out;
    }

    my_show show();
    std::optional<my_show> show_schema();
    my_show show_tables(bool full);
    my_show show_create();
    my_show show_variables();
    my_show show_diagnostics();

    static std::string columns(const std::string& table, bool full)
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

    std::string_view statement_;
    const my_state& session_;
    std::vector<token> tokens_;
    std::size_t at_ = 0;
};

my_show show_reader::show_tables(bool full)
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

my_show show_reader::show_create()
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

my_show show_reader::show_variables()
{
    ++at_;
    return filtered("SELECT VARIABLE_NAME AS Variable_name, VARIABLE_VALUE AS Value FROM (" +
                        *information_schema("session_variables", session_) + ")",
                    "Variable_name");
}

// WARNINGS, ERRORS, COUNT(*) WARNINGS
my_show show_reader::show_diagnostics()
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

// What lists objects of the database.
std::optional<my_show> show_reader::show_schema()
{
    const bool extended = take("extended");
    const bool full = take("full");
    if (take("tables") || (is("triggers") && !full && !extended)) {
        if (!take("triggers"))
            return show_tables(full);
        my_show out;
        if (!database(out))
            return out;
        return filtered(
            "SELECT TRIGGER_NAME AS \"Trigger\", EVENT_MANIPULATION AS Event, "
            "EVENT_OBJECT_TABLE AS \"Table\", ACTION_STATEMENT AS Statement, "
            "ACTION_TIMING AS Timing, CREATED AS Created, SQL_MODE AS sql_mode, DEFINER "
            "AS Definer, 'utf8mb4' AS character_set_client, 'utf8mb4_general_ci' AS "
            "collation_connection, 'utf8mb4_general_ci' AS \"Database Collation\" FROM "
            "(" +
                *information_schema("triggers", session_) + ")",
            "Table");
    }
    if (take("columns") || take("fields")) {
        my_show out;
        if (!take("from") && !take("in"))
            return syntax_error();
        if (!table(out) || !database(out))
            return out;
        const auto sql = columns(out.table, full);
        return filtered(sql, "Field", std::move(out));
    }
    if (take("index") || take("indexes") || take("keys")) {
        my_show out;
        if (!take("from") && !take("in"))
            return syntax_error();
        if (!table(out) || !database(out))
            return out;
        const auto sql =
            "SELECT tbl AS \"Table\", NOT is_unique AS Non_unique, name AS Key_name, seq AS "
            "Seq_in_index, col AS Column_name, iif(is_desc, 'D', 'A') AS Collation, 0 AS "
            "Cardinality, NULL AS Sub_part, NULL AS Packed, iif(is_primary, '', 'YES') AS "
            "\"Null\", "
            "'BTREE' AS Index_type, '' AS Comment, '' AS Index_comment FROM (" +
            indexes_query(out.table) + ") ORDER BY is_primary DESC, is_unique DESC, name, seq";
        return filtered(sql, "Key_name", std::move(out));
    }
    if (is("table") && is("status", 1)) {
        at_ += 2;
        my_show out;
        if (!database(out))
            return out;
        return filtered(
            "SELECT TABLE_NAME AS Name, ENGINE AS Engine, VERSION AS Version, ROW_FORMAT AS "
            "Row_format, TABLE_ROWS AS \"Rows\", AVG_ROW_LENGTH AS Avg_row_length, DATA_LENGTH AS "
            "Data_length, MAX_DATA_LENGTH AS Max_data_length, INDEX_LENGTH AS Index_length, "
            "DATA_FREE AS Data_free, AUTO_INCREMENT AS Auto_increment, CREATE_TIME AS Create_time, "
            "UPDATE_TIME AS Update_time, CHECK_TIME AS Check_time, TABLE_COLLATION AS Collation, "
            "CHECKSUM AS Checksum, CREATE_OPTIONS AS Create_options, TABLE_COMMENT AS Comment FROM "
            "(" +
                *information_schema("tables", session_) + ")",
            "Name");
    }
    if (take("processlist"))
        return filtered(
            "SELECT ID AS Id, USER AS User, HOST AS Host, DB AS db, COMMAND AS Command, "
            "TIME AS Time, STATE AS State, INFO AS Info FROM (" +
                *information_schema("processlist", session_) + ")",
            "User");
    return std::nullopt;
}

my_show show_reader::show()
{
    if (take("databases") || take("schemas"))
        return filtered("SELECT SCHEMA_NAME AS \"Database\" FROM (" +
                            *information_schema("schemata", session_) + ")",
                        "Database");
    if (auto found = show_schema())
        return *found;
    if (take("create"))
        return show_create();
    if (is("warnings") || is("errors") || is("count"))
        return show_diagnostics();
    take("global");
    take("session");
    take("local");
    if (is("variables"))
        return show_variables();
    if (take("status"))
        return filtered(
            "SELECT 'Threads_connected' AS Variable_name, '1' AS Value UNION ALL SELECT "
            "'Uptime', '1' UNION ALL SELECT 'Ssl_cipher', ''",
            "Variable_name");
    if (take("storage"))
        take("engines");
    else if (take("engines"))
        return filtered(
            "SELECT ENGINE AS Engine, SUPPORT AS Support, COMMENT AS Comment, "
            "TRANSACTIONS AS Transactions, XA, SAVEPOINTS AS Savepoints FROM (" +
                *information_schema("engines", session_) + ")",
            "Engine");
    if (take("charset") || (is("character") && is("set", 1))) {
        at_ += is("character") ? 2 : 0;
        return filtered(
            "SELECT CHARACTER_SET_NAME AS Charset, DESCRIPTION AS Description, "
            "DEFAULT_COLLATE_NAME AS \"Default collation\", MAXLEN AS Maxlen FROM (" +
                *information_schema("character_sets", session_) + ")",
            "Charset");
    }
    if (take("collation"))
        return filtered(
            "SELECT COLLATION_NAME AS Collation, CHARACTER_SET_NAME AS Charset, ID AS "
            "Id, IS_DEFAULT AS \"Default\", IS_COMPILED AS Compiled, SORTLEN AS Sortlen "
            "FROM (" +
                *information_schema("collations", session_) + ")",
            "Collation");
    my_show out;
    if (take("grants")) {
        const auto who = session_.who().user + "@%";
        out.sql = "SELECT " +
                  quoted("GRANT ALL PRIVILEGES ON " + sql::in_backticks(session_.database) +
                         ".* TO " + sql::in_backticks(session_.who().user) + "@`%`") +
                  " AS " + sql::in_backticks("Grants for " + who);
        return out;
    }
    struct nothing {
        std::string_view word;
        std::string_view columns;
    };
    for (const auto& [word, columns] :
         {nothing{"plugins", "'' AS Name, '' AS Status, '' AS Type, '' AS Library, '' AS License"},
          nothing{"procedure", "'' AS Db, '' AS Name, '' AS Type, '' AS Definer"},
          nothing{"function", "'' AS Db, '' AS Name, '' AS Type, '' AS Definer"},
          nothing{"package", "'' AS Db, '' AS Name, '' AS Type, '' AS Definer"},
          nothing{"events", "'' AS Db, '' AS Name, '' AS Definer, '' AS Type"},
          nothing{"open", "'' AS Database, '' AS \"Table\", 0 AS In_use, 0 AS Name_locked"},
          nothing{"privileges", "'' AS Privilege, '' AS Context, '' AS Comment"},
          nothing{"profiles", "0 AS Query_ID, 0.0 AS Duration, '' AS Query"},
          nothing{"master", "'' AS File, 0 AS Position"},
          nothing{"slave", "'' AS Slave_IO_State"},
          nothing{"replica", "'' AS Slave_IO_State"},
          nothing{"binary", "'' AS Log_name, 0 AS File_size"}}) {
        if (!is(word))
            continue;
        out.sql = "SELECT " + std::string(columns) + " WHERE 0";
        return out;
    }
    return syntax_error();
}

}  // namespace

std::optional<my_show> read_show(std::string_view statement, const my_state& session)
{
    return show_reader(statement, session).read();
}

}  // namespace sluice::gateway
