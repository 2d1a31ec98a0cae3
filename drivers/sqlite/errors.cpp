// drivers/sqlite/errors.cpp: SQLite's result codes and messages as SQLSTATEs with fields.
#include "drivers/sqlite/errors.hpp"

#include <sqlite3.h>

namespace sluice::sqlite {
namespace {

bool starts(std::string_view text, std::string_view with) noexcept
{
    return text.substr(0, with.size()) == with;
}

bool contains(std::string_view text, std::string_view part) noexcept
{
    return text.find(part) != std::string_view::npos;
}

// SQLITE_ERROR is everything that the compiler of SQL complains about.
const char* sqlstate_of_message(std::string_view m) noexcept
{
    if (starts(m, "no such table") || starts(m, "no such view"))
        return "42P01";
    if (starts(m, "no such column") || contains(m, "has no column named"))
        return "42703";
    if (starts(m, "ambiguous column"))
        return "42702";
    if (starts(m, "no such function") || starts(m, "wrong number of arguments to function") ||
        starts(m, "unknown function"))
        return "42883";
    if (starts(m, "misuse of aggregate") || starts(m, "misuse of window"))
        return "42803";
    if (starts(m, "table ") || starts(m, "view ") || starts(m, "index ") ||
        starts(m, "there is already")) {
        if (contains(m, "already exists") || starts(m, "there is already"))
            return "42P07";
        if (contains(m, "columns but") || contains(m, "may not be modified"))
            return contains(m, "columns but") ? "42601" : "42501";
    }
    if (starts(m, "no such index") || starts(m, "no such trigger") ||
        starts(m, "unrecognized configuration") || starts(m, "no such collation") ||
        starts(m, "no such module"))
        return "42704";
    if (starts(m, "no such savepoint"))
        return "3B001";
    if (starts(m, "duplicate column name"))
        return "42701";
    if (contains(m, "cannot start a transaction within"))
        return "25001";
    if (contains(m, "foreign key mismatch"))
        return "42830";
    if (contains(m, "integer overflow"))
        return "22003";
    if (contains(m, "malformed JSON") || contains(m, "JSON path error"))
        return "22P02";
    if (contains(m, "too many") || contains(m, "too large") || contains(m, "too deep") ||
        contains(m, "too big") || contains(m, "too complex"))
        return "54000";
    if (contains(m, "not authorized") || contains(m, "unsafe use of"))
        return "42501";
    return "42601";
}

}  // namespace

sql_error make_error(const char* sqlstate, std::string message, std::string hint)
{
    sql_error error;
    error.sqlstate = sqlstate;
    error.message = std::move(message);
    error.hint = std::move(hint);
    return error;
}

const char* sqlstate_of(int extended_code, std::string_view message) noexcept
{
    switch (extended_code) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
            return "23505";
        case SQLITE_CONSTRAINT_NOTNULL:
            return "23502";
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            return "23503";
        case SQLITE_CONSTRAINT_CHECK:
            return "23514";
        case SQLITE_CONSTRAINT_TRIGGER:
            return "P0001";
        case SQLITE_CONSTRAINT_DATATYPE:
            return "22P02";
        case SQLITE_BUSY_SNAPSHOT:
            return "40001";
        case SQLITE_ERROR_SNAPSHOT:
            return "40001";
        default:
            break;
    }
    switch (extended_code & 0xff) {
        case SQLITE_ERROR:
            return sqlstate_of_message(message);
        case SQLITE_CONSTRAINT:
            return "23000";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "55P03";
        case SQLITE_INTERRUPT:
            return "57014";
        case SQLITE_TOOBIG:
            return "54000";
        case SQLITE_AUTH:
        case SQLITE_PERM:
            return "42501";
        case SQLITE_FULL:
            return "53100";
        case SQLITE_NOMEM:
            return "53200";
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return "XX001";
        case SQLITE_READONLY:
            return "25006";
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            return "58030";
        case SQLITE_MISMATCH:
            return "42804";
        case SQLITE_RANGE:
            return "08P01";
        default:
            return "XX000";
    }
}

void read_constraint(sql_error& error)
{
    // "UNIQUE constraint failed: t.a, t.b", "NOT NULL constraint failed: t.a",
    // "CHECK constraint failed: name or expression", "UNIQUE constraint failed: index 'name'",
    // "cannot store TEXT value in INTEGER column t.a"
    const std::string& m = error.message;
    const std::string_view failed = " constraint failed: ";
    std::string_view where;
    if (const auto at = m.find(failed); at != std::string::npos) {
        where = std::string_view(m).substr(at + failed.size());
        if (starts(m, "CHECK")) {
            error.constraint = where;
            return;
        }
        if (starts(where, "index '") && where.size() > 8) {
            error.constraint = where.substr(7, where.size() - 8);
            return;
        }
    } else if (const auto column = m.rfind(" column ");
               starts(m, "cannot store ") && column != std::string::npos) {
        where = std::string_view(m).substr(column + 8);
    }
    const auto dot = where.find('.');
    if (dot == std::string_view::npos)
        return;
    error.table = where.substr(0, dot);
    const auto comma = where.find(", ");
    if (comma == std::string_view::npos)
        error.column = where.substr(dot + 1);
    if (starts(m, "UNIQUE"))
        error.detail = "the columns " + std::string(where) + " already hold these values";
}

sql_error error_of(sqlite3* db, std::string_view sql)
{
    sql_error error;
    error.extended_code = sqlite3_extended_errcode(db);
    error.message = sqlite3_errmsg(db);
    error.sqlstate = sqlstate_of(error.extended_code, error.message);
    const int offset = sqlite3_error_offset(db);
    if (offset >= 0 && static_cast<std::size_t>(offset) <= sql.size())
        error.position = offset;
    if ((error.extended_code & 0xff) == SQLITE_CONSTRAINT)
        read_constraint(error);
    switch (error.extended_code & 0xff) {
        case SQLITE_BUSY:
            if (error.extended_code == SQLITE_BUSY_SNAPSHOT) {
                error.message = "could not serialize access due to concurrent update";
                error.hint = "roll back and run the transaction again";
            } else {
                error.message = "the database file is locked by another process";
                error.hint = "let only the gateway open the file, or raise busy_timeout";
            }
            break;
        case SQLITE_FULL:
            error.hint = "free space on the file's disk, or raise max_size";
            break;
        case SQLITE_CORRUPT:
            error.hint = "run PRAGMA integrity_check; restore the file from a backup";
            break;
        default:
            break;
    }
    return error;
}

sql_error snapshot_too_old()
{
    return make_error(
        "72000",
        "snapshot too old: the file's log has outgrown its bound while this read kept "
        "it from being copied into the file",
        "read in smaller parts, and end transactions that only read");
}

}  // namespace sluice::sqlite
