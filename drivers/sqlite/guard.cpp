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
                           sqlite3_stricmp(second, "fts3_tokenizer") == 0))
                return refuse(state, "this function is not allowed");
            if (state.watching && !(second && listed(cheap_functions, second)))
                state.costly = true;
            return SQLITE_OK;
        case SQLITE_READ:
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
    sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite3_set_authorizer(db, authorize, &state);
}

}  // namespace sluice::sqlite
