// gateway/translate/my_show_lists.cpp: which SHOW is meant, and those that list something.
#include "gateway/translate/my_catalog.hpp"
#include "gateway/translate/my_show_reader.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {

// What lists objects of the database.
std::optional<my_show> my_show_reader::show_schema()
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

my_show my_show_reader::show()
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

}  // namespace sluice::gateway
