// gateway/translate/conversation_copy.cpp: COPY: rows out as lines, lines in as INSERTs.
//
// COPY FROM is one transaction: its own, or the client's.
#include "gateway/translate/conversation.hpp"

#include <asio/use_awaitable.hpp>

#include "gateway/translate/copy_text.hpp"
#include "gateway/translate/result_types.hpp"
#include "proto/pg/replies.hpp"
#include "proto/sql/split.hpp"

namespace sluice::gateway {
namespace {

reply_error make_error(std::string_view sqlstate, std::string message)
{
    reply_error out;
    out.sqlstate = sqlstate;
    out.message = std::move(message);
    return out;
}

}  // namespace

asio::awaitable<bool> conversation::run_copy(statement_ptr statement)
{
    if (statement->copy.from_client) {
        auto starting = start_copy_in(statement);
        const bool started = co_await std::move(starting);
        co_return started;
    }
    auto reading = std::make_shared<client_statement>();
    reading->who = answered_by::copy;
    reading->tag = "COPY";
    reading->reads_only = true;
    reading->copy.shape = statement->copy.shape;
    reading->sql = std::make_shared<const std::string>(statement->copy.sql);
    portal source;
    auto prepared = std::make_shared<prepared_statement>();
    prepared->statement = reading;
    source.prepared = prepared;
    source.encoder = make_encoder(reading, {});
    source.encoder->set_copy(statement->copy.shape, statement->copy.style);
    auto entering = enter_transaction(*reading);
    const bool entered = co_await std::move(entering);
    if (!entered)
        co_return false;
    auto pumping = pump(source, 0);
    const bool pumped = co_await std::move(pumping);
    co_return pumped;
}

asio::awaitable<bool> conversation::start_copy_in(statement_ptr statement)
{
    const auto& copy = statement->copy;
    std::string columns;
    for (const auto& column : copy.columns)
        columns += (columns.empty() ? "" : ", ") + column;
    auto shape = std::make_shared<const std::string>("SELECT " + (columns.empty() ? "*" : columns) +
                                                     " FROM " + copy.table);
    auto describing = session_.describe(std::move(shape), asio::use_awaitable);
    const auto done = co_await std::move(describing);
    if (over())
        co_return false;
    if (done.error) {
        auto failing = fail(from_engine(*done.error, nullptr));
        co_await std::move(failing);
        co_return false;
    }
    copy_in in;
    in.statement = statement;
    in.types = announced_types(*done.statement, {});
    std::string insert = copy.sql + " VALUES (";
    for (std::size_t i = 0; i < in.types.size(); ++i)
        insert += (i > 0 ? ", ?" : "?") + std::to_string(i + 1);
    in.insert = std::make_shared<const std::string>(insert + ")");
    if (block_ == block::none || block_ == block::implicit) {
        in.own_block = block_ == block::none;
        block_ = block::implicit;
    }
    auto entering = enter_transaction(*statement);
    const bool entered = co_await std::move(entering);
    if (!entered)
        co_return false;
    const auto width = static_cast<std::uint16_t>(in.types.size());
    copy_ = std::move(in);
    pg::append_copy_in(channel_->out(), width, copy.shape == row_shape::copy_binary);
    channel_->flush();
    co_return true;
}

// d, c, f; anything else while data is awaited is an error.
asio::awaitable<void> conversation::copy_message(const pg::frame& message)
{
    const char type = message.type;
    if (type == 'S')
        co_return;  // PostgreSQL ignores Sync and Flush while it reads data
    bool good = true;
    if (type == 'd' || type == 'c') {
        if (type == 'd')
            copy_->data.append(message.body);
        const bool binary = copy_->statement->copy.shape == row_shape::copy_binary;
        auto running = binary ? copy_tuples(type == 'c') : copy_lines(type == 'c');
        good = co_await std::move(running);
    } else {
        good = false;
        std::string reason = "another message came";
        if (type == 'f')
            reason = pg::decode_copy_fail(message.body) ? as_text(message.body) : "";
        auto failing = fail(make_error("57014", "COPY from stdin failed: " + reason));
        co_await std::move(failing);
    }
    if (!over() && (!good || type == 'c')) {
        auto ending = end_copy(good);
        co_await std::move(ending);
    }
}

// What the client still sends of its data after an error is passed over (answer()).
asio::awaitable<void> conversation::end_copy(bool good)
{
    const copy_in in = std::move(*copy_);
    copy_.reset();
    if (good && in.own_block) {
        auto ending = end_block(true);
        good = co_await std::move(ending);
        if (over())
            co_return;
    }
    if (good)
        pg::append_command_complete(channel_->out(), "COPY", in.rows);
    if (!in.simple)
        co_return;
    std::string_view left = in.rest;
    if (good && !sql::next_statement(left).empty()) {
        auto running = simple_query(in.rest);
        co_await std::move(running);
        co_return;
    }
    if (block_ == block::implicit) {
        auto ending = end_block(good);
        co_await std::move(ending);
    }
    if (over())
        co_return;
    skip_until_sync_ = false;
    ready();
}

asio::awaitable<bool> conversation::copy_lines(bool last)
{
    const auto& copy = copy_->statement->copy;
    // Lines are views into this; copy_->data is not touched meanwhile.
    byte_queue data;
    data.swap(copy_->data);
    std::string_view rest = as_text(data.readable());
    bool good = true;
    for (;;) {
        const auto line = next_copy_line(rest, copy.shape, copy.style, last);
        if (!line || copy_->ended)
            break;
        if (copy.style.header && !copy_->header_seen) {
            copy_->header_seen = true;
            continue;
        }
        if (*line == "\\.") {
            copy_->ended = true;
            break;
        }
        auto inserting = copy_row(*line);
        good = co_await std::move(inserting);
        if (!good || over())
            break;
    }
    if (over() || !copy_)
        co_return false;
    if (good && !copy_->ended)
        copy_->data.append(rest);
    co_return good;
}

asio::awaitable<bool> conversation::copy_row(std::string_view line)
{
    const auto& copy = copy_->statement->copy;
    const auto fields = split_copy_line(line, copy.shape, copy.style);
    const auto where = copy.table + ", line " + std::to_string(copy_->rows + 1);
    reply_error problem;
    if (fields.size() != copy_->types.size())
        problem = make_error("22P04",
                             fields.size() < copy_->types.size()
                                 ? "missing data for a column: COPY " + where
                                 : "extra data after last expected column: COPY " + where);
    sqlite::request what;
    for (std::size_t i = 0; i < fields.size() && problem.sqlstate.empty(); ++i) {
        auto& value = what.parameters.emplace_back();
        if (!fields[i])
            continue;
        const auto done =
            pg::read_value(as_bytes(*fields[i]), copy_->types[i], pg::value_format::text, value);
        if (done != pg::conversion::ok)
            problem =
                make_error(pg::sqlstate_of(done, pg::value_format::text),
                           "\"" + fields[i]->substr(0, 60) + "\" is no valid " +
                               std::string(pg::type_name(copy_->types[i])) + ": COPY " + where);
    }
    auto inserting = insert_copied(std::move(what.parameters), std::move(problem));
    const bool inserted = co_await std::move(inserting);
    co_return inserted;
}

asio::awaitable<bool> conversation::insert_copied(std::vector<sqlite::value> values,
                                                  reply_error problem)
{
    if (problem.sqlstate.empty()) {
        sqlite::request what;
        what.parameters = std::move(values);
        what.sql = copy_->insert;
        what.timeout = settings_.statement_timeout();
        what.read_only = read_only_;
        auto executing = session_.execute(std::move(what), asio::use_awaitable);
        const auto done = co_await std::move(executing);
        if (over())
            co_return false;
        if (!done.error) {
            ++copy_->rows;
            co_return true;
        }
        problem = from_engine(*done.error, nullptr);
    }
    auto failing = fail(std::move(problem));
    co_await std::move(failing);
    co_return false;
}

}  // namespace sluice::gateway
