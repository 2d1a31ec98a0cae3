// gateway/translate/my_catalog.cpp: SQLite's schema as MySQL's information_schema.
#include "gateway/translate/my_catalog.hpp"

#include <array>

#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {
namespace {

// One table's rows, or all tables'.
std::string where_table(std::string_view column, std::string_view table)
{
    if (table.empty())
        return {};
    return " AND lower(" + std::string(column) + ") = lower(" + quoted(table) + ")";
}

std::string schemata(const my_state& session)
{
    const auto row = [](std::string_view name) {
        return "SELECT 'def' AS CATALOG_NAME, " + quoted(name) +
               " AS SCHEMA_NAME, 'utf8mb4' AS DEFAULT_CHARACTER_SET_NAME, 'utf8mb4_general_ci' AS "
               "DEFAULT_COLLATION_NAME, NULL AS SQL_PATH, 'NO' AS DEFAULT_ENCRYPTION, '' AS "
               "SCHEMA_COMMENT";
    };
    return row("information_schema") + " UNION ALL " + row(session.database);
}

std::string tables(const my_state& session)
{
    return "SELECT 'def' AS TABLE_CATALOG, " + quoted(session.database) +
           " AS TABLE_SCHEMA, name AS TABLE_NAME, kind AS TABLE_TYPE, "
           "iif(kind = 'VIEW', NULL, 'InnoDB') AS ENGINE, iif(kind = 'VIEW', NULL, 10) AS VERSION, "
           "iif(kind = 'VIEW', NULL, 'Dynamic') AS ROW_FORMAT, iif(kind = 'VIEW', NULL, 0) AS "
           "TABLE_ROWS, 0 AS AVG_ROW_LENGTH, 0 AS DATA_LENGTH, 0 AS MAX_DATA_LENGTH, 0 AS "
           "INDEX_LENGTH, 0 AS DATA_FREE, NULL AS AUTO_INCREMENT, NULL AS CREATE_TIME, NULL AS "
           "UPDATE_TIME, NULL AS CHECK_TIME, iif(kind = 'VIEW', NULL, 'utf8mb4_general_ci') AS "
           "TABLE_COLLATION, NULL AS CHECKSUM, '' AS CREATE_OPTIONS, iif(kind = 'VIEW', 'VIEW', "
           "'') "
           "AS TABLE_COMMENT, 'N' AS TEMPORARY FROM (" +
           tables_query() + ")";
}

std::string columns(const my_state& session)
{
    return "SELECT 'def' AS TABLE_CATALOG, " + quoted(session.database) +
           " AS TABLE_SCHEMA, tbl AS TABLE_NAME, name AS COLUMN_NAME, pos AS ORDINAL_POSITION, "
           "sluice_mysql_default(dflt) AS COLUMN_DEFAULT, "
           "iif(\"notnull\", 'NO', 'YES') AS IS_NULLABLE, "
           "sluice_mysql_type(declared, 'name') AS DATA_TYPE, "
           "sluice_mysql_type(declared, 'characters') AS CHARACTER_MAXIMUM_LENGTH, "
           "sluice_mysql_type(declared, 'octets') AS CHARACTER_OCTET_LENGTH, "
           "sluice_mysql_type(declared, 'precision') AS NUMERIC_PRECISION, "
           "sluice_mysql_type(declared, 'scale') AS NUMERIC_SCALE, "
           "sluice_mysql_type(declared, 'fraction') AS DATETIME_PRECISION, "
           "sluice_mysql_type(declared, 'charset') AS CHARACTER_SET_NAME, "
           "sluice_mysql_type(declared, 'collation') AS COLLATION_NAME, "
           "sluice_mysql_type(declared, 'full') AS COLUMN_TYPE, keyed AS COLUMN_KEY, "
           "CASE WHEN is_rowid THEN 'auto_increment' WHEN hidden = 2 THEN 'VIRTUAL GENERATED' "
           "WHEN hidden = 3 THEN 'STORED GENERATED' ELSE '' END AS EXTRA, "
           "'select,insert,update,references' AS PRIVILEGES, '' AS COLUMN_COMMENT, "
           "iif(hidden IN (2, 3), 'ALWAYS', 'NEVER') AS IS_GENERATED, "
           "iif(hidden IN (2, 3), '', NULL) AS GENERATION_EXPRESSION, NULL AS SRS_ID FROM (" +
           columns_query() + ")";
}

std::string statistics(const my_state& session)
{
    const auto schema = quoted(session.database);
    return "SELECT 'def' AS TABLE_CATALOG, " + schema +
           " AS TABLE_SCHEMA, tbl AS TABLE_NAME, NOT is_unique AS NON_UNIQUE, " + schema +
           " AS INDEX_SCHEMA, name AS INDEX_NAME, seq AS SEQ_IN_INDEX, col AS COLUMN_NAME, "
           "iif(is_desc, 'D', 'A') AS COLLATION, 0 AS CARDINALITY, NULL AS SUB_PART, NULL AS "
           "PACKED, "
           "iif(is_primary, '', 'YES') AS NULLABLE, 'BTREE' AS INDEX_TYPE, '' AS COMMENT, '' AS "
           "INDEX_COMMENT, 'YES' AS IS_VISIBLE, iif(col IS NULL, 'expression', NULL) AS EXPRESSION "
           "FROM (" +
           indexes_query() + ")";
}

std::string key_column_usage(const my_state& session)
{
    const auto schema = quoted(session.database);
    const auto head = "SELECT 'def' AS CONSTRAINT_CATALOG, " + schema +
                      " AS CONSTRAINT_SCHEMA, name AS CONSTRAINT_NAME, 'def' AS TABLE_CATALOG, " +
                      schema + " AS TABLE_SCHEMA, tbl AS TABLE_NAME, col AS COLUMN_NAME, ";
    return head +
           "seq AS ORDINAL_POSITION, NULL AS POSITION_IN_UNIQUE_CONSTRAINT, NULL AS "
           "REFERENCED_TABLE_SCHEMA, NULL AS REFERENCED_TABLE_NAME, NULL AS REFERENCED_COLUMN_NAME "
           "FROM (" +
           indexes_query() + ") WHERE is_unique UNION ALL " + head + "seq, seq, " + schema +
           ", parent, parent_col FROM (" + foreign_keys_query() + ")";
}

std::string table_constraints(const my_state& session)
{
    const auto schema = quoted(session.database);
    const auto head = "SELECT 'def' AS CONSTRAINT_CATALOG, " + schema +
                      " AS CONSTRAINT_SCHEMA, name AS CONSTRAINT_NAME, " + schema +
                      " AS TABLE_SCHEMA, tbl AS TABLE_NAME, ";
    return head +
           "iif(is_primary, 'PRIMARY KEY', 'UNIQUE') AS CONSTRAINT_TYPE, 'YES' AS ENFORCED FROM (" +
           indexes_query() + ") WHERE is_unique AND seq = 1 UNION ALL " + head +
           "'FOREIGN KEY', 'YES' FROM (" + foreign_keys_query() + ") WHERE seq = 1 UNION ALL " +
           head + "'CHECK', 'YES' FROM (" + checks_query() + ")";
}

std::string check_constraints(const my_state& session)
{
    return "SELECT 'def' AS CONSTRAINT_CATALOG, " + quoted(session.database) +
           " AS CONSTRAINT_SCHEMA, tbl AS TABLE_NAME, name AS CONSTRAINT_NAME, 'Table' AS LEVEL, "
           "clause AS CHECK_CLAUSE FROM (" +
           checks_query() + ")";
}

std::string referential_constraints(const my_state& session)
{
    const auto schema = quoted(session.database);
    return "SELECT 'def' AS CONSTRAINT_CATALOG, " + schema +
           " AS CONSTRAINT_SCHEMA, name AS CONSTRAINT_NAME, 'def' AS UNIQUE_CONSTRAINT_CATALOG, " +
           schema +
           " AS UNIQUE_CONSTRAINT_SCHEMA, 'PRIMARY' AS UNIQUE_CONSTRAINT_NAME, 'NONE' AS "
           "MATCH_OPTION, on_update AS UPDATE_RULE, on_delete AS DELETE_RULE, tbl AS TABLE_NAME, "
           "parent AS REFERENCED_TABLE_NAME FROM (" +
           foreign_keys_query() + ") WHERE seq = 1";
}

std::string views(const my_state& session)
{
    return "SELECT 'def' AS TABLE_CATALOG, " + quoted(session.database) +
           " AS TABLE_SCHEMA, name AS TABLE_NAME, sluice_view_body(sql) AS VIEW_DEFINITION, 'NONE' "
           "AS CHECK_OPTION, 'NO' AS IS_UPDATABLE, " +
           quoted(session.who().user + "@%") +
           " AS DEFINER, 'INVOKER' AS SECURITY_TYPE, 'utf8mb4' AS CHARACTER_SET_CLIENT, "
           "'utf8mb4_general_ci' AS COLLATION_CONNECTION FROM (" +
           tables_query() + ") WHERE kind = 'VIEW'";
}

std::string triggers(const my_state& session)
{
    const auto schema = quoted(session.database);
    return "SELECT 'def' AS TRIGGER_CATALOG, " + schema +
           " AS TRIGGER_SCHEMA, name AS TRIGGER_NAME, CASE WHEN sql LIKE '% DELETE ON %' THEN "
           "'DELETE' WHEN sql LIKE '% UPDATE %' THEN 'UPDATE' ELSE 'INSERT' END AS "
           "EVENT_MANIPULATION, 'def' AS EVENT_OBJECT_CATALOG, " +
           schema +
           " AS EVENT_OBJECT_SCHEMA, tbl_name AS EVENT_OBJECT_TABLE, 1 AS ACTION_ORDER, NULL AS "
           "ACTION_CONDITION, sql AS ACTION_STATEMENT, 'ROW' AS ACTION_ORIENTATION, iif(sql LIKE "
           "'% "
           "BEFORE %', 'BEFORE', 'AFTER') AS ACTION_TIMING, NULL AS CREATED, '' AS SQL_MODE, '' AS "
           "DEFINER FROM sqlite_schema WHERE type = 'trigger'";
}

// Relations that are here so that questions about them have an answer: none.
struct empty_relation {
    std::string_view name;
    std::string_view columns;
};

constexpr std::array empty_relations{
    empty_relation{"routines",
                   "SPECIFIC_NAME,ROUTINE_CATALOG,ROUTINE_SCHEMA,ROUTINE_NAME,ROUTINE_TYPE,"
                   "DATA_TYPE,CHARACTER_MAXIMUM_LENGTH,CHARACTER_OCTET_LENGTH,NUMERIC_PRECISION,"
                   "NUMERIC_SCALE,DTD_IDENTIFIER,ROUTINE_BODY,ROUTINE_DEFINITION,EXTERNAL_NAME,"
                   "PARAMETER_STYLE,IS_DETERMINISTIC,SQL_DATA_ACCESS,SECURITY_TYPE,CREATED,"
                   "LAST_ALTERED,SQL_MODE,ROUTINE_COMMENT,DEFINER"},
    empty_relation{
        "parameters",
        "SPECIFIC_CATALOG,SPECIFIC_SCHEMA,SPECIFIC_NAME,ORDINAL_POSITION,PARAMETER_MODE,"
        "PARAMETER_NAME,DATA_TYPE,CHARACTER_MAXIMUM_LENGTH,CHARACTER_OCTET_LENGTH,"
        "NUMERIC_PRECISION,NUMERIC_SCALE,DATETIME_PRECISION,DTD_IDENTIFIER,ROUTINE_TYPE"},
    empty_relation{"events",
                   "EVENT_CATALOG,EVENT_SCHEMA,EVENT_NAME,DEFINER,TIME_ZONE,EVENT_DEFINITION,"
                   "EVENT_TYPE,EXECUTE_AT,INTERVAL_VALUE,INTERVAL_FIELD,SQL_MODE,STATUS,CREATED,"
                   "LAST_ALTERED,LAST_EXECUTED,EVENT_COMMENT"},
    empty_relation{"partitions",
                   "TABLE_CATALOG,TABLE_SCHEMA,TABLE_NAME,PARTITION_NAME,PARTITION_METHOD,"
                   "PARTITION_EXPRESSION,PARTITION_DESCRIPTION,TABLE_ROWS,TABLESPACE_NAME,"
                   "PARTITION_COMMENT,SUBPARTITION_NAME"},
    empty_relation{"files",
                   "FILE_ID,FILE_NAME,FILE_TYPE,TABLESPACE_NAME,TABLE_CATALOG,LOGFILE_GROUP_NAME,"
                   "ENGINE,TOTAL_EXTENTS,INITIAL_SIZE,EXTENT_SIZE,EXTRA"},
    empty_relation{"table_privileges",
                   "GRANTEE,TABLE_CATALOG,TABLE_SCHEMA,TABLE_NAME,PRIVILEGE_TYPE,IS_GRANTABLE"},
    empty_relation{"column_privileges",
                   "GRANTEE,TABLE_CATALOG,TABLE_SCHEMA,TABLE_NAME,COLUMN_NAME,PRIVILEGE_TYPE,"
                   "IS_GRANTABLE"},
    empty_relation{"plugins",
                   "PLUGIN_NAME,PLUGIN_VERSION,PLUGIN_STATUS,PLUGIN_TYPE,PLUGIN_LIBRARY,"
                   "PLUGIN_LICENSE"},
};

std::string empty(std::string_view columns)
{
    std::string out = "SELECT ";
    while (!columns.empty()) {
        const auto comma = columns.find(',');
        out += "'' AS " + std::string(columns.substr(0, comma));
        columns = comma == std::string_view::npos ? std::string_view() : columns.substr(comma + 1);
        out += columns.empty() ? "" : ", ";
    }
    return out + " WHERE 0";
}

constexpr std::string_view character_sets =
    "SELECT 'utf8mb4' AS CHARACTER_SET_NAME, 'utf8mb4_general_ci' AS DEFAULT_COLLATE_NAME, 'UTF-8 "
    "Unicode' AS DESCRIPTION, 4 AS MAXLEN UNION ALL SELECT 'utf8mb3', 'utf8mb3_general_ci', 'UTF-8 "
    "Unicode', 3 UNION ALL SELECT 'binary', 'binary', 'Binary pseudo charset', 1";

constexpr std::string_view collations =
    "SELECT 'utf8mb4_general_ci' AS COLLATION_NAME, 'utf8mb4' AS CHARACTER_SET_NAME, 45 AS ID, "
    "'Yes' "
    "AS IS_DEFAULT, 'Yes' AS IS_COMPILED, 1 AS SORTLEN UNION ALL SELECT 'utf8mb4_bin', 'utf8mb4', "
    "46, '', 'Yes', 1 UNION ALL SELECT 'utf8mb4_unicode_ci', 'utf8mb4', 224, '', 'Yes', 8 UNION "
    "ALL "
    "SELECT 'utf8mb4_0900_ai_ci', 'utf8mb4', 255, '', 'Yes', 0 UNION ALL SELECT "
    "'utf8mb3_general_ci', 'utf8mb3', 33, 'Yes', 'Yes', 1 UNION ALL SELECT 'binary', 'binary', 63, "
    "'Yes', 'Yes', 1";

constexpr std::string_view engines =
    "SELECT 'InnoDB' AS ENGINE, 'DEFAULT' AS SUPPORT, 'SQLite, served by Sluice' AS COMMENT, 'YES' "
    "AS TRANSACTIONS, 'NO' AS XA, 'YES' AS SAVEPOINTS";

std::string variables(const my_state& session)
{
    std::string out;
    for (const auto& [name, value] : session.system_variables())
        out += (out.empty() ? "SELECT " : " UNION ALL SELECT ") + quoted(name) +
               " AS VARIABLE_NAME, " + quoted(value) + " AS VARIABLE_VALUE";
    return out;
}

}  // namespace

