// drivers/sqlite/maintenance.cpp: backup, VACUUM and integrity check of a SQLite file.
#include "drivers/sqlite/maintenance.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <memory>

#include "drivers/sqlite/errors.hpp"
#include "drivers/sqlite/statement_text.hpp"

namespace sluice::sqlite {
namespace {

constexpr int pages_per_step = 256;
constexpr int wait_ms = 30'000;  // for another process to let go

using connection = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;

connection open(const std::string& path, int flags, sql_error& why)
{
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(
        path.c_str(), &raw, flags | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW, nullptr);
    connection made(raw, sqlite3_close);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(raw, wait_ms);
        sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
        // Checkpoints are the gateway's writer's: two at once can corrupt a file (SQLite < 3.51.3).
        sqlite3_exec(raw, "PRAGMA wal_autocheckpoint=0", nullptr, nullptr, nullptr);
        sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        own_statement look(raw, "SELECT count(*) FROM sqlite_schema");
        if (look.step())
            return made;
    }
    why = raw ? error_of(raw, {}) : make_error("53200", "out of memory");
    why.message = "cannot open \"" + path + "\": " + why.message;
    if ((why.extended_code & 0xff) == SQLITE_BUSY || (why.extended_code & 0xff) == SQLITE_LOCKED)
        why.hint = "a process has the file for itself, perhaps a gateway with exclusive = true";
    return connection(nullptr, sqlite3_close);
}

std::int64_t number(sqlite3* db, const char* sql)
{
    own_statement asked(db, sql);
    return asked.step() ? asked.integer(0) : 0;
}

}  // namespace

bool backup(const std::string& path,
            const std::string& to,
            const progress_function& progress,
            sql_error& why)
{
    const auto from = open(path, SQLITE_OPEN_READONLY, why);
    if (!from)
        return false;
    // Made here, so that nothing of anybody's is overwritten.
    const int made = ::open(to.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (made < 0) {
        why = make_error("58P02", "cannot make \"" + to + "\": it exists, or its folder does not");
        return false;
    }
    ::close(made);
    auto target = open(to, SQLITE_OPEN_READWRITE, why);
    // One read transaction: the copy is of one moment, and no write makes it start again.
    bool good =
        target &&
        sqlite3_exec(
            from.get(), "BEGIN; SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr) ==
            SQLITE_OK;
    auto* copy = good ? sqlite3_backup_init(target.get(), "main", from.get(), "main") : nullptr;
    int code = copy ? SQLITE_OK : SQLITE_ERROR;
    while (copy && (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED)) {
        code = sqlite3_backup_step(copy, pages_per_step);
        const int all = sqlite3_backup_pagecount(copy);
        if (progress)
            progress(all - sqlite3_backup_remaining(copy), all);
    }
    if (copy)
        sqlite3_backup_finish(copy);
    good = code == SQLITE_DONE;
    if (!good && target)
        why = error_of(target.get(), {});
    // The copy stands alone: without a log beside it.
    if (good)
        good =
            sqlite3_exec(target.get(), "PRAGMA journal_mode=DELETE", nullptr, nullptr, nullptr) ==
            SQLITE_OK;
    target.reset();
    if (!good)
        ::unlink(to.c_str());
    return good;
}

bool vacuum(const std::string& path, vacuum_result& result, sql_error& why)
{
    const auto db = open(path, SQLITE_OPEN_READWRITE, why);
    if (!db)
        return false;
    constexpr const char* size =
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    result.before = number(db.get(), size);
    if (sqlite3_exec(db.get(), "VACUUM", nullptr, nullptr, nullptr) != SQLITE_OK) {
        why = error_of(db.get(), {});
        if ((why.extended_code & 0xff) == SQLITE_BUSY)
            why.hint = "somebody writes for longer than 30 s; try again when it is quieter";
        return false;
    }
    result.after = number(db.get(), size);
    return true;
}

bool check(const std::string& path, std::vector<std::string>& problems, sql_error& why)
{
    const auto db = open(path, SQLITE_OPEN_READONLY, why);
    if (!db)
        return false;
    own_statement integrity(db.get(), "PRAGMA integrity_check(100)");
    while (integrity.step())
        if (auto line = integrity.text(0); line != "ok")
            problems.push_back(std::move(line));
    own_statement keys(db.get(), "PRAGMA foreign_key_check");
    while (problems.size() < 200 && keys.step())
        problems.push_back("row " + keys.text(1) + " of table " + keys.text(0) +
                           " refers to a row of " + keys.text(2) + " that is not there");
    if (integrity.good() && keys.good())
        return true;
    why = error_of(db.get(), {});
    return false;
}

}  // namespace sluice::sqlite
