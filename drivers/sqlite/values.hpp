// drivers/sqlite/values.hpp: what goes into a statement and what comes out of it: values, columns,
// rows, errors.
//
// Layer: drivers. A row_view and everything that it returns lives only inside the row_sink call
// that got it, on the worker thread that called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

struct sqlite3_stmt;

namespace sluice::sqlite {

using blob_value = std::vector<std::byte>;
// NULL, integer, real, text, blob: SQLite's five storage classes, in SQLite's own order.
using value = std::variant<std::monostate, std::int64_t, double, std::string, blob_value>;

enum class value_type { null, integer, real, text, blob };

// What SQLite would convert a value to when it is stored or compared (sqlite.org/datatype3.html).
enum class affinity { none, text, numeric, integer, real };

// Which of its session's limits (session_limits) an operation or transaction was ended by.
enum class ended_by : std::uint8_t { none, run, idle };

struct sql_error {
    std::string sqlstate;  // five characters
    std::string message;
    std::string detail;  // may be empty, as all below
    std::string hint;
    int position = -1;      // byte offset into the SQL that was given
    int extended_code = 0;  // SQLite's extended result code; 0: the error is ours
    ended_by limit = ended_by::none;
    std::string table;
    std::string column;
    std::string constraint;
    std::string key;  // of a duplicate: the key as MySQL names it
};

struct column_info {
    std::string name;
    std::string declared_type;  // as written in CREATE TABLE; empty for an expression
    std::string table;          // where a direct column comes from; empty for an expression
    std::string column;
    bool is_rowid = false;  // an alias of the table's rowid: never NULL, always an integer
    bool not_null = false;
};

struct statement_info {
    std::vector<column_info> columns;  // empty: the statement returns no rows
    // Parameters are counted as the client counts them: `$7` and `?7` are the seventh, a bare `?`
    // the next, any other name takes its place in order of appearance.
    int parameters = 0;
    // What the engine will do with each parameter (from its bytecode); none: no opinion.
    std::vector<affinity> parameter_affinity;
    bool read_only = true;  // changes nothing in the file
    bool returns_rows() const noexcept { return !columns.empty(); }
};

class row_view {
public:
    explicit row_view(sqlite3_stmt* statement, const statement_info& info) noexcept
        : statement_(statement), info_(info)
    {
    }

    int count() const noexcept { return static_cast<int>(info_.columns.size()); }
    const column_info& column(int i) const noexcept
    {
        return info_.columns[static_cast<std::size_t>(i)];
    }

    value_type type(int i) const noexcept;
    std::int64_t integer(int i) const noexcept;
    double real(int i) const noexcept;
    // Text as stored (UTF-8, unless an application stored other bytes). For a number: converted.
    std::string_view text(int i) const noexcept;
    std::span<const std::byte> blob(int i) const noexcept;

    // The row's rowid in column i's table, where the result has a column that aliases it.
    std::optional<std::int64_t> rowid(int i) const noexcept;

private:
    sqlite3_stmt* statement_;
    const statement_info& info_;
};

// What takes rows: the client protocol's encoder. Called on a worker thread, by one at a time, and
// never after the operation's completion was delivered. It must not block and not call the session.
class row_sink {
public:
    enum class verdict {
        go_on,
        pause,  // too much waits to be sent: this row is taken, the statement is put aside
        stop,   // failure() says why; the statement is undone
    };

    virtual ~row_sink() = default;
    // Before the first row of every execute() that returns rows, not again on resume().
    virtual void on_columns(const statement_info&) {}
    virtual verdict on_row(const row_view& row) = 0;
    virtual sql_error failure() { return {}; }

    // Statements that may have to run again (inside an event loop, in a group of writes) are only
    // those whose sink can forget. While held, it keeps what it gets and answers `pause` when that
    // is too much; rewind() takes it back to where hold(true) found it.
    virtual bool can_rewind() const noexcept { return false; }
    virtual void hold(bool) {}
    virtual void rewind() {}
};

}  // namespace sluice::sqlite