std::string quoted(std::string_view text)
{
    std::string out;
    sql::append_sqlite_literal(out, text);
    return out;
}

std::string tables_query()
{
    return R"(SELECT name, iif(type = 'view', 'VIEW', 'BASE TABLE') AS kind, sql
        FROM sqlite_schema
        WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\')";
}

std::string columns_query(std::string_view table)
{
    return R"(SELECT t.name AS tbl, c.cid + 1 AS pos, c.name AS name, c.type AS declared,
            c."notnull" OR (c.pk > 0) AS "notnull", c.dflt_value AS dflt, c.pk AS pk,
            c.hidden AS hidden,
            (c.pk = 1 AND upper(c.type) = 'INTEGER' AND t.sql NOT LIKE '%WITHOUT ROWID%' AND
                (SELECT count(*) FROM pragma_table_xinfo(t.name) WHERE pk > 0) = 1) AS is_rowid,
            CASE WHEN c.pk > 0 THEN 'PRI' ELSE (
                SELECT CASE WHEN count(*) = 0 THEN ''
                    WHEN max(l."unique" AND
                        (SELECT count(*) FROM pragma_index_info(l.name)) = 1) THEN 'UNI'
                    ELSE 'MUL' END
                FROM pragma_index_list(t.name) l
                JOIN pragma_index_info(l.name) i ON i.seqno = 0 AND i.name = c.name
            ) END AS keyed
        FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c
        WHERE t.type IN ('table', 'view') AND c.hidden <> 1 AND
            t.name NOT LIKE 'sqlite\_%' ESCAPE '\')" +
           where_table("t.name", table);
}

