// gateway/translate/my_show_create.cpp: a table's definition in MySQL's words, line by line.
#include "gateway/translate/my_show_create.hpp"

#include "gateway/translate/my_catalog.hpp"

namespace sluice::gateway {
namespace {

// `name` in backticks, as an SQL expression.
std::string ticked(const std::string& column)
{
    return "'`' || replace(" + column + ", '`', '``') || '`'";
}

// One line per column, key and foreign key, in MySQL's order.
std::string lines(const std::string& table)
{
    const std::string columns =
        "SELECT 1 AS part, pos AS place, '  ' || " + ticked("name") +
        " || ' ' || sluice_mysql_type(declared, 'full') || "
        // SQLite keeps a generated column's expression in the text of CREATE TABLE only.
        "iif(\"notnull\", ' NOT NULL', '') || "
        "CASE WHEN is_rowid THEN ' AUTO_INCREMENT' "
        "WHEN dflt IS NULL OR dflt = 'NULL' THEN iif(\"notnull\" OR "
        "sluice_mysql_type(declared, 'name') IN ('text', 'tinytext', 'mediumtext', 'longtext', "
        "'blob', 'tinyblob', 'mediumblob', 'longblob', 'json'), '', ' DEFAULT NULL') "
        "WHEN dflt LIKE '''%' OR dflt GLOB '[0-9+-]*' OR upper(dflt) LIKE 'CURRENT_%' OR "
        "upper(dflt) IN ('TRUE', 'FALSE') THEN ' DEFAULT ' || CASE upper(dflt) WHEN "
        "'CURRENT_TIMESTAMP' THEN 'current_timestamp()' WHEN 'TRUE' THEN '1' WHEN 'FALSE' THEN '0' "
        "ELSE replace(dflt, '\\', '\\\\') END "
        "ELSE ' DEFAULT (' || dflt || ')' END AS line FROM (" +
        columns_query(table) + ")";
    const std::string keys =
        "SELECT 2, min(rank), CASE WHEN max(is_primary) THEN '  PRIMARY KEY (' WHEN max(is_unique) "
        "THEN '  UNIQUE KEY ' || " +
        ticked("name") + " || ' (' ELSE '  KEY ' || " + ticked("name") +
        " || ' (' END || group_concat(" + ticked("coalesce(col, '')") +
        " || iif(is_desc, ' DESC', ''), ',') || ')' FROM (SELECT *, (NOT is_primary) * 2 + NOT "
        "is_unique AS rank FROM (" +
        indexes_query(table) +
        ") ORDER BY name, seq) GROUP BY name, is_primary HAVING count(col) = count(*)";
    const std::string foreign =
        "SELECT 3, -min(id), '  CONSTRAINT ' || " + ticked("name") +
        " || ' FOREIGN KEY (' || group_concat(" + ticked("col") + ", ', ') || ') REFERENCES ' || " +
        ticked("min(parent)") + " || ' (' || group_concat(" + ticked("parent_col") +
        ", ', ') || ')' || iif(min(on_delete) IN ('NO ACTION', 'RESTRICT'), '', ' ON DELETE ' || "
        "min(on_delete)) || iif(min(on_update) IN ('NO ACTION', 'RESTRICT'), '', ' ON UPDATE ' || "
        "min(on_update)) FROM (SELECT * FROM (" +
        foreign_keys_query(table) + ") ORDER BY id, seq) GROUP BY name";
    return columns + " UNION ALL " + keys + " UNION ALL " + foreign + " ORDER BY 1, 2";
}

}  // namespace

std::string show_create_table(const std::string& table, bool view, const my_state& session)
{
    const auto name = "lower(name) = lower(" + quoted(table) + ")";
    const auto definition = "'CREATE ALGORITHM=UNDEFINED DEFINER=`" + session.who().user +
                            "`@`%` SQL SECURITY INVOKER VIEW ' || " + ticked("name") +
                            " || ' AS ' || sluice_view_body(sql)";
    if (view)
        return "SELECT name AS \"View\", " + definition +
               " AS \"Create View\", 'utf8mb4' AS character_set_client, 'utf8mb4_general_ci' AS "
               "collation_connection FROM sqlite_schema WHERE type = 'view' AND " +
               name;
    return "SELECT name AS \"Table\", CASE type WHEN 'view' THEN " + definition +
           " ELSE 'CREATE TABLE ' || " + ticked("name") +
           " || ' (' || char(10) || (SELECT group_concat(line, ',' || char(10)) FROM (" +
           lines(table) +
           ")) || char(10) || ') ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 "
           "COLLATE=utf8mb4_general_ci' END AS \"Create Table\" FROM sqlite_schema WHERE type IN "
           "('table', 'view') AND " +
           name;
}

}  // namespace sluice::gateway
