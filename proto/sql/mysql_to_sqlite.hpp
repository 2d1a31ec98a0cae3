// proto/sql/mysql_to_sqlite.hpp: a MySQL client's statement in words that SQLite's parser takes.
//
// Layer: proto. Surface only, as to_sqlite.hpp: what is not listed passes unchanged, so that
// SQLite's own dialect passes, too.
//
//   'a\'b' "a" N'a' _utf8mb4'a' 'a' 'b'   '...' (x'..' where the bytes are no text)
//   _binary'..' 0x4d B'101'               x'..', x'4d', 5
//   ?                                     ?1, ?2, ...
//   @@name, @name, DATABASE(), USER() ... the session's value as a literal (see `session_values`)
//   database.table                        table
//   information_schema.TABLES             (SELECT ...) AS TABLES
//   && || ! <=> DIV MOD RLIKE             AND OR NOT IS / % REGEXP
//   NOW() CURDATE() LEFT(..) IF(..)       CURRENT_TIMESTAMP, CURRENT_DATE, "left"(..), iif(..)
//   CAST(x AS SIGNED), CONVERT(x, CHAR)   CAST(x AS INTEGER), CAST(x AS TEXT)
//   x + INTERVAL 1 DAY, DATE_ADD(..)      date_add(x, 1, 'day')
//   LIKE 'a\%'                            LIKE 'a\%' ESCAPE '\'
//   INSERT IGNORE, INSERT t SET a = 1     INSERT OR IGNORE INTO, INSERT INTO t (a) VALUES (1)
//   ON DUPLICATE KEY UPDATE a=VALUES(a)   ON CONFLICT DO UPDATE SET a=excluded.a
//   FOR UPDATE, SQL_NO_CACHE, USE INDEX   dropped
//   CREATE TABLE                          AUTO_INCREMENT keys, types, ENGINE= and its kin; KEYs
//   become
//                                         CREATE INDEX; ALTER TABLE's parts one statement each
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/sql/lexer.hpp"
#include "proto/sql/to_sqlite.hpp"

namespace sluice::sql {

// What a statement can ask about its session, in SQLite's words.
class mysql_session {
public:
    virtual ~mysql_session() = default;
    // `text` as written: "@@session.sql_mode", "@a". nullopt: there is no such variable.
    virtual std::optional<std::string> variable(std::string_view text) const = 0;
    // DATABASE, VERSION, ROW_COUNT ..., in lower case; nullopt: no function of the session.
    virtual std::optional<std::string> function(std::string_view name) const = 0;
    // A table of information_schema, in lower case, as a SELECT.
    virtual std::optional<std::string> relation(std::string_view name) const = 0;

    std::string database;  // the name under which the client sees SQLite's "main"
    bool ansi_quotes = false;
    bool no_backslash_escapes = false;
    bool pipes_as_concat = false;
};

struct mysql_statement {
    std::vector<sqlite_statement> statements;  // one after another; usually one; maybe none
    // Holds values of the session: to be written anew for each execution.
    bool session_values = false;
    bool updates_duplicates = false;  // INSERT ... ON DUPLICATE KEY UPDATE
    // Not empty: it cannot be said to SQLite. errno 1193 if it is about a variable, 1235 otherwise.
    std::string problem;
    bool unknown_variable = false;
    std::vector<std::string> notes;  // what was left out: warnings
    // Names of the result's columns by the outermost select list; empty: SQLite's own are right.
    std::vector<std::string> names;
    std::vector<bool> never_null;  // of these columns, by the look of them
    // Long literals, which SQLite's limit on a text's length should not count: bound as parameters
    // behind the client's own.
    struct lifted {
        std::string bytes;
        bool blob = false;
    };
    std::vector<lifted> lifted;
};

mysql_statement mysql_to_sqlite(std::string_view statement, const mysql_session& session);

// The lexer for this session's sql_mode.
lexer mysql_lexer(std::string_view text, const mysql_session& session) noexcept;

// A text whose executable comments are no comments any more: their marks are blanks, and so are the
// ones that are not executed. Every offset stays.
std::string without_executable_comments(std::string text, const mysql_session& session);

}  // namespace sluice::sql
