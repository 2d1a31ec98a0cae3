// gateway/translate/statement.hpp: one statement of a PostgreSQL client, read once: who answers it,
// with which command tag, in which words for SQLite.
//
// Layer: gateway. Never changes after reading (and describing); shared by prepared statements,
// portals and running operations. Lifetime: views inside point into `text`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/sqlite/requests.hpp"
#include "gateway/translate/cursor_words.hpp"
#include "gateway/translate/row_encoder.hpp"
#include "proto/pg/oids.hpp"
#include "proto/sql/settings_words.hpp"
#include "proto/sql/to_sqlite.hpp"
#include "proto/sql/transaction_words.hpp"

namespace sluice::gateway {

enum class answered_by {
    nobody,       // no statement at all
    engine,       // SQLite
    transaction,  // the gateway: BEGIN, COMMIT, ...
    settings,     // the gateway: SET, SHOW, RESET
    session,      // the gateway: DISCARD, DEALLOCATE, UNLISTEN
    prepare,      // the gateway: PREPARE
    execute,      // ... EXECUTE
    cursor,       // ... DECLARE, FETCH, MOVE, CLOSE
    copy,         // the gateway, with statements of its own on SQLite
    refusal,      // not offered: `refused_because`
};

struct copy_command {
    bool from_client = false;
    std::string sql;                   // SELECT ... or INSERT INTO ... (without VALUES)
    std::string table;                 // as written, for FROM
    std::vector<std::string> columns;  // as written
    row_shape shape = row_shape::copy_text;
    copy_style style;
};

// What counts in a command tag.
enum class tag_count { none, rows, changes };

struct client_statement {
    std::string text;        // as the client wrote it, without the semicolon
    std::size_t offset = 0;  // in the message's text
    answered_by who = answered_by::nobody;
    sql::transaction_words transaction;
    sql::settings_words settings;
    copy_command copy;
    prepare_words prepare;
    cursor_words cursor;
    std::string refused_because;
    std::string refused_sqlstate = "0A000";

    std::string tag;  // "SELECT", "INSERT 0", "CREATE TABLE"
    tag_count counts = tag_count::none;
    bool reads_only = false;  // by its first word: needs no transaction to be undone

    sql::sqlite_statement sqlite;
    sqlite::sql_text sql;
    column_hints hints;
    bool hex_literals = false;  // '\x00ff' is in the text: bytes, where a BYTEA column is meant

    std::uint64_t digest = 0;  // see proto/sql/normalize.hpp

    bool allowed_when_failed() const noexcept;  // COMMIT, ROLLBACK [TO]
};

using statement_ptr = std::shared_ptr<const client_statement>;

// `text`: one statement (sql::next_statement) found at `offset` of its message.
statement_ptr read_statement(std::string_view text, std::size_t offset);

// The same, with literals '\x..' at these offsets of sqlite.text written as bytes. Nothing moves.
statement_ptr with_bytes(const client_statement& statement, const std::vector<std::size_t>& at);

// "Syntax error at or near ..." in COPY's words: refusal; not COPY at all: nullopt.
std::optional<copy_command> read_copy(std::string_view text, std::string& problem);

}  // namespace sluice::gateway
