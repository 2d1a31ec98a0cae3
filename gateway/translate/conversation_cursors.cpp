// gateway/translate/conversation_cursors.cpp: PREPARE and EXECUTE; DECLARE, FETCH, MOVE and CLOSE.
//
// A cursor is a portal that a statement made: it is in the same table, may be described by the
// protocol, and ends with its transaction. Its query begins with the first FETCH and goes on as the
// engine's suspended result.
#include <asio/use_awaitable.hpp>

#include "gateway/translate/conversation.hpp"
#include "gateway/translate/result_types.hpp"
#include "proto/pg/replies.hpp"
#include "proto/sql/to_sqlite.hpp"

namespace sluice::gateway {
namespace {

using cursor_verb = cursor_words::verb;
using direction = cursor_words::direction;

reply_error make_error(std::string_view sqlstate, std::string message, std::string hint = {})
{
    reply_error out;
    out.sqlstate = sqlstate;
    out.message = std::move(message);
    out.hint = std::move(hint);
    return out;
}

reply_error make_error(const words_problem& problem)
{
    return make_error(problem.sqlstate, problem.message, problem.hint);
}

// The values of EXECUTE's arguments.
class argument_sink final : public sqlite::row_sink {
public:
    verdict on_row(const sqlite::row_view& row) override
    {
        for (int i = 0; i < row.count(); ++i) {
            auto& out = values.emplace_back();
            switch (row.type(i)) {
                case sqlite::value_type::null:
                    break;
                case sqlite::value_type::integer:
                    out = row.integer(i);
                    break;
                case sqlite::value_type::real:
                    out = row.real(i);
                    break;
                case sqlite::value_type::text:
                    out = std::string(row.text(i));
                    break;
                case sqlite::value_type::blob: {
                    const auto bytes = row.blob(i);
                    out = sqlite::blob_value(bytes.begin(), bytes.end());
                    break;
                }
            }
        }
        return verdict::go_on;
    }
    std::vector<sqlite::value> values;
};

}  // namespace

// Of Parse: whose rows an EXECUTE or FETCH returns, what a DECLARE will run. Null: an error was
// sent.
asio::awaitable<prepared_ptr> conversation::prepare_inner(const client_statement& statement,
                                                          std::vector<pg::type_oid> types)
{
    const bool declares =
        statement.who == answered_by::cursor && statement.cursor.what == cursor_verb::declare;
    const auto offset = declares ? statement.cursor.query : statement.prepare.query;
    auto inner =
        read_statement(std::string_view(statement.text).substr(offset), statement.offset + offset);
    if (inner->who != answered_by::engine) {
        auto failing = fail(
            inner->who == answered_by::refusal
                ? make_error(inner->refused_sqlstate, inner->refused_because)
                : make_error("42601", "this statement can be neither prepared nor a cursor's"));
        co_await std::move(failing);
        co_return nullptr;
    }
    const std::string_view whole = query_;
    auto preparing = prepare(std::move(inner), whole, std::move(types));
    auto made = co_await std::move(preparing);
    if (over() || !made)
        co_return nullptr;
    if (declares && !(made->info && made->info->returns_rows() && made->info->read_only)) {
        auto failing = fail(make_error("42P11", "a cursor's query must be one that only reads"));
        co_await std::move(failing);
        co_return nullptr;
    }
    co_return made;
}

// Null: not known yet, or it returns no rows of another statement.
prepared_ptr conversation::source_of_rows(const client_statement& statement) const
{
    if (statement.who == answered_by::execute) {
        const auto at = statements_.find(statement.prepare.name);
        return at == statements_.end() ? nullptr : at->second;
    }
    if (statement.who != answered_by::cursor || statement.cursor.what != cursor_verb::fetch)
        return nullptr;
    const auto at = portals_.find(statement.cursor.name);
    return at == portals_.end() ? nullptr : at->second->prepared;
}

asio::awaitable<bool> conversation::run_prepare(statement_ptr statement)
{
    const auto& words = statement->prepare;
    reply_error problem;
    if (!words.problem.sqlstate.empty())
        problem = make_error(words.problem);
    else if (statements_.contains(words.name))
        problem = make_error("42P05", "prepared statement \"" + words.name + "\" already exists");
    else if (statements_.size() >= names_max)
        problem = make_error(
            "53400",
            "a session keeps at most " + std::to_string(names_max) + " prepared statements");
    if (!problem.sqlstate.empty()) {
        auto failing = fail(std::move(problem));
        co_await std::move(failing);
        co_return false;
    }
    std::vector<pg::type_oid> types;
    for (const auto& name : words.types)
        types.push_back(type_of_cast(name));
    auto preparing = prepare_inner(*statement, std::move(types));
    auto made = co_await std::move(preparing);
    if (over() || !made)
        co_return false;
    statements_[words.name] = std::move(made);
    pg::append_command_complete(channel_->out(), "PREPARE");
    co_return true;
}

asio::awaitable<bool> conversation::read_arguments(const client_statement& statement,
                                                   const prepared_statement& prepared,
                                                   std::vector<sqlite::value>& out)
{
    reply_error problem;
    if (!statement.prepare.arguments.empty()) {
        auto sink = std::make_shared<argument_sink>();
        sqlite::request what;
        what.sql = std::make_shared<const std::string>(
            sql::to_sqlite("SELECT " + statement.prepare.arguments).text);
        what.sink = sink;
        what.read_only = true;
        auto executing = session_.execute(std::move(what), asio::use_awaitable);
        const auto done = co_await std::move(executing);
        if (over())
            co_return false;
        if (done.error)
            problem = from_engine(*done.error, nullptr);
        out = std::move(sink->values);
    }
    const auto wanted = prepared.parameters.size();
    if (problem.sqlstate.empty() && out.size() != wanted)
        problem = make_error("42601",
                             "wrong number of parameters for prepared statement \"" +
                                 statement.prepare.name + "\": it takes " + std::to_string(wanted));
    for (std::size_t i = 0; i < out.size() && problem.sqlstate.empty(); ++i) {
        const auto* text = std::get_if<std::string>(&out[i]);
        if (!text)
            continue;
        sqlite::value converted;
        const auto done = pg::read_value(
            as_bytes(*text), prepared.parameters[i], pg::value_format::text, converted);
        if (done == pg::conversion::ok)
            out[i] = std::move(converted);
        else
            problem = make_error(pg::sqlstate_of(done, pg::value_format::text),
                                 "parameter $" + std::to_string(i + 1) + " is no valid " +
                                     std::string(pg::type_name(prepared.parameters[i])));
    }
    if (problem.sqlstate.empty())
        co_return true;
    auto failing = fail(std::move(problem));
    co_await std::move(failing);
    co_return false;
}

// `outer`: the portal of the EXECUTE itself, in the extended protocol.
asio::awaitable<bool> conversation::run_execute(statement_ptr statement,
                                                bool show_columns,
                                                const portal* outer)
{
    const auto& words = statement->prepare;
    const auto prepared = source_of_rows(*statement);
    if (!words.problem.sqlstate.empty() || !prepared) {
        auto failing =
            fail(prepared ? make_error(words.problem)
                          : make_error("26000",
                                       "prepared statement \"" + words.name + "\" does not exist"));
        co_await std::move(failing);
        co_return false;
    }
    std::vector<sqlite::value> values;
    auto reading = read_arguments(*statement, *prepared, values);
    const bool read = co_await std::move(reading);
    if (!read)
        co_return false;
    const auto inner = prepared->statement;
    if (inner->who != answered_by::engine) {
        auto running = run_local(inner, show_columns);
        const bool done = co_await std::move(running);
        co_return done;
    }
    if (outer && block_ == block::none && !inner->reads_only && !next_is('S'))
        block_ = block::implicit;
    auto entering = enter_transaction(*inner);
    const bool entered = co_await std::move(entering);
    if (!entered || over())
        co_return false;
    portal one;
    one.prepared = prepared;
    one.parameters = std::move(values);
    one.encoder = make_encoder(inner, outer ? outer->formats : std::vector<std::uint16_t>{});
    const bool has_rows = prepared->info && prepared->info->returns_rows();
    if (!show_columns && has_rows)
        one.encoder->announced(announced_types(*prepared->info, prepared->statement->hints));
    if (outer && show_columns && !has_rows)
        pg::append_no_data(channel_->out());
    auto pumping = pump(one, 0);
    const bool done = co_await std::move(pumping);
    co_return done;
}

asio::awaitable<bool> conversation::run_cursor(statement_ptr statement,
                                               bool show_columns,
                                               const portal* outer)
{
    const auto& words = statement->cursor;
    reply_error problem;
    const auto at = portals_.find(words.name);
    if (!words.problem.sqlstate.empty())
        problem = make_error(words.problem);
    else if (words.what == cursor_verb::declare && block_ != block::open)
        problem = make_error("25P01", "DECLARE CURSOR can only be used in transaction blocks");
    else if (words.what == cursor_verb::declare && at != portals_.end())
        problem = make_error("42P03", "cursor \"" + words.name + "\" already exists");
    else if (words.what == cursor_verb::declare && portals_.size() >= names_max)
        problem = make_error("53400",
                             "a session keeps at most " + std::to_string(names_max) + " cursors");
    else if (words.what != cursor_verb::declare && !words.all && at == portals_.end())
        problem = make_error("34000", "cursor \"" + words.name + "\" does not exist");
    if (!problem.sqlstate.empty()) {
        auto failing = fail(std::move(problem));
        co_await std::move(failing);
        co_return false;
    }
    if (words.what == cursor_verb::declare) {
        auto declaring = declare_cursor(statement, outer);
        const bool done = co_await std::move(declaring);
        co_return done;
    }
    if (words.what == cursor_verb::close) {
        if (words.all) {
            auto closing = close_cursors();
            co_await std::move(closing);
        } else {
            auto closing = close_portal(words.name);
            co_await std::move(closing);
        }
        if (over())
            co_return false;
        pg::append_command_complete(channel_->out(),
                                    words.all ? "CLOSE CURSOR ALL" : "CLOSE CURSOR");
        co_return true;
    }
    const auto which = at->second;
    auto fetching = fetch_rows(statement, which, show_columns, outer);
    const bool done = co_await std::move(fetching);
    co_return done;
}

asio::awaitable<bool> conversation::declare_cursor(statement_ptr statement, const portal* outer)
{
    auto made = std::make_shared<portal>();
    made->cursor = true;
    if (outer && outer->prepared->inner) {
        made->prepared = outer->prepared->inner;
        made->parameters = outer->parameters;
    } else {
        auto preparing = prepare_inner(*statement, {});
        made->prepared = co_await std::move(preparing);
        if (over() || !made->prepared)
            co_return false;
        if (!made->prepared->parameters.empty()) {
            auto failing = fail(make_error("42P02", "there is no parameter $1"));
            co_await std::move(failing);
            co_return false;
        }
    }
    portals_[statement->cursor.name] = std::move(made);
    pg::append_command_complete(channel_->out(), "DECLARE CURSOR");
    co_return true;
}

// Every cursor, and not the portal that the CLOSE ALL itself runs in.
asio::awaitable<void> conversation::close_cursors()
{
    std::vector<std::string> names;
    for (const auto& [name, each] : portals_)
        if (each->cursor)
            names.push_back(name);
    for (const auto& name : names) {
        auto closing = close_portal(name);
        co_await std::move(closing);
        if (over())
            co_return;
    }
}

asio::awaitable<bool> conversation::fetch_rows(statement_ptr statement,
                                               portal_ptr which,
                                               bool show_columns,
                                               const portal* outer)
{
    const auto& words = statement->cursor;
    const auto position = static_cast<std::int64_t>(which->rows);
    std::int64_t skipped = 0;
    std::int64_t wanted = words.count;
    bool forward = words.where != direction::backward;
    if (words.where == direction::relative || words.where == direction::absolute) {
        skipped = words.count - 1 - (words.where == direction::absolute ? position : 0);
        forward = skipped >= 0;
        wanted = 1;
    }
    if (!forward) {
        auto failing = fail(make_error("55000",
                                       "cursor can only scan forward",
                                       "Cursors on SQLite databases cannot go back."));
        co_await std::move(failing);
        co_return false;
    }
    const bool moves = words.what == cursor_verb::move;
    if (!which->encoder) {
        which->encoder = make_encoder(which->prepared->statement, {});
        if (!show_columns || moves)
            which->encoder->announced(
                announced_types(*which->prepared->info, which->prepared->statement->hints));
    }
    auto entering = enter_transaction(*which->prepared->statement);
    const bool entered = co_await std::move(entering);
    if (!entered || over())
        co_return false;
    const auto begin = which->rows;
    if (skipped > 0 && !which->done) {
        which->encoder->skip(true);
        auto skipping = run_portal(*which, skipped);
        const auto how = co_await std::move(skipping);
        which->encoder->skip(false);
        if (how == ran::failed)
            co_return false;
    }
    const auto first = moves ? begin : which->rows;
    // Each FETCH is a result of its own.
    which->encoder->dress(outer ? outer->formats : std::vector<std::uint16_t>{},
                          moves || !show_columns);
    which->encoder->skip(moves);
    if (wanted > 0 && !which->done) {
        auto running = run_portal(*which, wanted == cursor_words::everything ? 0 : wanted);
        const auto how = co_await std::move(running);
        which->encoder->skip(false);
        if (how == ran::failed)
            co_return false;
    } else {
        send_rest(which->encoder->take_rest(which->prepared->info.get()));
    }
    which->encoder->skip(false);
    pg::append_command_complete(
        channel_->out(), moves ? "MOVE" : "FETCH", static_cast<std::uint64_t>(which->rows - first));
    co_return true;
}

}  // namespace sluice::gateway