std::string indexes_query(std::string_view table)
{
    const auto one = where_table("t.name", table);
    // A rowid that is the primary key has no index of its own.
    return R"(SELECT t.name AS tbl,
            CASE WHEN l.origin = 'pk' THEN 'PRIMARY'
                WHEN l.origin = 'u' THEN coalesce(
                    sluice_constraint_name(t.sql, 'u', (SELECT group_concat(name, char(31)) FROM
                        (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno))),
                    (SELECT i.name FROM pragma_index_info(l.name) i WHERE i.seqno = 0))
                WHEN l.name LIKE t.name || '.%' THEN substr(l.name, length(t.name) + 2)
                ELSE l.name END AS name,
            l."unique" AS is_unique, x.seqno + 1 AS seq, x.name AS col, x."desc" AS is_desc,
            l.origin = 'pk' AS is_primary
        FROM sqlite_schema t JOIN pragma_index_list(t.name) l JOIN pragma_index_xinfo(l.name) x
        WHERE t.type = 'table' AND x.key = 1 AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\')" +
           one + R"( UNION ALL
        SELECT t.name, 'PRIMARY', 1, c.pk, c.name, 0, 1
        FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c
        WHERE t.type = 'table' AND c.pk > 0 AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND
            NOT EXISTS (SELECT 1 FROM pragma_index_list(t.name) WHERE origin = 'pk'))" +
           one;
}

