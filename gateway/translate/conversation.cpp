// gateway/translate/conversation.cpp: messages in, one after another; errors and readiness out.
#include "gateway/translate/conversation.hpp"

#include <algorithm>
#include <array>

#include "proto/core/errc.hpp"
#include "proto/pg/replies.hpp"
#include "proto/sql/split.hpp"

namespace sluice::gateway {

conversation::conversation(client_channel& channel, sqlite::database& on, translate_options with)
    : dialogue(channel, on, with)
{
    settings_.apply_startup(channel.identity().parameters);
    settings_.set_user(channel.identity().user);
    channel.forget_parameters();
}

sqlite::session_context conversation::context_of() const
{
    sqlite::session_context who;
    const auto& identity = channel_->identity();
    who.user = identity.user;
    who.database = identity.database;
    who.process_id = static_cast<std::int32_t>(identity.pid);
    who.settings = settings_.all();
    return who;
}

// Functions like current_setting() see what SET did.
void conversation::refresh_context()
{
    if (!context_stale_ || gone_)
        return;
    context_stale_ = false;
    session_.set_context(context_of());
}

void conversation::start()
{
    // The pid is known only now.
    session_.set_context(context_of());
    auto& out = channel_->out();
    settings_.append_reported(out);
    std::array<std::byte, 4> key{};
    store_be(key.data(), channel_->identity().cancel_key);
    pg::append_backend_key_data(out, channel_->identity().pid, key);
    ready();
    channel_->flush();
}

bool conversation::between_transactions() const noexcept
{
    return block_ == block::none && !copy_;
}

bool conversation::wants_turn() const noexcept
{
    const auto type = static_cast<char>(work_.readable()[0]);
    return (type == 'Q' || type == 'E') && !skip_until_sync_;
}

std::size_t conversation::refuse_next(const tenant_refusal& why)
{
    const auto found = pg::next_frame(work_.readable(), options_.max_message);
    reply_error error;
    error.sqlstate = rule_for(why.code).sqlstate;
    error.message = why.message;
    error.hint = why.hint;
    send_error("ERROR", error);
    if (block_ == block::open)
        block_ = block::failed;
    if (found->message.type == 'Q')
        ready();
    else
        skip_until_sync_ = true;
    return found->message.wire_size();
}

void conversation::close_with_error(client_error why)
{
    meter_.refused(why);
    const auto& rule = rule_for(why);
    close_with(rule.sqlstate, rule.message);
}

void conversation::close_with(std::string_view sqlstate, std::string_view message)
{
    reply_error error;
    error.sqlstate = sqlstate;
    error.message = message;
    send_error("FATAL", error);
    close_now(message);
}

// A whole message at the front of work_?
bool conversation::more_messages()
{
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto found = pg::next_frame(work_.readable(), options_.max_message);
        if (!found) {
            if (found.error() == errc::message_too_large)
                close_with("54000", "a message is longer than max_message");
            else
                protocol_error("invalid message length");
            return false;
        }
        if (found->missing == 0)
            return true;
        if (!refill())
            return false;
    }
    return false;
}

// The message behind the current one, as far as it has arrived.
bool conversation::next_is(char type) const
{
    const auto rest = work_.readable().subspan(peek_);
    return !rest.empty() && static_cast<char>(rest[0]) == type;
}

asio::awaitable<std::size_t> conversation::answer_next()
{
    const auto found = pg::next_frame(work_.readable(), options_.max_message);
    peek_ = found->message.wire_size();
    failed_now_ = false;
    auto answering = answer(found->message);
    co_await std::move(answering);
    co_return std::exchange(peek_, 0);
}

