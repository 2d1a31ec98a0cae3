// gateway/translate/conversation_simple.cpp: the simple protocol: one text, several statements.
//
// PostgreSQL, "Multiple Statements in a Simple Query": they are one transaction unless the text
// says otherwise; the first error ends the message.
#include "gateway/translate/conversation.hpp"

#include "proto/pg/replies.hpp"
#include "proto/sql/split.hpp"

namespace sluice::gateway {

statement_ptr conversation::read(std::string_view text, std::size_t offset)
{
    if (const auto known = std::exchange(at_hand_, nullptr))
        if (known->offset == offset && known->text == text)
            return known;
    return options_.texts ? options_.texts->read(text, offset) : read_statement(text, offset);
}

asio::awaitable<void> conversation::simple_query(std::string_view text)
{
    query_ = text;
    // The unnamed statement and portal do not outlive a simple query.
    statements_.erase(std::string());
    auto closing = close_portal({});
    co_await std::move(closing);
    if (over())
        co_return;

    std::string_view rest = text;
    std::string_view one = sql::next_statement(rest);
    if (one.empty())
        pg::append_empty_query(channel_->out());
    bool first = true;
    while (!one.empty() && !failed_now_ && !over()) {
        auto following = rest;
        const std::string_view next = sql::next_statement(following);
        const bool alone = first && next.empty();
        const auto offset = static_cast<std::size_t>(one.data() - text.data());
        const auto statement = read(one, offset);
        if (first) {
            meter_.look(text);
            meter_.know(statement->digest, statement->text, sql::dialect::postgres);
            meter_.statement(statement->digest);
        }
        auto running = simple_statement(statement, alone);
        co_await std::move(running);
        if (copy_) {
            copy_->simple = true;
            copy_->rest = std::string(rest);
            query_ = {};
            channel_->flush();
            co_return;  // CopyDone or CopyFail goes on
        }
        first = false;
        rest = following;
        one = next;
    }
    if (!over() && block_ == block::implicit) {
        auto ending = end_block(!failed_now_);
        co_await std::move(ending);
    }
    query_ = {};
    if (over())
        co_return;
    skip_until_sync_ = false;
    ready();
}

asio::awaitable<void> conversation::simple_statement(statement_ptr statement, bool alone)
{
    if (refused_in_failed(*statement)) {
        auto refusing = refuse_in_failed(*statement);
        co_await std::move(refusing);
        co_return;
    }
    if (!alone && block_ == block::none)
        block_ = block::implicit;
    if (statement->who != answered_by::engine) {
        auto running = run_local(statement, true);
        co_await std::move(running);
        co_return;
    }
    auto entering = enter_transaction(*statement);
    const bool entered = co_await std::move(entering);
    if (!entered || over())
        co_return;
    if (statement->hex_literals) {
        auto reading = read_bytes(std::move(statement));
        statement = co_await std::move(reading);
        if (over())
            co_return;
    }
    portal unnamed;
    auto prepared = std::make_shared<prepared_statement>();
    prepared->statement = statement;
    unnamed.prepared = prepared;
    unnamed.encoder = make_encoder(statement, {});
    auto pumping = pump(unnamed, 0);
    co_await std::move(pumping);
}

}  // namespace sluice::gateway
