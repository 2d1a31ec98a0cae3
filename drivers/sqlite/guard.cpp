// drivers/sqlite/guard.cpp: what a remote client's SQL must not do.
#include "drivers/sqlite/guard.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace sluice::sqlite {
namespace {

// Readers of facts; no setting of a handle, which would leak to the handle's next client.
constexpr std::array pragmas_any = {
    "application_id",   "collation_list", "compile_options", "encoding",      "foreign_key_check",
    "foreign_key_list", "foreign_keys",   "freelist_count",  "function_list", "index_info",
    "index_list",       "index_xinfo",    "integrity_check", "page_count",    "page_size",
    "pragma_list",      "quick_check",    "table_info",      "table_list",    "table_xinfo",
    "user_version",     "schema_version", "journal_mode",    "data_version",
};
// Of those, the ones that may be given a value: it is an argument, or belongs to the file.
constexpr std::array pragmas_argument = {
    "application_id",
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
};

// Functions that take no longer than their arguments are long. count() is not one: without WHERE
// it walks the whole table in one step.
constexpr std::array cheap_functions = {
    "abs",
    "avg",
    "char",
    "coalesce",
    "date",
    "datetime",
    "ifnull",
    "iif",
    "instr",
    "julianday",
    "last_insert_rowid",
    "length",
    "lower",
    "ltrim",
    "max",
    "min",
    "nullif",
    "quote",
    "random",
    "round",
    "rtrim",
    "sign",
    "strftime",
    "substr",
    "substring",
    "sum",
    "time",
    "total",
    "trim",
    "typeof",
    "unicode",
    "unixepoch",
    "upper",
    "now",
    "version",
    "current_database",
    "current_schema",
    "current_user",
    "session_user",
    "pg_backend_pid",
};

// What clients may make virtual tables of.
constexpr std::array modules = {"fts3", "fts4", "fts5", "rtree", "rtree_i32"};
// Statements of whoever used the handle before, and where on the disk things lie.
constexpr std::array hidden_tables = {"sqlite_stmt", "dbstat", "sqlite_dbpage", "sqlite_memstat"};

template <class List>
bool listed(const List& list, const char* name) noexcept
{
    return std::any_of(list.begin(), list.end(), [name](const char* entry) {
        return sqlite3_stricmp(entry, name) == 0;
    });
}

int refuse(guard_state& state, const char* why, const char* sqlstate = "42501") noexcept
{
    state.refusal = why;
    state.sqlstate = sqlstate;
    return SQLITE_DENY;
}

bool is_catalog(const char* schema) noexcept
{
    return schema && (sqlite3_stricmp(schema, "pg_catalog") == 0 ||
                      sqlite3_stricmp(schema, "information_schema") == 0);
}

int authorize(void* data,
              int action,
              const char* first,
              const char* second,
              const char* schema,
              const char*) noexcept
{
    auto& state = *static_cast<guard_state*>(data);
    if (state.ours)
        return SQLITE_OK;
    const bool reads = action == SQLITE_READ || action == SQLITE_SELECT ||
                       action == SQLITE_FUNCTION || action == SQLITE_PRAGMA ||
                       action == SQLITE_RECURSIVE;
    if (!reads && is_catalog(action == SQLITE_ALTER_TABLE ? first : schema))
        return refuse(state, "pg_catalog and information_schema can only be read");
    if (action == SQLITE_CREATE_TABLE && schema && sqlite3_stricmp(schema, "temp") == 0)
        action = SQLITE_CREATE_TEMP_TABLE;
    switch (action) {
        case SQLITE_ATTACH:
            return refuse(state,
                          "ATTACH and VACUUM are not allowed: a client sees only its database");
        case SQLITE_DETACH:
            return refuse(state, "DETACH is not allowed");
        case SQLITE_TRANSACTION:
        case SQLITE_SAVEPOINT:
            return refuse(state, "transaction control cannot be run as a statement", "0A000");
        case SQLITE_CREATE_TEMP_TABLE:
        case SQLITE_CREATE_TEMP_VIEW:
        case SQLITE_CREATE_TEMP_INDEX:
        case SQLITE_CREATE_TEMP_TRIGGER:
            return refuse(
                state, "temporary objects are not allowed: handles are shared by clients", "0A000");
        case SQLITE_FUNCTION:
            if (second && (sqlite3_stricmp(second, "load_extension") == 0 ||
                           sqlite3_stricmp(second, "fts3_tokenizer") == 0 ||
                           sqlite3_stricmp(second, "sqlite_log") == 0))
                return refuse(state, "this function is not allowed");
            if (state.watching && !(second && listed(cheap_functions, second)))
                state.costly = true;
            return SQLITE_OK;
        case SQLITE_CREATE_VTABLE:
            if (!second || !listed(modules, second))
                return refuse(state, "virtual tables of this module are not allowed");
            return SQLITE_OK;
        case SQLITE_READ:
            if (first && listed(hidden_tables, first))
                return refuse(state, "this table shows other clients' statements, or raw pages");
            if (state.watching && first && !state.tables.contains(std::string_view(first)))
                state.tables.emplace(first);
            return SQLITE_OK;
        case SQLITE_PRAGMA:
            state.costly = true;
            if (!first || !listed(pragmas_any, first))
                return refuse(state, "this PRAGMA is not allowed");
            if (second && !listed(pragmas_argument, first))
                return refuse(state, "this PRAGMA may be read but not set");
            return SQLITE_OK;
        default:
            return SQLITE_OK;
    }
}

}  // namespace

void guard(sqlite3* db, guard_state& state, const options& limits)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
    // "name" is a column, as in PostgreSQL, never a string because no column has that name.
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, limits.value_bytes_max);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, limits.sql_bytes_max);
    sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, 65535);
    sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 100);
    // Room for any ORM; not for statements made to exhaust the parser or one function call, which
    // no progress handler interrupts.
    sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 2000);
    sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 500);
    sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 250);
    sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, 10'000'000);
    sqlite3_limit(db, SQLITE_LIMIT_FUNCTION_ARG, 100);
    sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 5000);
    sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite3_set_authorizer(db, authorize, &state);
}

}  // namespace sluice::sqlite
