// proto/sql/classify_mysql.hpp: what pooling has to know about a MySQL client's statements before
// they reach a backend: do they change the session, pin it, look back at the last statement, or
// stand alone.
//
// Layer: proto. Pure, one pass over the tokens, no allocation; runs for every COM_QUERY and every
// new COM_STMT_PREPARE. It reads text, not catalogs: what a procedure, a function or a trigger does
// inside stays unseen (`opaque` and `unknown_call` say where that is likely). The server's own
// words, its status flags and session trackers, come first; GET_LOCK and := they do not report at
// all. What stands in executable comments counts as code. Texts in big5, cp932, gbk, gb18030 or
// sjis, whose characters may end in a backslash, cannot be read reliably: do not multiplex them.
// Lifetime: views point into the classified text, or to constants.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "proto/sql/classify.hpp"

namespace sluice::sql {

// By the first word, and where that is not enough by what follows it.
enum class mysql_kind : std::uint8_t {
    empty,  // no statement at all
    select,
    insert,
    replace,
    update,
    delete_,
    values,
    table,
    with,      // a statement that begins with WITH, whatever it does in the end
    begin,     // BEGIN [WORK], START TRANSACTION
    commit,    // COMMIT
    rollback,  // ROLLBACK
    rollback_to,
    savepoint,
    release,
    set,              // also of user variables and globals: see the traits
    set_transaction,  // the next one only
    show,
    show_warnings,  // WARNINGS, ERRORS, COUNT(*) of either
    use,
    call,
    do_,
    prepare,
    execute,  // also IMMEDIATE
    deallocate,
    lock_tables,
    unlock_tables,
    flush,
    handler_open,
    handler_close,
    handler_read,
    load_data,
    create,
    create_temporary_table,
    drop_temporary_table,
    ddl,          // ALTER, DROP, TRUNCATE, RENAME, GRANT, REVOKE, INSTALL, ...
    maintenance,  // ANALYZE, OPTIMIZE, CHECK, CHECKSUM, REPAIR, CACHE, PURGE, ...
    kill,
    xa,
    explain,  // EXPLAIN, DESCRIBE, DESC
    get_diagnostics,
    signal,
    compound,  // BEGIN NOT ATOMIC, IF, CASE, LOOP, ... (MariaDB)
    help,
    other,
};

// Why a client has to keep its backend. Bits.
enum class mysql_pin : std::uint16_t {
    none = 0,
    user_variable = 1 << 0,    // SET @x, @x :=, INTO @x, CALL p(@x), LOAD DATA (@x)
    lock = 1 << 1,             // GET_LOCK()
    table_lock = 1 << 2,       // LOCK TABLES
    temporary_table = 1 << 3,  // CREATE TEMPORARY TABLE
    sql_prepare = 1 << 4,      // PREPARE name FROM
    handler = 1 << 5,          // HANDLER t OPEN
    global_lock = 1 << 6,      // FLUSH TABLES WITH READ LOCK | FOR EXPORT, BACKUP, LOCK INSTANCE
    found_rows = 1 << 7,       // SQL_CALC_FOUND_ROWS: up to the end of the next statement
    xa = 1 << 8,               // XA START .. XA PREPARE | COMMIT | ROLLBACK
    role = 1 << 9,             // SET ROLE
};

constexpr mysql_pin operator|(mysql_pin a, mysql_pin b) noexcept
{
    return static_cast<mysql_pin>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr mysql_pin operator&(mysql_pin a, mysql_pin b) noexcept
{
    return static_cast<mysql_pin>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
constexpr mysql_pin operator~(mysql_pin a) noexcept
{
    return static_cast<mysql_pin>(~static_cast<unsigned>(a) & 0x3ffu);
}
constexpr mysql_pin& operator|=(mysql_pin& a, mysql_pin b) noexcept
{
    return a = a | b;
}
constexpr bool any(mysql_pin a) noexcept
{
    return a != mysql_pin::none;
}

// What a statement asks about the ones before it: only the backend that ran them knows. Bits.
enum class looks_back : std::uint8_t {
    none = 0,
    insert_id = 1 << 0,   // LAST_INSERT_ID(), @@last_insert_id, @@identity: since the last insert
    found_rows = 1 << 1,  // FOUND_ROWS(): the last SELECT
    row_count = 1 << 2,   // ROW_COUNT(): the last statement
    diagnostics =
        1 << 3,         // SHOW WARNINGS | ERRORS, @@warning_count, @@error_count, GET DIAGNOSTICS
    sequence = 1 << 4,  // LASTVAL(), PREVIOUS VALUE FOR (MariaDB)
    profile = 1 << 5,   // SHOW PROFILE
};

constexpr looks_back operator|(looks_back a, looks_back b) noexcept
{
    return static_cast<looks_back>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr looks_back operator&(looks_back a, looks_back b) noexcept
{
    return static_cast<looks_back>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
constexpr bool any(looks_back a) noexcept
{
    return a != looks_back::none;
}

// The sql_mode of the session, as far as it changes how text is read.
struct mysql_mode {
    bool backslash_escapes = true;  // not NO_BACKSLASH_ESCAPES
    bool ansi_quotes = false;
};

struct kill_words {
    std::uint64_t connection = 0;
    bool query = false;        // KILL QUERY: not the connection
    bool by_query_id = false;  // KILL QUERY ID (MariaDB)
    bool constant = false;  // a number was given; else (USER name, @id, an expression) none of this
};

struct mysql_traits {
    static constexpr std::size_t settings_max = 6;

    std::uint32_t statements = 0;         // that are not empty
    mysql_kind kind = mysql_kind::empty;  // of the first one
    std::uint8_t setting_count = 0;
    looks_back looks = looks_back::none;

    bool touches_unknown_setting : 1 = false;  // more of them than fit into `settings`
    bool sets_global : 1 = false;              // SET GLOBAL | PERSIST: not the session's
    bool opaque : 1 = false;                   // CALL, EXECUTE, compound: may do anything inside
    // One plain SELECT, INSERT, REPLACE, UPDATE, DELETE, VALUES, TABLE, WITH: leaves nothing in the
    // session, asks nothing of it, takes no explicit lock, does not wait. (Whether it opens a
    // transaction is a question of autocommit.)
    bool self_contained : 1 = false;
    bool unterminated : 1 = false;    // a quote or comment has no end
    bool local_infile : 1 = false;    // LOAD DATA | XML LOCAL
    bool user_variables : 1 = false;  // some are mentioned
    bool connection_id : 1 = false;   // CONNECTION_ID(), @@pseudo_thread_id
    bool disconnects : 1 = false;     // COMMIT RELEASE, ROLLBACK RELEASE, SHUTDOWN
    bool releases_locks : 1 = false;  // RELEASE_LOCK(): perhaps of the last one
    bool more_names : 1 = false;      // later statements have names, too
    // A function is called that is not known to be the server's own and harmless: it may write, or
    // take locks, and nothing tells.
    bool unknown_call : 1 = false;
    // self_contained, and changes nothing: may be sent again when its reply was lost.
    bool only_reads : 1 = false;

    mysql_pin pins = mysql_pin::none;
    // Reasons that the text takes away for good, if it ends without an error: UNLOCK TABLES,
    // RELEASE_ALL_LOCKS(), XA COMMIT ... As in classify.hpp, the last word wins.
    mysql_pin unpins = mysql_pin::none;

    std::uint64_t kinds = 0;   // every kind that occurs, see has()
    std::uint64_t digest = 0;  // see digest.hpp

    // As written, with quotes if any: of the first USE the schema; of PREPARE, EXECUTE, DEALLOCATE,
    // HANDLER, SAVEPOINT, ROLLBACK TO, RELEASE the name. Which of these: name_kind.
    std::string_view name;
    mysql_kind name_kind = mysql_kind::empty;

    kill_words kill;  // of the first KILL

    // Session variables that are assigned, in order, each once with its last value. Names as
    // written, without scope, @@ and backticks; SET NAMES gives "names", SET CHARACTER SET
    // "character set", SET SESSION TRANSACTION "transaction", SET ROLE "role". Values as written.
    std::array<setting_change, settings_max> settings{};

    bool has(mysql_kind k) const noexcept { return (kinds >> static_cast<unsigned>(k)) & 1u; }
    bool session_settings_touched() const noexcept
    {
        return setting_count > 0 || touches_unknown_setting;
    }
    bool leaves_session_alone() const noexcept
    {
        return !session_settings_touched() && !any(pins) && !any(unpins) && !opaque;
    }
};

static_assert(std::is_trivially_copyable_v<mysql_traits>);
static_assert(static_cast<unsigned>(mysql_kind::other) < 64);

mysql_traits classify_mysql(std::string_view text, mysql_mode mode = {}) noexcept;

// For metrics and SHOW CLIENTS: "user variable", ...; of one bit.
std::string_view describe(mysql_pin one) noexcept;

// The identifier behind a name as written: `a``b` is a`b. Appends to `out`.
void append_mysql_name(std::string& out, std::string_view written);

}  // namespace sluice::sql
