// gateway/translate/my_conversation_prepared.cpp: COM_STMT_*: prepared statements, long data,
// cursors.
//
// A cursor reads its first row when it is opened, so that its columns have the types of their
// values; the row waits for COM_STMT_FETCH.
#include <asio/use_awaitable.hpp>

#include "gateway/translate/my_conversation.hpp"
#include "proto/sql/normalize.hpp"
#include "proto/sql/split.hpp"

namespace sluice::gateway {
namespace {

constexpr std::uint32_t last_prepared = 0xffffffff;
constexpr std::string_view unknown_statement = "Unknown prepared statement handler";

mysql::column parameter_column()
{
    mysql::column out;
    out.name = "?";
    out.collation = mysql::collation::binary;
    out.flags = mysql::column_flag::binary;
    return out;
}

}  // namespace

// nullopt: an error was told.
asio::awaitable<std::optional<my_conversation::my_prepared>> my_conversation::compile(
    std::string_view text)
{
    const auto clean = sql::without_executable_comments(std::string(text), state_);
    std::string_view rest = clean;
    const auto dialect = state_.ansi_quotes ? sql::dialect::mysql_ansi_quotes : sql::dialect::mysql;
    const auto one = sql::next_statement(rest, dialect);
    if (one.empty()) {
        fail(1065, "42000", "Query was empty");
        co_return std::nullopt;
    }
    if (!sql::next_statement(rest, dialect).empty()) {
        fail(1064, "42000", "You have an error in your SQL syntax: one statement can be prepared");
        co_return std::nullopt;
    }
    my_prepared made;
    made.statement = read_my_statement(one, state_);
    if (made.statement->who == my_answer::load || made.statement->who == my_answer::prepare) {
        fail(1295, "HY000", "This command is not supported in the prepared statement protocol yet");
        co_return std::nullopt;
    }
    made.digest = sql::digest_of(one, dialect);
    meter_.know(made.digest, one, dialect);
    if (made.statement->who == my_answer::refusal) {
        fail(made.statement->refused);
        co_return std::nullopt;
    }
    if (made.statement->who == my_answer::engine && made.statement->sql.size() == 1) {
        const auto& sql = made.statement->sql.front();
        sqlite::outcome done;
        if (auto at_once = session_.describe_now(sql)) {
            done = std::move(*at_once);
        } else {
            auto describing = session_.describe(sql, asio::use_awaitable);
            done = co_await std::move(describing);
        }
        if (over())
            co_return std::nullopt;
        if (done.error) {
            fail(my_error_of(*done.error, made.statement->text, state_));
            co_return std::nullopt;
        }
        made.info = done.statement;
        made.parameters = static_cast<std::size_t>(done.statement->parameters) -
                          made.statement->sqlite.lifted.size();
    }
    co_return made;
}

asio::awaitable<void> my_conversation::prepare(std::string_view text)
{
    state_.warnings.clear();
    prepared_last_ = 0;
    if (statements_.size() >= my_statements_max) {
        fail(1461,
             "42000",
             "Can't create more than " + std::to_string(my_statements_max) +
                 " prepared statements in one session");
        co_return;
    }
    auto compiling = compile(text);
    auto compiled = co_await std::move(compiling);
    if (over() || !compiled)
        co_return;
    auto& made = *compiled;
    mysql::prepare_ok reply;
    reply.statement = ++last_statement_;
    reply.parameters = static_cast<std::uint16_t>(made.parameters);
    reply.columns =
        made.info ? static_cast<std::uint16_t>(made.info->columns.size()) : std::uint16_t{0};
    auto& out = channel_->out();
    mysql::append_prepare_ok(out, sequence_, reply);
    const mysql::eof_message eof{0, status()};
    for (std::size_t i = 0; i < made.parameters; ++i)
        mysql::append_column(out, sequence_, parameter_column());
    if (made.parameters > 0)
        mysql::append_end_of_columns(out, sequence_, eof, capabilities_);
    if (reply.columns > 0) {
        const auto& hints = *made.statement->hints;
        append_my_columns(
            out, sequence_, my_columns(*made.info, hints), *made.info, hints, state_.database);
        mysql::append_end_of_columns(out, sequence_, eof, capabilities_);
    }
    prepared_last_ = reply.statement;
    statements_.emplace(reply.statement, std::move(made));
}

bool my_conversation::read_parameters(const mysql::execute_request& request,
                                      my_prepared& which,
                                      std::vector<sqlite::value>& out)
{
    if (request.has_types)
        which.types.assign(request.types.begin(), request.types.end());
    if (which.parameters > 0 && which.types.size() != which.parameters * 2) {
        fail(1210, "HY000", "Incorrect arguments to EXECUTE: the parameters have no types");
        return false;
    }
    mysql::field_reader in(request.values);
    for (std::size_t i = 0; i < which.parameters; ++i) {
        auto& value = out.emplace_back();
        const auto type = static_cast<mysql::column_type>(which.types[2 * i]);
        const bool is_unsigned = (std::to_integer<unsigned>(which.types[2 * i + 1]) & 0x80) != 0;
        if (const auto sent = which.long_data.find(static_cast<std::uint16_t>(i));
            sent != which.long_data.end()) {
            value = mysql::read_long_data(as_bytes(sent->second), type);
            continue;
        }
        if (request.is_null(i))
            continue;
        const auto done = mysql::read_parameter(in, type, is_unsigned, value);
        if (in.failed()) {
            malformed();
            return false;
        }
        if (done == mysql::conversion::ok)
            continue;
        const auto place = std::to_string(i + 1);
        if (done == mysql::conversion::out_of_range)
            fail(1264, "22003", "Out of range value for parameter " + place);
        else if (done == mysql::conversion::not_a_time)
            fail(1292, "22007", "Incorrect datetime value for parameter " + place);
        else
            fail(1210, "HY000", "Incorrect type of parameter " + place);
        return false;
    }
    return true;
}

asio::awaitable<void> my_conversation::execute(bytes_view payload)
{
    const auto id = mysql::statement_of(payload);
    if (!id) {
        malformed();
        co_return;
    }
    // MariaDB's drivers execute what they are still preparing.
    const auto at = statements_.find(*id == last_prepared ? prepared_last_ : *id);
    if (at == statements_.end()) {
        fail(1243,
             "HY000",
             std::string(unknown_statement) + " (" + std::to_string(*id) + ") given to EXECUTE");
        co_return;
    }
    auto& which = at->second;
    const auto request = mysql::decode_execute(payload, which.parameters);
    if (!request) {
        malformed();
        co_return;
    }
    meter_.statement(which.digest);
    auto closing = close_cursor(which);
    co_await std::move(closing);
    if (over())
        co_return;
    std::vector<sqlite::value> parameters;
    const bool refused = std::exchange(which.long_data_refused, false);
    const bool read = !refused && read_parameters(*request, which, parameters);
    which.long_data.clear();
    if (refused)
        fail(1153, "08S01", "The parameters' long data is more than max_message allows");
    if (!read || over())
        co_return;
    const auto statement = refreshed(which.statement);
    if (request->opens_cursor() && which.info && which.info->returns_rows() &&
        which.info->read_only && statement->table.empty()) {
        auto opening = open_cursor(which, statement, std::move(parameters));
        co_await std::move(opening);
        co_return;
    }
    auto running = run(statement, std::move(parameters), mysql::row_format::binary);
    co_await std::move(running);
}

asio::awaitable<void> my_conversation::open_cursor(my_prepared& which,
                                                   my_sqlite_statement_ptr statement,
                                                   std::vector<sqlite::value> parameters)
{
    state_.warnings.clear();
    auto entering = enter_transaction(statement->opens_transaction);
    const bool entered = co_await std::move(entering);
    if (over() || !entered)
        co_return;
    auto& cursor = which.cursor.emplace();
    cursor.sql = statement->sql.front();
    cursor.parameters = std::move(parameters);
    add_lifted(*statement, cursor.parameters);
    cursor.rows = make_rows(*statement, mysql::row_format::binary, true);
    cursor.rows->hold_first_row();
    auto pumping = pump(cursor, statement->text, 1);
    const auto how = co_await std::move(pumping);
    if (over())
        co_return;
    if (how == ran::failed) {
        which.cursor.reset();
        co_return;
    }
    which.cursor_done = how == ran::done;
    mysql::ok_message end;
    end.status = static_cast<std::uint16_t>(status() | mysql::status::cursor_exists);
    // Else the EOF behind the columns has said it.
    if (capabilities_ & mysql::capability::deprecate_eof)
        mysql::append_end_of_rows(channel_->out(), sequence_, end, capabilities_);
}

asio::awaitable<void> my_conversation::fetch(bytes_view payload)
{
    const auto request = mysql::decode_fetch(payload);
    if (!request) {
        malformed();
        co_return;
    }
    const auto at = statements_.find(request->statement);
    if (at == statements_.end() || !at->second.cursor) {
        fail(1243,
             "HY000",
             std::string(unknown_statement) + " (" + std::to_string(request->statement) +
                 ") given to FETCH");
        co_return;
    }
    auto& which = at->second;
    auto& cursor = *which.cursor;
    std::int64_t wanted = request->rows;
    cursor.rows->sequence = sequence_;
    if (wanted > 0 && cursor.rows->has_held_row()) {
        send_rest(cursor.rows->take_held_row());
        sequence_ = cursor.rows->sequence;
        --wanted;
    }
    if (wanted > 0 && !which.cursor_done) {
        auto pumping = pump(cursor, which.statement->text, wanted);
        const auto how = co_await std::move(pumping);
        if (over())
            co_return;
        if (how == ran::failed) {
            which.cursor.reset();
            co_return;
        }
        which.cursor_done = how == ran::done;
    }
    const bool last = which.cursor_done && !cursor.rows->has_held_row();
    mysql::ok_message end;
    end.status = static_cast<std::uint16_t>(
        status() | (last ? mysql::status::last_row_sent : mysql::status::cursor_exists));
    if (last)
        which.cursor.reset();
    mysql::append_end_of_rows(channel_->out(), sequence_, end, capabilities_);
}

asio::awaitable<void> my_conversation::close_cursor(my_prepared& which)
{
    if (!which.cursor)
        co_return;
    const auto portal = which.cursor->suspended;
    which.cursor.reset();
    if (portal == 0)
        co_return;
    auto closing = session_.close(portal, asio::use_awaitable);
    (void)co_await std::move(closing);
}

asio::awaitable<void> my_conversation::reset_statement(bytes_view payload)
{
    const auto id = mysql::statement_of(payload);
    if (!id) {
        malformed();
        co_return;
    }
    const auto at = statements_.find(*id);
    if (at == statements_.end()) {
        fail(1243,
             "HY000",
             std::string(unknown_statement) + " (" + std::to_string(*id) + ") given to RESET");
        co_return;
    }
    at->second.long_data.clear();
    at->second.long_data_refused = false;
    auto closing = close_cursor(at->second);
    co_await std::move(closing);
    if (!over())
        ok();
}

// Never answered.
asio::awaitable<void> my_conversation::close_statement(std::uint32_t id)
{
    const auto at = statements_.find(id);
    if (at == statements_.end())
        co_return;
    auto closing = close_cursor(at->second);
    co_await std::move(closing);
    statements_.erase(id);
}

// Never answered: what is wrong with it, the execution says.
void my_conversation::long_data(bytes_view payload)
{
    const auto request = mysql::decode_long_data(payload);
    if (!request)
        return malformed();
    const auto at = statements_.find(request->statement);
    if (at == statements_.end() || request->parameter >= at->second.parameters)
        return;
    auto& which = at->second;
    std::size_t total = request->data.size();
    for (const auto& [parameter, data] : which.long_data)
        total += data.size();
    if (total > options_.max_message) {
        which.long_data_refused = true;
        which.long_data.clear();
        return;
    }
    which.long_data[request->parameter] += as_text(request->data);
}

}  // namespace sluice::gateway
