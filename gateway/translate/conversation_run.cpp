// gateway/translate/conversation_run.cpp: running statements on the engine, rows to the client.
#include "gateway/translate/conversation.hpp"

#include <asio/use_awaitable.hpp>

#include "proto/pg/replies.hpp"

namespace sluice::gateway {

std::shared_ptr<row_encoder> conversation::make_encoder(const statement_ptr& statement,
                                                        std::vector<std::uint16_t> formats)
{
    std::shared_ptr<const column_hints> hints(statement, &statement->hints);
    if (last_encoder_ && last_encoder_.use_count() == 1 && last_encoder_->is_idle()) {
        last_encoder_->begin_anew(std::move(hints), std::move(formats));
    } else {
        last_encoder_ = std::make_shared<row_encoder>(std::move(hints), std::move(formats));
        connect(last_encoder_);
    }
    return last_encoder_;
}

// The engine learns of the client's transaction when there is something to do in it.
asio::awaitable<bool> conversation::enter_transaction(const client_statement& statement)
{
    refresh_context();
    const bool wanted =
        block_ == block::open || (block_ == block::implicit && !statement.reads_only);
    if (begun_ || !wanted)
        co_return true;
    auto beginning = engine_begin();
    const auto done = co_await std::move(beginning);
    if (over())
        co_return false;
    if (done.error) {
        auto failing = fail(from_engine(*done.error, nullptr));
        co_await std::move(failing);
        co_return false;
    }
    begun_ = true;
    co_return true;
}

asio::awaitable<sqlite::outcome> conversation::engine_begin()
{
    auto how = pending_;
    if (block_ == block::implicit)
        how = {};
    auto beginning = session_.begin(how, asio::use_awaitable);
    auto done = co_await std::move(beginning);
    co_return done;
}

// Commit, rollback and savepoints; an error is sent.
asio::awaitable<bool> conversation::engine_call(sqlite::session::verb what, std::string name)
{
    using verb = sqlite::session::verb;
    auto calling = call_engine(what, std::move(name));
    const auto done = co_await std::move(calling);
    if (over())
        co_return false;
    if (!done.error)
        co_return true;
    if (what == verb::rollback)
        co_return true;  // there is nothing left to roll back
    if (what == verb::commit) {
        begun_ = false;
        block_ = block::none;
        savepoints_.clear();
    }
    auto failing = fail(from_engine(*done.error, nullptr));
    co_await std::move(failing);
    co_return false;
}

// Ends the block in the engine and here. False: the commit failed, and the client knows.
asio::awaitable<bool> conversation::end_block(bool commit)
{
    const bool known = begun_;
    begun_ = false;
    block_ = block::none;
    savepoints_.clear();
    read_only_ = false;
    bool done = true;
    if (known) {
        auto ending = engine_call(
            commit ? sqlite::session::verb::commit : sqlite::session::verb::rollback, {});
        done = co_await std::move(ending);
        // The engine has closed its suspended results.
        for (auto& [name, each] : portals_)
            each->suspended = 0;
    }
    std::erase_if(portals_, [](const auto& each) { return each.second->cursor; });
    untold_.reset();
    settings_.end_transaction(commit && done);
    context_stale_ = true;
    co_return done;
}

// Runs or goes on with a portal until it ends, its row limit or an error. CommandComplete or
// PortalSuspended is sent. False: an error was.
asio::awaitable<bool> conversation::pump(portal& which, std::int64_t max_rows)
{
    auto running = run_portal(which, max_rows);
    const auto how = co_await std::move(running);
    if (how == ran::failed)
        co_return false;
    if (how == ran::row_limit) {
        pg::append_portal_suspended(channel_->out());
        co_return true;
    }
    const auto& statement = *which.prepared->statement;
    if (statement.who == answered_by::copy) {
        if (statement.copy.shape == row_shape::copy_binary)
            pg::append_copy_data(channel_->out(), which.encoder->copy_binary_end().readable());
        pg::append_copy_done(channel_->out());
    }
    complete(statement, which.rows, which.changes);
    co_return true;
}

asio::awaitable<conversation::ran> conversation::run_portal(portal& which, std::int64_t max_rows)
{
    const auto statement = which.prepared->statement;
    std::int64_t left = max_rows;
    for (;;) {
        sqlite::outcome done;
        if (which.suspended != 0) {
            auto resuming = session_.resume(which.suspended, left, asio::use_awaitable);
            done = co_await std::move(resuming);
        } else {
            sqlite::request what;
            what.sql = statement->sql;
            what.parameters = which.parameters;
            what.sink = which.encoder;
            what.max_rows = left;
            what.timeout = settings_.statement_timeout();
            what.read_only = block_ == block::open ? read_only_ : settings_.default_read_only();
            which.started = true;
            arm_limits();
            auto tried = std::exchange(tried_, std::nullopt);
            if (auto at_once = tried ? std::move(*tried) : session_.execute_now(what)) {
                done = std::move(*at_once);
            } else {
                auto executing = session_.execute(std::move(what), asio::use_awaitable);
                done = co_await std::move(executing);
            }
        }
        if (over())
            co_return ran::failed;
        const auto ended_by = done.error ? explain_limit(*done.error) : std::nullopt;
        if (ended_by == time_limit::transaction)
            savepoints_.clear();  // nothing of it is kept
        which.suspended = done.portal;
        if (done.statement)
            which.running = done.statement;
        for (auto& [name, value] : done.settings) {
            (void)settings_.set(name, value, false, block_ != block::none);
            context_stale_ = true;
        }
        if (done.error) {
            which.suspended = 0;
            which.done = true;
            send_rest(which.encoder->take_rest(nullptr));
            if (begun_ && done.transaction != sqlite::transaction_status::open) {
                savepoints_.clear();
                begun_ = false;
                auto rolling = engine_call(sqlite::session::verb::rollback, {});
                co_await std::move(rolling);
            }
            auto failing = fail(from_engine(*done.error, statement.get()));
            co_await std::move(failing);
            co_return ran::failed;
        }
        which.rows += static_cast<std::uint64_t>(done.rows);
        left -= done.rows;
        which.changes = static_cast<std::uint64_t>(done.changes);
        send_rest(which.encoder->take_rest(which.running.get()));
        which.encoder->note_unsent(channel_->unsent());
        if (done.suspended == sqlite::suspension::none)
            break;
        if (done.suspended == sqlite::suspension::row_limit)
            co_return ran::row_limit;
        auto waiting = wait_for_client();
        co_await std::move(waiting);
        if (over())
            co_return ran::failed;
        which.encoder->note_unsent(channel_->unsent());
        if (cancelled_) {
            auto closing = session_.close(which.suspended, asio::use_awaitable);
            (void)co_await std::move(closing);
            which.suspended = 0;
            which.done = true;
            reply_error stopped;
            stopped.sqlstate = "57014";
            stopped.message = "canceling statement due to user request";
            auto failing = fail(std::move(stopped));
            co_await std::move(failing);
            co_return ran::failed;
        }
    }
    which.done = true;
    co_return ran::done;
}

void conversation::complete(const client_statement& statement,
                            std::uint64_t rows,
                            std::uint64_t changes)
{
    auto& out = channel_->out();
    meter_.rows(statement.counts == tag_count::changes ? changes : rows);
    switch (statement.counts) {
        case tag_count::none:
            if (statement.who == answered_by::copy)
                pg::append_command_complete(out, statement.tag, rows);
            else
                pg::append_command_complete(out, statement.tag);
            break;
        case tag_count::rows:
            pg::append_command_complete(out, statement.tag, rows);
            break;
        case tag_count::changes:
            pg::append_command_complete(out, statement.tag, changes);
            break;
    }
}

}  // namespace sluice::gateway
