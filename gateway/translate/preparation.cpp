// gateway/translate/preparation.cpp: Parse: does SQLite take the statement, what does it return,
// what are its parameters?
//
// A parameter's type: what the client says, else a cast in the text, else the declaration of the
// column that it meets, else the affinity that the engine gives it, else text.
#include <algorithm>
#include <cctype>

#include <asio/use_awaitable.hpp>

#include "gateway/translate/conversation.hpp"
#include "gateway/translate/parameter_columns.hpp"
#include "gateway/translate/result_types.hpp"
#include "proto/pg/arrays.hpp"

namespace sluice::gateway {
namespace {

pg::type_oid type_of_affinity(sqlite::affinity given) noexcept
{
    switch (given) {
        case sqlite::affinity::integer:
            return pg::oid::int8;
        case sqlite::affinity::real:
            return pg::oid::float8;
        case sqlite::affinity::numeric:
            return pg::oid::numeric;
        case sqlite::affinity::none:
        case sqlite::affinity::text:
            break;
    }
    return pg::oid::text;
}

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

pg::type_oid type_of(const sqlite::column_info& column) noexcept
{
    return column.is_rowid ? pg::oid::int8 : type_of_declaration(column.declared_type);
}

std::string quoted(std::string_view name)
{
    std::string out = "\"";
    for (const char c : name)
        out.append(c == '"' ? 2u : 1u, c);
    return out + '"';
}

}  // namespace

asio::awaitable<prepared_ptr> conversation::prepare(statement_ptr statement,
                                                    std::string_view whole,
                                                    std::vector<pg::type_oid> types)
{
    auto prepared = std::make_shared<prepared_statement>();
    prepared->statement = statement;
    query_ = whole;
    if (statement->who == answered_by::cursor && statement->cursor.problem.sqlstate.empty() &&
        statement->cursor.what == cursor_words::verb::declare) {
        auto preparing = prepare_inner(*statement, std::move(types));
        prepared->inner = co_await std::move(preparing);
        if (over() || !prepared->inner)
            co_return nullptr;
        prepared->parameters = prepared->inner->parameters;
        co_return prepared;
    }
    if (statement->who != answered_by::engine) {
        prepared->inner = source_of_rows(*statement);
        co_return prepared;
    }

    refresh_context();
    // An implicit transaction is not begun for this: outside of one a reader compiles it.
    if (block_ == block::open && begun_ == false &&
        pending_.level != sqlite::isolation::read_committed) {
        auto entering = enter_transaction(*statement);
        const bool entered = co_await std::move(entering);
        if (!entered)
            co_return nullptr;
    }
    if (statement->hex_literals) {
        auto reading = read_bytes(std::move(statement));
        statement = co_await std::move(reading);
        if (over())
            co_return nullptr;
        prepared->statement = statement;
    }
    auto describing = describe_text(statement->sql);
    auto done = co_await std::move(describing);
    if (over())
        co_return nullptr;
    if (done.error) {
        auto failing = fail(from_engine(*done.error, statement.get()));
        co_await std::move(failing);
        co_return nullptr;
    }
    prepared->info = done.statement;
    auto count = static_cast<std::size_t>(prepared->info ? prepared->info->parameters : 0);
    count = std::max(count, std::size_t{statement->sqlite.parameter_count});
    count = std::max(count, types.size());
    prepared->parameters = std::move(types);
    prepared->parameters.resize(count, pg::oid::unspecified);
    bool open = false;
    for (std::size_t i = 0; i < count; ++i) {
        auto& type = prepared->parameters[i];
        if (type == pg::oid::unknown)
            type = pg::oid::unspecified;
        const auto cast = statement->sqlite.parameter_type(static_cast<std::uint32_t>(i + 1));
        if (type == pg::oid::unspecified && !cast.empty())
            type = type_of_cast(cast);
        open = open || type == pg::oid::unspecified;
    }
    if (open) {
        auto inferring = infer_parameters(*prepared);
        co_await std::move(inferring);
        if (over())
            co_return nullptr;
    }
    co_return prepared;
}

asio::awaitable<sqlite::outcome> conversation::describe_text(sqlite::sql_text sql)
{
    if (auto at_once = session_.describe_now(sql))
        co_return std::move(*at_once);
    auto describing = session_.describe(std::move(sql), asio::use_awaitable);
    auto done = co_await std::move(describing);
    co_return done;
}

asio::awaitable<conversation::declared_types> conversation::types_declared_in(
    std::vector<std::string> tables)
{
    declared_types out;
    if (tables.size() > 8)
        tables.resize(8);
    for (const auto& table : tables) {
        auto text = std::make_shared<const std::string>("SELECT * FROM " + quoted(table));
        auto describing = describe_text(std::move(text));
        const auto done = co_await std::move(describing);
        if (over())
            break;
        if (done.error || !done.statement)
            continue;
        for (const auto& column : done.statement->columns) {
            out.by_name.emplace(lower(column.name), type_of(column));
            if (&table == tables.data())
                out.first_table.push_back(type_of(column));
        }
    }
    co_return out;
}

asio::awaitable<statement_ptr> conversation::read_bytes(statement_ptr statement)
{
    const auto found = find_parameter_columns(statement->sqlite.text);
    if (found.literals.empty() && found.literal_positions.empty())
        co_return statement;
    auto asking = types_declared_in(found.tables);
    const auto declared = co_await std::move(asking);
    std::vector<std::size_t> bytes;
    for (const auto& [offset, column] : found.literals)
        if (const auto known = declared.by_name.find(column);
            known != declared.by_name.end() && known->second == pg::oid::bytea)
            bytes.push_back(offset);
    for (const auto& [offset, position] : found.literal_positions)
        if (position < declared.first_table.size() &&
            declared.first_table[position] == pg::oid::bytea)
            bytes.push_back(offset);
    if (bytes.empty())
        co_return statement;
    co_return with_bytes(*statement, bytes);
}

asio::awaitable<void> conversation::infer_parameters(prepared_statement& prepared)
{
    const auto found = find_parameter_columns(prepared.statement->sqlite.text);
    declared_types declared;
    if (!found.columns.empty() || !found.positions.empty()) {
        auto asking = types_declared_in(found.tables);
        declared = co_await std::move(asking);
        if (over())
            co_return;
    }
    for (std::size_t i = 0; i < prepared.parameters.size(); ++i) {
        auto& type = prepared.parameters[i];
        if (type != pg::oid::unspecified)
            continue;
        const auto number = static_cast<std::uint32_t>(i + 1);
        if (const auto at = found.columns.find(number); at != found.columns.end()) {
            const auto known = declared.by_name.find(at->second);
            type = known != declared.by_name.end() ? known->second
                                                   : type_of_catalog_column(at->second);
            if (found.arrays.contains(number))
                type = pg::array_type(type);
        }
        if (const auto at = found.positions.find(number); at != found.positions.end())
            if (at->second < declared.first_table.size())
                type = declared.first_table[at->second];
        if (type == pg::oid::unspecified && prepared.info &&
            i < prepared.info->parameter_affinity.size())
            type = type_of_affinity(prepared.info->parameter_affinity[i]);
        if (type == pg::oid::unspecified)
            type = pg::oid::text;
    }
}

}  // namespace sluice::gateway
