// gateway/translate/conversation_at_once.cpp: messages that nobody has to be waited for, answered
// without a coroutine: its frames would cost more than the point read that they run.
//
// Whatever is not plain (an error, a suspended result, a write, a thread that has to be asked) is
// left for answer_next(), which finds everything as it was. What was found out already is handed
// over: at_hand_, tried_.
#include <algorithm>

#include "gateway/translate/conversation.hpp"
#include "gateway/translate/result_types.hpp"
#include "proto/pg/replies.hpp"
#include "proto/sql/split.hpp"

namespace sluice::gateway {

std::size_t conversation::answer_at_once()
{
    if (skip_until_sync_ || copy_ || block_ == block::failed || block_ == block::implicit)
        return 0;
    const auto found = pg::next_frame(work_.readable(), options_.max_message);
    const auto& message = found->message;
    if (described_ && message.type != 'E')
        return 0;
    tried_.reset();
    begin_request();
    peek_ = message.wire_size();
    failed_now_ = false;
    bool done = false;
    switch (message.type) {
        case 'P':
            done = parse_at_once(message.body);
            break;
        case 'B':
            done = bind_at_once(message.body);
            break;
        case 'D':
            done = describe_at_once(message.body);
            break;
        case 'E':
            done = execute_at_once(message.body);
            break;
        case 'S':
            done = sync_at_once();
            break;
        case 'Q':
            done = query_at_once(message.body);
            break;
        default:
            break;
    }
    const auto size = std::exchange(peek_, 0);
    return done ? size : 0;
}

// A text that was prepared before, and whose tables are as they were.
bool conversation::parse_at_once(bytes_view body)
{
    const auto request = pg::decode_parse(body);
    if (!request || !request->statement.empty() || !options_.texts || block_ != block::none)
        return false;
    std::string_view rest = request->text;
    const auto one = sql::next_statement(rest);
    if (one.empty() || !sql::next_statement(rest).empty())
        return false;
    auto* const known = options_.texts->find(one);
    if (!known || !known->prepared || !known->asks_for(request->types))
        return false;
    refresh_context();
    const auto described = session_.describe_now(known->prepared->statement->sql);
    if (!described || described->error || described->statement != known->prepared->info)
        return false;
    const auto& statement = *known->prepared->statement;
    meter_.look(request->text);
    meter_.know(statement.digest, statement.text, sql::dialect::postgres);
    auto& unnamed = unnamed_statement();
    unnamed = known->prepared;
    pg::append_parse_complete(channel_->out());
    return true;
}

prepared_ptr& conversation::unnamed_statement()
{
    const auto at = statements_.find(std::string_view{});
    return at != statements_.end() ? at->second : statements_[std::string()];
}

bool conversation::bind_at_once(bytes_view body)
{
    const auto request = pg::decode_bind(body);
    if (!request || !request->portal.empty())
        return false;
    const auto before = portals_.find(std::string_view{});
    if (before != portals_.end() && before->second->suspended != 0)
        return false;
    reply_error problem;
    auto made = make_portal(*request, problem);
    if (!made)
        return false;
    if (before != portals_.end())
        before->second = std::move(made);
    else
        portals_.emplace(std::string(), std::move(made));
    pg::append_bind_complete(channel_->out());
    return true;
}

bool conversation::describe_at_once(bytes_view body)
{
    const auto request = pg::decode_named(body);
    if (!request || request->what != pg::target::portal)
        return false;
    const auto at = portals_.find(request->name);
    if (at == portals_.end())
        return false;
    described_ = at->second;
    return true;
}

// Whether an event loop may run it as it is: it only reads, and no transaction has to begin.
bool conversation::runs_at_once(const client_statement& statement) const noexcept
{
    return statement.who == answered_by::engine && statement.reads_only &&
           !statement.hex_literals && (block_ == block::none || begun_);
}

bool conversation::execute_at_once(bytes_view body)
{
    const auto request = pg::decode_execute(body);
    if (!request || request->max_rows > 0)
        return false;
    const auto at = portals_.find(request->portal);
    if (at == portals_.end())
        return false;
    portal& which = *at->second;
    const auto& prepared = *which.prepared;
    const auto& statement = *prepared.statement;
    const bool describe = described_ != nullptr;
    if (!runs_at_once(statement) || which.started || (describe && described_ != at->second) ||
        (describe && prepared.info && !prepared.info->returns_rows()))
        return false;
    if (!which.encoder)
        encode_portal(which, describe);
    query_ = {};
    if (!run_at_once(which))
        return false;
    described_ = nullptr;
    meter_.statement(statement.digest);
    complete(statement, which.rows, which.changes);
    return true;
}

// False: run_portal() goes on, with tried_.
bool conversation::run_at_once(portal& which)
{
    refresh_context();
    sqlite::request what;
    what.sql = which.prepared->statement->sql;
    what.parameters = std::move(which.parameters);
    what.sink = which.encoder;
    what.timeout = settings_.statement_timeout();
    arm_limits();
    auto done = session_.execute_now(what);
    which.parameters = std::move(what.parameters);
    if (!done || done->error || !done->settings.empty()) {
        tried_.emplace(std::move(done));
        return false;
    }
    which.started = which.done = true;
    which.rows = static_cast<std::uint64_t>(done->rows);
    send_rest(which.encoder->take_rest(done->statement.get()));
    which.running = std::move(done->statement);
    return true;
}

bool conversation::sync_at_once()
{
    if (block_ == block::none) {
        const auto suspended = [](const auto& each) { return each.second->suspended != 0; };
        if (std::any_of(portals_.begin(), portals_.end(), suspended))
            return false;
        portals_.clear();
    }
    end_sync();
    return true;
}

bool conversation::query_at_once(bytes_view body)
{
    const auto text = pg::decode_query(body);
    const auto unnamed = portals_.find(std::string_view{});
    if (!text || block_ != block::none ||
        (unnamed != portals_.end() && unnamed->second->suspended != 0))
        return false;
    std::string_view rest = *text;
    const auto one = sql::next_statement(rest);
    if (one.empty() || !sql::next_statement(rest).empty())
        return false;
    at_hand_ = read(one, static_cast<std::size_t>(one.data() - text->data()));
    if (!runs_at_once(*at_hand_))
        return false;
    prepared_statement prepared;
    prepared.statement = at_hand_;
    portal running;
    running.prepared = std::shared_ptr<const prepared_statement>(prepared_ptr{}, &prepared);
    running.encoder = make_encoder(at_hand_, {});
    if (!run_at_once(running)) {
        // What it has left in its encoder ends here.
        if (tried_ && *tried_)
            tried_.reset();
        return false;
    }
    if (unnamed != portals_.end())
        portals_.erase(unnamed);
    statements_.erase(std::string());
    meter_.look(*text);
    meter_.know(at_hand_->digest, at_hand_->text, sql::dialect::postgres);
    meter_.statement(at_hand_->digest);
    complete(*at_hand_, running.rows, running.changes);
    at_hand_.reset();
    ready();
    return true;
}

}  // namespace sluice::gateway
