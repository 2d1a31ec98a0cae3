// proto/sql/transaction_words.hpp: BEGIN, COMMIT, SAVEPOINT and their kin, with all their options.
//
// Layer: proto. For engines whose transactions the gateway keeps itself. PostgreSQL's grammar, and
// SQLite's BEGIN DEFERRED | IMMEDIATE | EXCLUSIVE. Lifetime: views into the statement.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

enum class transaction_verb : std::uint8_t {
    none,   // another statement
    begin,  // BEGIN, START TRANSACTION
    commit,
    rollback,
    savepoint,
    release,
    rollback_to,
    set_transaction,              // this transaction: SET [SESSION | LOCAL] TRANSACTION
    set_session_characteristics,  // the transactions to come
    prepare_transaction,
    commit_prepared,
    rollback_prepared,
};

enum class isolation_level : std::uint8_t {
    read_uncommitted,
    read_committed,
    repeatable_read,
    serializable,
};

enum class begin_lock : std::uint8_t { deferred, immediate, exclusive };

struct transaction_words {
    transaction_verb verb = transaction_verb::none;
    std::optional<isolation_level> isolation;
    std::optional<bool> read_only;
    std::optional<bool> deferrable;
    std::optional<begin_lock> lock;  // SQLite's
    bool chain = false;              // AND CHAIN
    bool start = false;              // START TRANSACTION: the command tag is another one
    name_token name;                 // of a savepoint
    // Set when the statement begins like one of these but goes on wrong: PostgreSQL's "syntax error
    // at or near". At the statement's end the text is empty.
    std::optional<token> error;
};

// One statement; a semicolon at its end does not matter.
transaction_words parse_transaction(std::string_view statement) noexcept;

// "read committed", as SHOW transaction_isolation prints it.
std::string_view to_text(isolation_level level) noexcept;
std::optional<isolation_level> isolation_from_text(std::string_view text) noexcept;

}  // namespace sluice::sql