asio::awaitable<void> conversation::answer(const pg::frame& message)
{
    const char type = message.type;
    const auto body = message.body;
    if (type == 'X') {
        closing_ = true;
        channel_->close("client terminated");
        co_return;
    }
    if (skip_until_sync_ && type != 'S')
        co_return;
    if (type != 'H' && type != 'd')
        begin_request();
    if (described_ && type != 'E')
        settle_described_portal();
    if (copy_ && type != 'H' && (type != 'S' || copy_->simple)) {
        auto copying = copy_message(message);
        co_await std::move(copying);
        co_return;
    }

    bool well_formed = true;
    switch (type) {
        case 'Q': {
            const auto text = pg::decode_query(body);
            well_formed = bool{text};
            if (well_formed) {
                auto running = simple_query(*text);
                co_await std::move(running);
            }
            break;
        }
        case 'P': {
            const auto request = pg::decode_parse(body);
            well_formed = bool{request};
            if (well_formed) {
                auto parsing = parse(*request);
                co_await std::move(parsing);
            }
            break;
        }
        case 'B': {
            const auto request = pg::decode_bind(body);
            well_formed = bool{request};
            if (well_formed) {
                auto binding = bind(*request);
                co_await std::move(binding);
            }
            break;
        }
        case 'D':
        case 'C': {
            const auto request = pg::decode_named(body);
            well_formed = bool{request};
            if (well_formed) {
                auto naming = named_request(type, *request);
                co_await std::move(naming);
            }
            break;
        }
        case 'E': {
            const auto request = pg::decode_execute(body);
            well_formed = bool{request};
            if (!well_formed)
                break;
            const auto at = portals_.find(request->portal);
            if (at == portals_.end()) {
                reply_error unknown;
                unknown.sqlstate = "34000";
                unknown.message = "portal \"" + std::string(request->portal) + "\" does not exist";
                auto failing = fail(std::move(unknown));
                co_await std::move(failing);
                break;
            }
            meter_.statement(at->second->prepared->statement->digest);
            auto executing = execute_portal(at->second, request->max_rows);
            co_await std::move(executing);
            break;
        }
        case 'H':
            channel_->flush();
            break;
        case 'S': {
            auto syncing = sync();
            co_await std::move(syncing);
            break;
        }
        case 'F': {
            reply_error refused;
            refused.sqlstate = "0A000";
            refused.message =
                "function calls by number are not available for SQLite databases; "
                "use SELECT";
            auto failing = fail(std::move(refused));
            co_await std::move(failing);
            skip_until_sync_ = false;
            if (!over())
                ready();
            break;
        }
        case 'd':
        case 'c':
        case 'f':
            break;  // what a client still sent for a COPY that failed
        default:
            protocol_error("invalid frontend message type");
            co_return;
    }
    if (!well_formed && !over())
        protocol_error("invalid message format");
}

void conversation::protocol_error(std::string_view message)
{
    close_with("08P01", message);
}

void conversation::ready()
{
    settings_.append_reported(channel_->out());
    auto status = pg::transaction_status::idle;
    if (block_ == block::open)
        status = pg::transaction_status::open;
    if (block_ == block::failed)
        status = pg::transaction_status::failed;
    pg::append_ready_for_query(channel_->out(), status);
    if (meter_.open())
        meter_.finished(now(), status != pg::transaction_status::idle);
}

void conversation::send_error(std::string_view severity, const reply_error& error)
{
    pg::error_fields fields;
    fields.severity = severity;
    fields.sqlstate = error.sqlstate;
    fields.message = error.message;
    fields.detail = error.detail;
    fields.hint = error.hint;
    fields.position = error.position;
    fields.table = error.table;
    fields.column = error.column;
    fields.constraint = error.constraint;
    if (severity == "WARNING" || severity == "NOTICE") {
        pg::append_notice(channel_->out(), fields);
    } else {
        meter_.error(error.sqlstate);
        pg::append_error(channel_->out(), fields);
    }
}

void conversation::notice(std::string_view severity,
                          std::string_view sqlstate,
                          std::string_view message)
{
    reply_error words;
    words.sqlstate = sqlstate;
    words.message = message;
    send_error(severity, words);
}

reply_error conversation::from_engine(const sqlite::sql_error& error,
                                      const client_statement* statement) const
{
    reply_error out;
    out.sqlstate = error.sqlstate;
    out.message = error.message;
    out.detail = error.detail;
    out.hint = error.hint;
    out.table = error.table;
    out.column = error.column;
    out.constraint = error.constraint;
    if (error.position >= 0 && statement && statement->sql && !query_.empty()) {
        const auto at = statement->sqlite.client_offset(static_cast<std::size_t>(error.position));
        const auto offset = std::min(statement->offset + at, query_.size());
        out.position = static_cast<std::uint32_t>(sql::character_position(query_, offset));
    }
    return out;
}

// Tells the client, and leaves the transaction as PostgreSQL would.
asio::awaitable<void> conversation::fail(reply_error error)
{
    failed_now_ = true;
    if (over())
        co_return;
    send_error("ERROR", error);
    skip_until_sync_ = true;  // a simple query takes it back
    if (block_ == block::open) {
        block_ = block::failed;
        // Nothing of it can be saved but by a savepoint: let others write.
        if (begun_ && savepoints_.empty()) {
            auto rolling = engine_call(sqlite::session::verb::rollback, {});
            co_await std::move(rolling);
            begun_ = false;
        }
    } else if (block_ == block::implicit) {
        auto ending = end_block(false);
        co_await std::move(ending);
    }
}

}  // namespace sluice::gateway
