// drivers/sqlite/describe.cpp: what a statement's columns and parameters are; rows and bindings.
#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>

#include "drivers/sqlite/errors.hpp"
#include "drivers/sqlite/handle.hpp"

namespace sluice::sqlite {
namespace {

std::string text_or_empty(const char* text)
{
    return text ? text : "";
}

column_info read_column(sqlite3* db, sqlite3_stmt* raw, int i)
{
    column_info column;
    column.name = text_or_empty(sqlite3_column_name(raw, i));
    column.declared_type = text_or_empty(sqlite3_column_decltype(raw, i));
    column.table = text_or_empty(sqlite3_column_table_name(raw, i));
    column.column = text_or_empty(sqlite3_column_origin_name(raw, i));
    if (column.table.empty())
        return column;
    const char* type = nullptr;
    int not_null = 0;
    int primary = 0;
    const char* schema = sqlite3_column_database_name(raw, i);
    if (sqlite3_table_column_metadata(db,
                                      schema,
                                      column.table.c_str(),
                                      column.column.c_str(),
                                      &type,
                                      nullptr,
                                      &not_null,
                                      &primary,
                                      nullptr) != SQLITE_OK)
        return column;
    column.not_null = not_null != 0;
    // Only the exact type INTEGER makes a primary key an alias (sqlite.org/lang_createtable.html).
    column.is_rowid = primary && type && sqlite3_stricmp(type, "INTEGER") == 0;
    if (column.is_rowid) {
        // ... and only if it is the whole key of a table that has rowids.
        int whole = 0;
        column.is_rowid = sqlite3_table_column_metadata(db,
                                                        schema,
                                                        column.table.c_str(),
                                                        "rowid",
                                                        nullptr,
                                                        nullptr,
                                                        nullptr,
                                                        &whole,
                                                        nullptr) == SQLITE_OK &&
                          whole;
    }
    return column;
}

int parameter_number(const char* name, int next) noexcept
{
    if (!name || (*name != '$' && *name != '?'))
        return next;
    int number = 0;
    const char* end = name + std::strlen(name);
    const auto [at, ec] = std::from_chars(name + 1, end, number);
    return ec == std::errc{} && at == end && number > 0 && number <= 65535 ? number : next;
}

affinity affinity_of(char code) noexcept
{
    switch (code) {
        case 'B':
            return affinity::text;
        case 'C':
            return affinity::numeric;
        case 'D':
            return affinity::integer;
        case 'E':
            return affinity::real;
        default:
            return affinity::none;
    }
}

// One EXPLAIN row: opcode, p1, p2, p3, p4, p5 are columns 1 to 6.
struct operation {
    std::string_view code;
    int p1, p2, p3;
    std::string_view p4;
    int p5;
};

std::string_view text_column(sqlite3_stmt* raw, int i) noexcept
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, i));
    return text ? std::string_view(text) : std::string_view();
}

operation read_operation(sqlite3_stmt* raw) noexcept
{
    return {text_column(raw, 1),
            sqlite3_column_int(raw, 2),
            sqlite3_column_int(raw, 3),
            sqlite3_column_int(raw, 4),
            text_column(raw, 5),
            sqlite3_column_int(raw, 6)};
}

// Follows parameters from `Variable` through copies to the operations that give them a type.
// Opcode facts: sqlite.org/opcode.html; checked by a test against the linked library.
class affinity_reader {
public:
    explicit affinity_reader(std::vector<affinity>& into, const std::vector<int>& numbers) noexcept
        : into_(into), numbers_(numbers)
    {
    }

    void look(const operation& op)
    {
        if (op.code == "Variable")
            from_[op.p2] = numbers_[static_cast<std::size_t>(op.p1 - 1)];
        else if (op.code == "Copy" || op.code == "SCopy" || op.code == "Move")
            copy(op.p1, op.p2);
        else if (op.code == "MustBeInt")
            learn(op.p1, affinity::integer);
        else if (op.code == "SeekRowid" || op.code == "NotExists")
            learn(op.p3, affinity::integer);
        else if (op.code == "Affinity" || op.code == "MakeRecord")
            each(op.p1, op.p2, op.p4);
        else if (op.code == "Eq" || op.code == "Ne" || op.code == "Lt" || op.code == "Le" ||
                 op.code == "Gt" || op.code == "Ge")
            compare(op);
    }

private:
    void copy(int source, int target)
    {
        if (const auto found = from_.find(source); found != from_.end())
            from_[target] = found->second;
    }
    void learn(int reg, affinity kind)
    {
        const auto found = from_.find(reg);
        if (found == from_.end() || kind == affinity::none)
            return;
        auto& known = into_[static_cast<std::size_t>(found->second - 1)];
        // The weaker word is the safer one when two places disagree.
        if (known == affinity::none)
            known = kind;
        else if (known != kind)
            known = affinity::numeric;
    }
    void each(int first, int count, std::string_view codes)
    {
        for (int i = 0; i < count && static_cast<std::size_t>(i) < codes.size(); ++i)
            learn(first + i, affinity_of(codes[static_cast<std::size_t>(i)]));
    }
    void compare(const operation& op)
    {
        // The low bits of P5 are the affinity's character: 0x42 text to 0x45 real.
        const auto kind = affinity_of(static_cast<char>(op.p5 & 0x47));
        learn(op.p1, kind);
        learn(op.p3, kind);
    }