std::string foreign_keys_query(std::string_view table)
{
    // SQLite counts them from the last to the first.
    return R"(SELECT tbl, coalesce(sluice_constraint_name(sql, 'f', nth), tbl || '_ibfk_' || nth)
            AS name, id, seq, col, parent, parent_col, on_update, on_delete
        FROM (SELECT t.name AS tbl, t.sql AS sql,
            (SELECT max(id) FROM pragma_foreign_key_list(t.name)) - f.id + 1 AS nth, f.id AS id,
            f.seq + 1 AS seq, f."from" AS col, f."table" AS parent,
            coalesce(f."to", (SELECT p.name FROM pragma_table_xinfo(f."table") p
                WHERE p.pk = f.seq + 1)) AS parent_col,
            f.on_update AS on_update, f.on_delete AS on_delete
        FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f
        WHERE t.type = 'table')" +
           where_table("t.name", table) + ")";
}

// Those that have a name: ENUM and the like are CHECKs, too, and MySQL's clients shall not see
// them.
std::string checks_query()
{
    return R"(WITH RECURSIVE number(n) AS
            (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 64)
        SELECT t.name AS tbl, sluice_constraint_name(t.sql, 'c', n) AS name,
            sluice_check_clause(t.sql, n) AS clause
        FROM sqlite_schema t JOIN number
        WHERE t.type = 'table' AND t.sql LIKE '%CONSTRAINT%' AND
            sluice_constraint_name(t.sql, 'c', n) IS NOT NULL)";
}

