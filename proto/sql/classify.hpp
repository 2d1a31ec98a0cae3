// proto/sql/classify.hpp: what pooling has to know about a PostgreSQL client's statements before
// they reach a backend: do they change the session, pin it, or stand alone.
//
// Layer: proto. Pure, one pass over the tokens, no allocation; runs for every simple Query and
// every new Parse. It reads text, not catalogs: what a function or a trigger does inside stays
// unseen (`opaque` says where that is likely). The server's own words come first.
// Lifetime: views point into the classified text, or to constants.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

// By the first word, and where that is not enough by what follows it.
enum class statement_kind : std::uint8_t {
    empty,  // no statement at all
    select,
    insert,
    update,
    delete_,
    merge,
    values,
    table,
    with,      // a statement that begins with WITH, whatever it does in the end
    begin,     // BEGIN, START TRANSACTION
    commit,    // COMMIT, END
    rollback,  // ROLLBACK, ABORT
    rollback_to,
    savepoint,
    release,
    prepare_transaction,
    commit_prepared,
    rollback_prepared,
    set,        // changes the session, or the transaction's share of it
    set_local,  // SET LOCAL, SET TRANSACTION, SET CONSTRAINTS
    reset,
    show,
    prepare,
    execute,
    deallocate,
    discard,
    declare_cursor,
    fetch,  // FETCH, MOVE
    close_cursor,
    copy,
    listen,
    unlisten,
    notify,
    lock,
    load,
    create,
    ddl,  // ALTER, DROP, TRUNCATE, COMMENT, GRANT, REVOKE, REASSIGN, IMPORT, SECURITY, REFRESH
    maintenance,  // VACUUM, ANALYZE, CLUSTER, REINDEX, CHECKPOINT
    call,
    do_,
    explain,
    other,
};

// Why a client has to keep its backend. Bits.
enum class pin_reason : std::uint16_t {
    none = 0,
    temporary_object = 1 << 0,  // CREATE TEMP ..., SELECT INTO TEMP, anything naming pg_temp
    advisory_lock = 1 << 1,     // pg_advisory_lock and its kin, not the _xact_ ones
    listen = 1 << 2,
    hold_cursor = 1 << 3,  // DECLARE ... WITH HOLD
    sql_prepare = 1 << 4,  // PREPARE name AS
    load = 1 << 5,
    session_authorization = 1 << 6,
};

constexpr pin_reason operator|(pin_reason a, pin_reason b) noexcept
{
    return static_cast<pin_reason>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr pin_reason operator&(pin_reason a, pin_reason b) noexcept
{
    return static_cast<pin_reason>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
constexpr pin_reason operator~(pin_reason a) noexcept
{
    return static_cast<pin_reason>(~static_cast<unsigned>(a) & 0x7fu);
}
constexpr pin_reason& operator|=(pin_reason& a, pin_reason b) noexcept
{
    return a = a | b;
}
constexpr bool any(pin_reason a) noexcept
{
    return a != pin_reason::none;
}

// Changes of a session setting that last beyond the transaction (if it commits).
struct setting_change {
    // As written, without quotes; compare without regard to case. SET TIME ZONE, NAMES, SCHEMA,
    // ROLE, XML OPTION and SESSION CHARACTERISTICS give the setting's own name.
    std::string_view name;
    // What was assigned, as written ('UTC', DEFAULT, a list). Empty for RESET, and where it is
    // not a plain constant (set_config, SESSION CHARACTERISTICS, FROM CURRENT).
    std::string_view value;
};

struct statement_traits {
    static constexpr std::size_t settings_max = 6;

    std::uint32_t statements = 0;                 // that are not empty
    statement_kind kind = statement_kind::empty;  // of the first one
    std::uint8_t setting_count = 0;

    bool touches_unknown_setting : 1 = false;  // a name that is not in `settings`: computed, or too
                                               // many of them
    bool resets_all : 1 = false;               // RESET ALL, DISCARD ALL
    bool is_rollback_to : 1 = false;           // some statement is ROLLBACK TO: it may undo SETs
    bool opaque : 1 = false;                   // DO, CALL: may do anything inside
    // One plain SELECT, INSERT, UPDATE, DELETE, VALUES (or WITH of these): opens no transaction,
    // leaves nothing in the session, takes no advisory or explicit row lock, does not sleep.
    bool self_contained : 1 = false;
    // self_contained, and as far as the text shows it only reads (no function that is not known to
    // do no more than that): it may run behind another client's statement, or twice.
    bool only_reads : 1 = false;
    bool unterminated : 1 = false;  // a quote or comment has no end
    // Later statements have names, too: of what they pin only `unpins` is the end, no name.
    bool more_names : 1 = false;

    pin_reason pins = pin_reason::none;
    // Reasons that the text takes away for good, if it ends without an error: UNLISTEN *,
    // pg_advisory_unlock_all(), DEALLOCATE ALL, DISCARD, CLOSE ALL, RESET SESSION AUTHORIZATION.
    // Not: one of possibly several (DEALLOCATE name, UNLISTEN name, CLOSE name,
    // pg_advisory_unlock(1)); those are up to the caller, who sees `kinds` and `name`. A statement
    // that pins after one that unpins clears the bit here, and the other way around clears it in
    // `pins`.
    pin_reason unpins = pin_reason::none;

    std::uint64_t kinds = 0;   // every kind that occurs, see has()
    std::uint64_t digest = 0;  // see digest.hpp

    // Of the first PREPARE, EXECUTE, DEALLOCATE (none: ALL), DECLARE, FETCH, CLOSE, LISTEN,
    // UNLISTEN, NOTIFY, SAVEPOINT, RELEASE or ROLLBACK TO, and which of these it is.
    name_token name;
    statement_kind name_kind = statement_kind::empty;

    std::array<setting_change, settings_max> settings{};

    bool has(statement_kind k) const noexcept { return (kinds >> static_cast<unsigned>(k)) & 1u; }
    bool session_settings_touched() const noexcept
    {
        return setting_count > 0 || touches_unknown_setting || resets_all;
    }
    // Nothing that outlives the transaction in the session, as far as the text shows.
    bool leaves_session_alone() const noexcept
    {
        return !session_settings_touched() && !any(pins) && !any(unpins);
    }
};

static_assert(std::is_trivially_copyable_v<statement_traits>);
static_assert(static_cast<unsigned>(statement_kind::other) < 64);

statement_traits classify_postgres(std::string_view text) noexcept;

// For metrics and SHOW CLIENTS: "temporary object", ...; of one bit.
std::string_view describe(pin_reason one) noexcept;

}  // namespace sluice::sql
