// gateway/translate/my_statement.hpp: one statement of a MySQL client, read once: who answers it,
// in which words for SQLite.
//
// Layer: gateway. Never changes after reading; shared by prepared statements and running
// operations.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/sqlite/requests.hpp"
#include "gateway/translate/my_commands.hpp"
#include "gateway/translate/my_rows.hpp"
#include "gateway/translate/my_state.hpp"
#include "proto/sql/classify_mysql.hpp"

namespace sluice::gateway {

enum class my_answer {
    engine,       // SQLite
    transaction,  // the gateway: BEGIN, COMMIT, SAVEPOINT ...
    set,          // the gateway: SET
    use,          // another database
    kill,
    prepare,  // the gateway: PREPARE, EXECUTE, DEALLOCATE
    load,     // the gateway, with INSERTs: LOAD DATA LOCAL
    nothing,  // OK, for there is nothing to do: LOCK TABLES, FLUSH ...
    refusal,  // not offered: `refused`
};

struct my_transaction {
    enum class verb { begin, commit, rollback, savepoint, release, rollback_to };
    verb what = verb::begin;
    bool chain = false;
    bool leave = false;     // COMMIT RELEASE: the connection ends
    bool snapshot = false;  // WITH CONSISTENT SNAPSHOT
    std::optional<bool> read_only;
    std::string name;
};

// One part of SET.
struct my_setting {
    enum class kind { user, system, names, transaction };
    kind what = kind::system;
    std::string name;        // of a variable, in lower case
    std::string expression;  // the value as written
    bool session = false;    // SET SESSION TRANSACTION, not only of the next one
    bool global = false;
    std::optional<sql::isolation_level> isolation;
    std::optional<bool> read_only;
};

struct my_sqlite_statement {
    std::string text;  // as the client wrote it, without the semicolon
    my_answer who = my_answer::engine;
    my_transaction transaction;
    std::vector<my_setting> settings;
    std::string name;  // USE's database
    sql::kill_words kill;
    std::optional<my_command> command;
    my_error refused;

    sql::mysql_statement sqlite;
    std::vector<sqlite::sql_text> sql;
    std::shared_ptr<const my_hints> hints = std::make_shared<my_hints>();
    std::string table;               // SHOW's: error 1146 unless there is one
    bool diagnostics = false;        // SHOW WARNINGS: they stay
    bool definition = false;         // commits what is open
    bool inserts = false;            // has a last insert id
    bool replaces = false;           // REPLACE
    bool updates = false;            // UPDATE
    bool plain_insert = false;       // INSERT ... VALUES: ids are consecutive
    bool opens_transaction = false;  // with autocommit = 0
    bool volatile_text = false;      // holds values of the session
};

using my_sqlite_statement_ptr = std::shared_ptr<const my_sqlite_statement>;

// `text`: one statement without executable comments.
my_sqlite_statement_ptr read_my_statement(std::string_view text, const my_state& session);

// Behind the client's parameters.
void add_lifted(const my_sqlite_statement& statement, std::vector<sqlite::value>& parameters);

// What SQLite says, in MySQL's numbers and words.
my_error my_error_of(const sqlite::sql_error& error,
                     std::string_view statement,
                     const my_state& session);

}  // namespace sluice::gateway