std::optional<std::string> information_schema(std::string_view name, const my_state& session)
{
    if (name == "schemata")
        return schemata(session);
    if (name == "tables")
        return tables(session);
    if (name == "columns")
        return columns(session);
    if (name == "statistics")
        return statistics(session);
    if (name == "key_column_usage")
        return key_column_usage(session);
    if (name == "check_constraints")
        return check_constraints(session);
    if (name == "table_constraints")
        return table_constraints(session);
    if (name == "referential_constraints")
        return referential_constraints(session);
    if (name == "views")
        return views(session);
    if (name == "triggers")
        return triggers(session);
    if (name == "character_sets")
        return std::string(character_sets);
    if (name == "collations" || name == "collation_character_set_applicability")
        return std::string(collations);
    if (name == "engines")
        return std::string(engines);
    if (name == "session_variables" || name == "global_variables")
        return variables(session);
    if (name == "user_privileges" || name == "schema_privileges")
        return "SELECT " + quoted("'" + session.who().user + "'@'%'") +
               " AS GRANTEE, 'def' AS TABLE_CATALOG, " + quoted(session.database) +
               " AS TABLE_SCHEMA, 'USAGE' AS PRIVILEGE_TYPE, 'NO' AS IS_GRANTABLE";
    if (name == "processlist")
        return "SELECT " + std::to_string(session.who().connection) + " AS ID, " +
               quoted(session.who().user) + " AS USER, " + quoted(session.who().host) +
               " AS HOST, " + quoted(session.database) +
               " AS DB, 'Query' AS COMMAND, 0 AS TIME, 'executing' AS STATE, NULL AS INFO";
    for (const auto& each : empty_relations)
        if (name == each.name)
            return empty(each.columns);
    return std::nullopt;
}

}  // namespace sluice::gateway
