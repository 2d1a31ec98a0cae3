// gateway/relay/my_lane_commands.cpp: the client's commands on their way to the backend.
#include <algorithm>
#include <utility>

#include "gateway/context.hpp"
#include "gateway/my_errors.hpp"
#include "gateway/relay/my_charsets.hpp"
#include "gateway/relay/my_lane.hpp"
#include "proto/mysql/requests.hpp"

namespace sluice::gateway {
namespace {

using mysql::command;
using mysql::header_size;
using mysql::packet_header;

// How much of a statement's text is looked at. A longer one may do anything to the session behind
// this: the backend is reset when the lease ends.
constexpr std::size_t inspected_max = 256 * 1024;
// Commands that are no statements: names, ids, a login.
constexpr std::size_t short_command_max = 64 * 1024;

constexpr std::size_t command_at = header_size;
constexpr std::uint16_t local_infile_disabled = 4166;  // MariaDB's

}  // namespace

std::size_t my_lane::process(bytes_view in)
{
    std::size_t at = 0;
    while (at < in.size() && waiting_ == wait::none && !closed_ && !blocked_) {
        const auto rest = in.subspan(at);
        if (body_left_ > 0) {
            const auto part = rest.first(std::min(body_left_, rest.size()));
            body_left_ -= part.size();
            at += part.size();
            if (!body_dropped_)
                send_body(part);
        } else {
            if (rest.size() < header_size)
                break;
            const auto header = mysql::load_header(rest.data());
            std::size_t taken = 0;
            if (body_continues_)
                taken = body_dropped_ ? drop(header, rest) : relay_continuation(header, rest);
            else if (uploading_)
                taken = on_upload(header, rest);
            else if (running_)
                hold(wait::reply);
            else
                taken = on_command(header, rest);
            if (taken == 0)
                break;
            at += taken;
        }
        if (link_ && link_->congested() && waiting_ == wait::none) {
            // It may only not have been tried yet: what the link put in front of the next command.
            link_->flush();
            if (link_ && link_->congested())
                block();
        }
    }
    if (channel_.unsent() > 0)
        channel_.flush();
    return at;
}

std::size_t my_lane::on_command(packet_header header, bytes_view rest)
{
    if (rest.size() <= command_at) {
        if (header.length == 0)
            fatal(client_error::malformed_message, "a packet without a command", "bad packet");
        return 0;
    }
    last_sequence_ = header.sequence;
    message_size_ = 0;
    const auto what = static_cast<command>(rest[command_at]);
    if (refusal_ && mysql::has_reply(what))
        return refuse(header, rest);
    if (lost_ && tells_lost(what, header, rest))
        return answer_lost(header, rest);
    switch (what) {
        case command::query:
            return on_query(header, rest);
        case command::stmt_prepare:
            return on_prepare(header, rest);
        case command::stmt_execute:
            return on_execute(header, rest);
        case command::stmt_send_long_data:
            return on_long_data(header, rest);
        case command::stmt_close:
            return on_statement_close(header, rest);
        case command::stmt_reset:
            return on_statement_reset(header, rest);
        case command::stmt_fetch:
            return on_fetch(header, rest);
        case command::ping:
            return on_ping(header, rest);
        case command::quit:
            closed_ = true;
            channel_.close("client said goodbye");
            return header_size + 1;
        case command::init_db:
            return on_init_db(header, rest);
        case command::set_option:
            return on_set_option(header, rest);
        case command::process_kill:
            return on_process_kill(header, rest);
        case command::change_user:
            return on_change_user(header, rest);
        case command::reset_connection:
            return on_reset_connection(header, rest);
        case command::statistics:
        case command::field_list:
        case command::process_info:
            return on_plain_command(what, header, rest);
        default:
            return refuse_with(
                client_error::not_supported,
                std::string(mysql::name_of(what)) + " is not offered by this gateway",
                header,
                rest);
    }
}

// Whether all of a short command is there. One that is too long for its kind ends the connection.
bool my_lane::whole(packet_header header, bytes_view rest)
{
    if (header.length > short_command_max) {
        fatal(client_error::malformed_message,
              "a command of " + std::to_string(header.length) + " bytes",
              "bad packet");
        return false;
    }
    return rest.size() >= header_size + header.length;
}

std::size_t my_lane::on_query(packet_header header, bytes_view rest)
{
    if (rest.size() < header_size + std::min<std::size_t>(header.length, inspected_max))
        return 0;
    const auto text =
        as_text(rest.subspan(command_at + 1)
                    .first(std::min<std::size_t>(header.length, rest.size() - header_size) - 1));
    if (!std::exchange(understood_, false))
        effects_ = my_effects_of(text, reading_mode(), client_charset());
    const my_effects& effects = effects_;
    if (effects.kills) {
        if (!effects.kill.constant || effects.kill.by_query_id)
            return refuse_with(client_error::not_supported,
                               "KILL takes a connection id of this gateway's",
                               header,
                               rest);
        kill(static_cast<std::uint32_t>(effects.kill.connection),
             effects.kill.query ? kill_scope::query : kill_scope::connection);
        return drop(header, rest);
    }
    if (effects.loads_local_file && !(capabilities_ & mysql::capability::local_files))
        return answer_error({local_infile_disabled,
                             "HY000",
                             "The used command is not allowed because the client has disabled "
                             "the local infile capability"},
                            header,
                            rest);
    if (database_->mode() == pool_mode::statement && effects.opens_transaction)
        return refuse_with(client_error::transaction_forbidden, no_transactions(), header, rest);
    if (!effects.schema.empty() && change_database(effects.schema, header, rest))
        return header_size + header.length;
    const bool asks = sql::any(effects.looks);
    if (asks && !link_ && !last_link_) {
        if (diagnostics_from_) {
            hold(wait::settings_read);
            return 0;
        }
        if (shows_diagnostics(text, header))
            return drop(header, rest);
    }
    // What it left is there alone: no other backend will do, however long the line.
    if (sql::any(effects.looks & sql::looks_back::diagnostics) && !link_ && last_link_ &&
        aftermath_.warnings > 0 && shard_.take_again(*last_link_))
        begin_lease(*last_link_);
    if (!ready()) {
        if (refusal_)
            return refuse(header, rest);
        understood_ = true;
        return 0;
    }
    meter_.know(effects.digest, text, dialect());
    if (asks)
        answer_questions(effects.looks);
    const bool whole_text = rest.size() >= header_size + header.length && !header.continues();
    if (asks && fresh_ && whole_text && sql::any(effects.looks & known_from_replies)) {
        std::string copy;
        const auto readable =
            hides_ascii(client_charset()) ? readable_text(text, client_charset(), copy) : text;
        const auto answered = with_answers(text, readable, dialect(), aftermath_);
        begin_command(command::query, effects);
        mysql::append_text_command(link_->out(), command::query, answered);
        link_->flush();
        return header_size + header.length;
    }
    begin_command(command::query, effects);
    if (text.size() + 1 < header.length || header.continues())
        link_->may_leave(my_link::unseen::anything);
    keep_for_retry(header, rest);
    return relay(header, rest);
}

// A command that will be answered goes to the backend.
void my_lane::begin_command(command what, const my_effects& effects)
{
    command_ = what;
    if (&effects != &effects_)
        effects_ = effects;
    running_ = true;
    failed_ = false;
    meter_.begin(now());
    meter_.granted(now());
    if (what == command::query || what == command::stmt_execute)
        meter_.statement(effects_.digest);
    const bool before = pinned();
    pins_.pin(effects_);
    if (!before && pinned())
        meter_.pinned(pins_.reason().data());
    if (!sql::any(effects_.looks & sql::looks_back::diagnostics))
        forget_aftermath();
    restore_tracking_ = restore_tracking_ || effects_.touches_tracking;
    if (effects_.touches_tracking || effects_.unreported) {
        touched_.insert(touched_.end(), effects_.variables.begin(), effects_.variables.end());
    }
    link_->set_dirty(pinned() || session_mode());
    if (effects_.opaque || effects_.unknown_call)
        link_->may_leave(my_link::unseen::locks);
    link_->forget_request();
    longer_.reset();
    link_->expect(what, static_cast<std::uint8_t>(last_sequence_ + 1));
}

std::size_t my_lane::on_init_db(packet_header header, bytes_view rest)
{
    if (!whole(header, rest))
        return 0;
    const auto name = mysql::text_of(rest.subspan(command_at, header.length));
    if (change_database(name, header, rest))
        return header_size + header.length;
    if (!ready())
        return refusal_ ? refuse(header, rest) : 0;
    begin_command(command::init_db, {});
    const std::string& own = database_->schema();
    if (name != channel_.identity().database || own.empty())
        return relay(header, rest);
    // The client's name for the database that it is in.
    mysql::append_text_command(link_->out(), command::init_db, own);
    link_->flush();
    return header_size + header.length;
}

// Another database of the gateway, by its name there: then this lane is done. A client that keeps a
// backend stays on it, and names schemas of its server.
bool my_lane::change_database(std::string_view name, packet_header header, bytes_view rest)
{
    if (link_ || name == channel_.identity().database)
        return false;
    return channel_.change_database(name,
                                    static_cast<std::uint8_t>(header.sequence + 1),
                                    rest.subspan(header_size + header.length));
}

std::size_t my_lane::on_set_option(packet_header header, bytes_view rest)
{
    if (!whole(header, rest))
        return 0;
    const auto option = mysql::decode_set_option(rest.subspan(command_at, header.length));
    if (!option || *option > mysql::set_option::multi_statements_off)
        return answer_error(
            {mysql::error_number::unknown_com, "08S01", "Unknown command"}, header, rest);
    settings_.set(multi_statements_entry,
                  *option == mysql::set_option::multi_statements_on ? "1" : "0");
    answer_ok(true);
    return header_size + header.length;
}

std::size_t my_lane::on_process_kill(packet_header header, bytes_view rest)
{
    if (!whole(header, rest))
        return 0;
    const auto id = mysql::decode_process_kill(rest.subspan(command_at, header.length));
    kill(id ? *id : 0, kill_scope::connection);
    return header_size + header.length;
}

void my_lane::kill(std::uint32_t id, kill_scope scope)
{
    hold(wait::reply);
    channel_.kill(id, scope, [this, id, alive = std::weak_ptr<bool>(alive_)](kill_outcome how) {
        if (alive.expired() || closed_)
            return;
        auto sequence = static_cast<std::uint8_t>(last_sequence_ + 1);
        const std::string number = std::to_string(id);
        if (how == kill_outcome::unknown_id) {
            const std::string text = "Unknown thread id: " + number;
            mysql::append_err(
                channel_.out(), sequence, {mysql::error_number::no_such_thread, "HY000", text});
        } else if (how == kill_outcome::not_the_owner) {
            const std::string text = "You are not owner of thread " + number;
            mysql::append_err(
                channel_.out(), sequence, {mysql::error_number::kill_denied, "HY000", text});
        } else {
            answer_ok();
        }
        channel_.flush();
        waiting_ = wait::none;
        resume();
    });
}

std::size_t my_lane::on_reset_connection(packet_header header, bytes_view rest)
{
    if (!whole(header, rest))
        return 0;
    if (!link_) {
        reset_session();
        answer_ok();
        return header_size + header.length;
    }
    running_ = true;
    failed_ = false;
    command_ = command::reset_connection;
    effects_ = {};
    link_->expect(command_);
    return relay(header, rest);
}

std::size_t my_lane::on_ping(packet_header header, bytes_view rest)
{
    if (link_)
        return on_plain_command(command::ping, header, rest);
    if (!whole(header, rest))
        return 0;
    answer_ok();
    return header_size + header.length;
}

std::size_t my_lane::on_change_user(packet_header header, bytes_view rest)
{
    if (!whole(header, rest))
        return 0;
    channel_.change_user(rest);
    return rest.size();
}

std::size_t my_lane::on_plain_command(command what, packet_header header, bytes_view rest)
{
    if (!whole(header, rest))
        return 0;
    if (!ready())
        return refusal_ ? refuse(header, rest) : 0;
    begin_command(what, {});
    return relay(header, rest);
}

}  // namespace sluice::gateway
