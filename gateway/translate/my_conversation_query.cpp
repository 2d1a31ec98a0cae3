// gateway/translate/my_conversation_query.cpp: COM_QUERY: one text, several statements, each with
// its own result. An error ends the text; what was done before it stays, as in MySQL.
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/translate/my_conversation.hpp"
#include "proto/sql/normalize.hpp"
#include "proto/sql/split.hpp"

namespace sluice::gateway {

asio::awaitable<void> my_conversation::query(std::string_view text, std::size_t packet)
{
    const auto clean = sql::without_executable_comments(std::string(text), state_);
    std::string_view rest = clean;
    const auto dialect = [this] {
        return state_.ansi_quotes ? sql::dialect::mysql_ansi_quotes : sql::dialect::mysql;
    };
    auto one = sql::next_statement(rest, dialect());
    if (one.empty()) {
        // A text of nothing but comments is no error to those who send one.
        if (text.find_first_not_of(" \t\r\n;") == std::string_view::npos)
            fail(1065, "42000", "Query was empty");
        else
            ok();
        co_return;
    }
    const auto digest = sql::digest_of(one, dialect());
    meter_.look(text);
    meter_.know(digest, one, dialect());
    meter_.statement(digest);
    while (!one.empty() && !failed_now_ && !over()) {
        auto following = rest;
        const auto next = sql::next_statement(following, dialect());
        if (!next.empty() && !multi_statements_) {
            fail(1064,
                 "42000",
                 "You have an error in your SQL syntax near '" + std::string(next) +
                     "': the connection does not allow several statements in one text");
            co_return;
        }
        more_results_ = !next.empty();
        const auto statement = read_my_statement(one, state_);
        if (statement->who == my_answer::load && !rest.empty() && !next.empty()) {
            fail(1235, "42000", "LOAD DATA LOCAL must be the last statement of its text");
        } else if (statement->who == my_answer::use) {
            auto using_ = use(statement->name, packet);
            co_await std::move(using_);
        } else {
            auto running = run(statement, {}, mysql::row_format::text);
            co_await std::move(running);
        }
        rest = following;
        one = next;
    }
}

// A text that holds values of the session is written anew for each execution.
my_sqlite_statement_ptr my_conversation::refreshed(my_sqlite_statement_ptr statement) const
{
    if (!statement->volatile_text)
        return statement;
    return read_my_statement(statement->text, state_);
}

asio::awaitable<void> my_conversation::run(my_sqlite_statement_ptr statement,
                                           std::vector<sqlite::value> parameters,
                                           mysql::row_format format)
{
    if (!statement->diagnostics)
        state_.warnings.clear();
    for (const auto& note : statement->sqlite.notes)
        state_.warnings.push_back({"Warning", 1235, note});
    switch (statement->who) {
        case my_answer::engine: {
            auto running = run_engine(statement, std::move(parameters), format);
            co_await std::move(running);
            break;
        }
        case my_answer::transaction: {
            auto running = run_transaction(statement);
            co_await std::move(running);
            break;
        }
        case my_answer::set: {
            auto running = run_set(statement);
            co_await std::move(running);
            break;
        }
        case my_answer::prepare: {
            auto running = run_prepare(statement, format);
            co_await std::move(running);
            break;
        }
        case my_answer::load: {
            auto starting = start_load(statement);
            co_await std::move(starting);
            break;
        }
        case my_answer::kill: {
            const auto scope = statement->kill.query ? kill_scope::query : kill_scope::connection;
            auto killing = kill(statement->kill.connection, scope);
            co_await std::move(killing);
            break;
        }
        case my_answer::nothing: {
            bool ended = true;
            if (statement->definition) {
                auto ending = end_transaction(true);
                ended = co_await std::move(ending);
            }
            if (!over() && ended)
                ok();
            break;
        }
        case my_answer::use:
            fail(1295,
                 "HY000",
                 "This command is not supported in the prepared statement protocol yet");
            break;
        case my_answer::refusal:
            fail(statement->refused);
            break;
    }
}

asio::awaitable<void> my_conversation::use(std::string name, std::size_t packet)
{
    if (name == state_.database) {
        ok();
        co_return;
    }
    if (open_) {
        // It is of this database: as ever when a client leaves one.
        auto ending = end_transaction(true);
        const bool ended = co_await std::move(ending);
        if (over() || !ended)
            co_return;
    }
    const auto rest = behind(packet);
    const auto sequence = sequence_;
    channel_->flush();
    // If there is such a database, this conversation has no client from here on.
    const bool known = channel_->change_database(name, sequence, rest.readable());
    if (!known && !over())
        fail(1049, "42000", "Unknown database '" + name + "'");
}

asio::awaitable<void> my_conversation::kill(std::uint64_t id, kill_scope scope)
{
    auto answer = std::make_shared<std::optional<kill_outcome>>();
    if (id > UINT32_MAX) {
        *answer = kill_outcome::unknown_id;
    } else {
        auto done = [answer, weak = weak_from_this(), this](kill_outcome how) {
            *answer = how;
            if (const auto self = weak.lock())
                answered_.cancel();
        };
        channel_->kill(static_cast<std::uint32_t>(id), scope, std::move(done));
    }
    while (!over() && !*answer) {
        answered_.expires_after(std::chrono::seconds(1));
        asio::error_code woken;
        auto token = asio::redirect_error(asio::use_awaitable, woken);
        auto waiting = answered_.async_wait(token);
        co_await std::move(waiting);
    }
    if (over())
        co_return;
    if (**answer == kill_outcome::done)
        ok();
    else if (**answer == kill_outcome::unknown_id)
        fail(1094, "HY000", "Unknown thread id: " + std::to_string(id));
    else
        fail(1095, "HY000", "You are not owner of thread " + std::to_string(id));
}

}  // namespace sluice::gateway
