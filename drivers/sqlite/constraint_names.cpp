// drivers/sqlite/constraint_names.cpp: finding the clause of CREATE TABLE that a key comes from.
#include "drivers/sqlite/constraint_names.hpp"

#include <sqlite3.h>

#include <string>
#include <string_view>
#include <vector>

#include "proto/sql/sqlite_schema.hpp"

namespace sluice::sqlite {
namespace {

constexpr char between = '\x1f';

std::string_view text_of(sqlite3_value* value) noexcept
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return {text ? text : "", static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

std::string_view text_of(sqlite3_stmt* row, int column) noexcept
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
    return {text ? text : "", static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
}

std::vector<std::string> parts(std::string_view list)
{
    std::vector<std::string> out;
    for (std::size_t at = 0; at <= list.size();) {
        const auto end = std::min(list.find(between, at), list.size());
        out.emplace_back(list.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

bool same(const std::vector<std::string>& one, const std::vector<std::string>& other) noexcept
{
    if (one.size() != other.size())
        return false;
    for (std::size_t i = 0; i < one.size(); ++i)
        if (sqlite3_stricmp(one[i].c_str(), other[i].c_str()) != 0)
            return false;
    return true;
}

// Empty: none was given.
std::string name_of(const sql::table_definition& table,
                    sql::clause_kind kind,
                    const std::vector<std::string>& columns)
{
    for (const auto& clause : table.clauses) {
        // A column's own PRIMARY KEY names no columns.
        const bool fits = kind == sql::clause_kind::primary_key || same(clause.columns, columns);
        if (clause.kind == kind && fits && !clause.name.empty())
            return clause.name;
    }
    return {};
}

const sql::table_clause* nth(const sql::table_definition& table,
                             sql::clause_kind kind,
                             std::int64_t number) noexcept
{
    for (const auto& clause : table.clauses)
        if (clause.kind == kind && --number == 0)
            return &clause;
    return nullptr;
}

void answer(sqlite3_context* call, std::string_view text)
{
    sqlite3_result_text64(call, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void constraint_name(sqlite3_context* call, int, sqlite3_value** given)
{
    const auto table = sql::read_table_definition(text_of(given[0]));
    const auto kind = text_of(given[1]);
    if (kind == "u") {
        const auto name = name_of(table, sql::clause_kind::unique, parts(text_of(given[2])));
        if (!name.empty())
            answer(call, name);
        return;
    }
    const auto what = kind == "f" ? sql::clause_kind::foreign_key : sql::clause_kind::check;
    const auto* clause = nth(table, what, sqlite3_value_int64(given[2]));
    if (clause && !clause->name.empty())
        answer(call, clause->name);
}

void check_clause(sqlite3_context* call, int, sqlite3_value** given)
{
    const auto table = sql::read_table_definition(text_of(given[0]));
    const auto* clause = nth(table, sql::clause_kind::check, sqlite3_value_int64(given[1]));
    if (clause)
        answer(call, clause->expression);
}

// "t.a, t.b", as SQLite's message has them.
std::string as_told(const std::string& table, const std::vector<std::string>& columns)
{
    std::string out;
    for (const auto& each : columns)
        out += (out.empty() ? "" : ", ") + table + '.' + each;
    return out;
}

struct unique_key {
    std::string index;
    std::string origin;
    std::vector<std::string> columns;
    std::string create_table;
};

void name_by(const unique_key& key, sql_error& error)
{
    const auto& table = error.table;
    if (key.origin == "c") {
        error.constraint = error.key = key.index;
        if (key.index.starts_with(table + '.'))
            error.key = key.index.substr(table.size() + 1);
        return;
    }
    const bool primary = key.origin == "pk";
    const auto kind = primary ? sql::clause_kind::primary_key : sql::clause_kind::unique;
    // As PostgreSQL names what nobody named (catalog_keys.cpp).
    error.constraint = name_of(sql::read_table_definition(key.create_table), kind, key.columns);
    error.key = primary ? "PRIMARY" : error.constraint;
    if (error.key.empty())
        error.key = key.columns.front();
    if (!error.constraint.empty())
        return;
    error.constraint = table;
    if (!primary)
        for (const auto& column : key.columns)
            error.constraint += '_' + column;
    error.constraint += primary ? "_pkey" : "_key";
}

}  // namespace

void name_duplicate(sqlite3* db, sqlite3_stmt*& ask, sql_error& error)
{
    constexpr std::string_view told = "UNIQUE constraint failed: ";
    constexpr auto sql =
        "SELECT l.name, l.origin, (SELECT group_concat(name, char(31)) FROM (SELECT name FROM "
        "pragma_index_info(l.name) ORDER BY seqno)), s.sql FROM sqlite_schema s LEFT JOIN "
        "pragma_index_list(s.name) l ON l.\"unique\" WHERE s.type = 'table' AND s.name = ?1";
    if (error.table.empty() || !error.message.starts_with(told))
        return;
    if (!ask &&
        sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &ask, nullptr) != SQLITE_OK)
        return;
    const auto which = std::string_view(error.message).substr(told.size());
    sqlite3_bind_text64(ask, 1, error.table.data(), error.table.size(), SQLITE_STATIC, SQLITE_UTF8);
    // A rowid that is the primary key has no index of its own.
    unique_key found{{}, "pk", {}, {}};
    bool known = false;
    while (!known && sqlite3_step(ask) == SQLITE_ROW) {
        found.create_table = text_of(ask, 3);
        const auto columns = parts(text_of(ask, 2));
        known =
            sqlite3_column_type(ask, 0) != SQLITE_NULL && as_told(error.table, columns) == which;
        if (known)
            found = {std::string(text_of(ask, 0)),
                     std::string(text_of(ask, 1)),
                     columns,
                     std::move(found.create_table)};
    }
    sqlite3_reset(ask);
    sqlite3_clear_bindings(ask);
    if (known || error.extended_code == SQLITE_CONSTRAINT_PRIMARYKEY)
        name_by(found, error);
}

void add_constraint_functions(sqlite3* db)
{
    constexpr int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC;
    sqlite3_create_function_v2(db,
                               "sluice_constraint_name",
                               3,
                               flags,
                               nullptr,
                               constraint_name,
                               nullptr,
                               nullptr,
                               nullptr);
    sqlite3_create_function_v2(
        db, "sluice_check_clause", 2, flags, nullptr, check_clause, nullptr, nullptr, nullptr);
}

}  // namespace sluice::sqlite