    std::vector<affinity>& into_;
    const std::vector<int>& numbers_;
    std::map<int, int> from_;  // register -> parameter number
};

int bind_one(sqlite3_stmt* raw, int index, const value& v) noexcept
{
    switch (v.index()) {
        case 1:
            return sqlite3_bind_int64(raw, index, *std::get_if<1>(&v));
        case 2:
            return sqlite3_bind_double(raw, index, *std::get_if<2>(&v));
        case 3: {
            const auto& text = *std::get_if<3>(&v);
            return sqlite3_bind_text64(
                raw, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
        }
        case 4: {
            const auto& bytes = *std::get_if<4>(&v);
            if (bytes.empty())
                return sqlite3_bind_zeroblob(raw, index, 0);
            return sqlite3_bind_blob64(raw, index, bytes.data(), bytes.size(), SQLITE_STATIC);
        }
        default:
            return sqlite3_bind_null(raw, index);
    }
}

}  // namespace

void read_info(sqlite3* db, prepared& statement)
{
    auto info = std::make_shared<statement_info>();
    auto* raw = statement.raw;
    const int columns = sqlite3_column_count(raw);
    info->columns.reserve(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i)
        info->columns.push_back(read_column(db, raw, i));
    info->read_only = sqlite3_stmt_readonly(raw) != 0;

    statement.numbers.clear();
    const int places = sqlite3_bind_parameter_count(raw);
    for (int i = 1; i <= places; ++i) {
        const int number = parameter_number(sqlite3_bind_parameter_name(raw, i), i);
        // `?7` leaves six unnamed places before it that nobody asks for.
        statement.numbers.push_back(number);
        info->parameters = std::max(info->parameters, number);
    }
    if (statement.explained && statement.info)
        info->parameter_affinity = statement.info->parameter_affinity;
    statement.info = std::move(info);
    statement.compilations = sqlite3_stmt_status(raw, SQLITE_STMTSTATUS_REPREPARE, 0);
}

bool info_is_stale(const prepared& statement) noexcept
{
    return sqlite3_stmt_status(statement.raw, SQLITE_STMTSTATUS_REPREPARE, 0) !=
           statement.compilations;
}

void handle::explain(prepared& statement)
{
    if (statement.explained || statement.info->parameters == 0)
        return;
    statement.explained = true;
    auto info = std::make_shared<statement_info>(*statement.info);
    info->parameter_affinity.assign(static_cast<std::size_t>(info->parameters), affinity::none);
    const std::string sql = "EXPLAIN " + *statement.sql;
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), 0, &raw, nullptr) ==
            SQLITE_OK &&
        sqlite3_column_count(raw) >= 7) {
        affinity_reader reader(info->parameter_affinity, statement.numbers);
        // Jumps make bytecode's order differ from its text: twice through catches a type that is
        // given before the parameter is loaded.
        for (int pass = 0; pass < 2; ++pass, sqlite3_reset(raw)) {
            while (sqlite3_step(raw) == SQLITE_ROW)
                reader.look(read_operation(raw));
        }
    }
    sqlite3_finalize(raw);
    statement.info = std::move(info);
}

bool bind_parameters(prepared& statement, const std::vector<value>& parameters, sql_error& why)
{
    const auto asked = static_cast<std::size_t>(statement.info->parameters);
    if (parameters.size() != asked) {
        why = make_error("08P01",
                         "the statement has " + std::to_string(asked) + " parameters, but " +
                             std::to_string(parameters.size()) + " values were given");
        return false;
    }
    for (std::size_t i = 0; i < statement.numbers.size(); ++i) {
        const auto& given = parameters[static_cast<std::size_t>(statement.numbers[i] - 1)];
        const int code = bind_one(statement.raw, static_cast<int>(i + 1), given);
        if (code != SQLITE_OK) {
            why = make_error(sqlstate_of(code, {}),
                             std::string("parameter ") + std::to_string(statement.numbers[i]) +
                                 ": " + sqlite3_errstr(code));
            return false;
        }
    }
    return true;
}

value_type row_view::type(int i) const noexcept
{
    switch (sqlite3_column_type(statement_, i)) {
        case SQLITE_INTEGER:
            return value_type::integer;
        case SQLITE_FLOAT:
            return value_type::real;
        case SQLITE_TEXT:
            return value_type::text;
        case SQLITE_BLOB:
            return value_type::blob;
        default:
            return value_type::null;
    }
}

std::int64_t row_view::integer(int i) const noexcept
{
    return sqlite3_column_int64(statement_, i);
}
double row_view::real(int i) const noexcept
{
    return sqlite3_column_double(statement_, i);
}

std::string_view row_view::text(int i) const noexcept
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, i));
    return {text ? text : "", static_cast<std::size_t>(sqlite3_column_bytes(statement_, i))};
}

std::span<const std::byte> row_view::blob(int i) const noexcept
{
    const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement_, i));
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, i))};
}

std::optional<std::int64_t> row_view::rowid(int i) const noexcept
{
    const auto& table = column(i).table;
    for (int c = 0; c < count() && !table.empty(); ++c) {
        if (column(c).is_rowid && column(c).table == table && type(c) == value_type::integer)
            return integer(c);
    }
    return std::nullopt;
}

}  // namespace sluice::sqlite
