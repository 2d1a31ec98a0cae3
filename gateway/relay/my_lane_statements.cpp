// gateway/relay/my_lane_statements.cpp: COM_STMT_*: the client's ids, and the backends'.
#include <algorithm>

#include "gateway/context.hpp"
#include "gateway/relay/my_charsets.hpp"
#include "gateway/relay/my_lane.hpp"
#include "proto/mysql/requests.hpp"

namespace sluice::gateway {
namespace {

using mysql::command;
using mysql::header_size;
using mysql::packet_header;

// A text to be prepared is kept as long as a client has it prepared.
constexpr std::size_t prepared_text_max = 1024 * 1024;
constexpr std::size_t id_at = header_size + 1;
constexpr std::uint32_t last_prepared = 0xffffffff;  // MariaDB's clients: the one before

}  // namespace

my_client_statement* my_lane::find_statement(std::uint32_t id)
{
    const auto found = statements_.find(id == last_prepared ? last_prepared_ : id);
    return found == statements_.end() ? nullptr : &found->second;
}

std::size_t my_lane::on_prepare(packet_header header, bytes_view rest)
{
    if (header.length > prepared_text_max)
        return refuse_with(client_error::not_supported,
                           "a statement to be prepared may have 1 MiB at most",
                           header,
                           rest);
    if (rest.size() < header_size + header.length)
        return 0;
    if (!ready())
        return refusal_ ? refuse(header, rest) : 0;
    const auto text = mysql::text_of(rest.subspan(header_size, header.length));
    preparing_ = database_->statements().intern(text, parse_context(settings_), reading_mode());
    const auto same = [&](const auto& each) { return each.second.statement == preparing_; };
    if (std::any_of(statements_.begin(), statements_.end(), same))
        preparing_ = database_->statements().make_another(*preparing_);
    meter_.granted(now());
    command_ = command::stmt_prepare;
    effects_ = {};
    running_ = true;
    failed_ = false;
    link_->expect_prepare(*preparing_);
    return relay(header, rest);
}

std::uint32_t my_lane::on_prepared(const mysql::prepare_ok& answer)
{
    while (next_statement_ == 0 || next_statement_ == last_prepared ||
           statements_.contains(next_statement_))
        ++next_statement_;
    const auto id = next_statement_++;
    my_client_statement known;
    known.statement = std::move(preparing_);
    known.parameters = answer.parameters;
    statements_.emplace(id, std::move(known));
    last_prepared_ = id;
    return id;
}

// True: the link has the statement prepared and its client's settings. False: wait, or refusal_ or
// prepare_error_ says why not.
bool my_lane::ready_for(const my_statement& wanted)
{
    if (!leased())
        return false;
    if (!prepare_error_.empty())
        return false;
    if (!link_->prepared(wanted.id)) {
        prepares_first_ = true;
        session_settings then = settings_;
        const auto mine = parse_context(settings_);
        for (const auto& [name, value] : mine.entries())
            then.erase(name);
        for (const auto& [name, value] : wanted.context.entries())
            then.set(name, value);
        if (!settle_settings(then))
            return false;
        link_->prepare(wanted);
        backend_prepares_ = true;
        hold(wait::settings);
        return false;
    }
    return settle_settings(settings_);
}

void my_lane::on_backend_prepared(bytes_view error)
{
    prepare_error_ = as_text(error);
    backend_prepares_ = false;
    if (waiting_ != wait::settings)
        return;
    waiting_ = wait::none;
    resume();
}

std::size_t my_lane::on_execute(packet_header header, bytes_view rest)
{
    if (rest.size() < id_at + sizeof(std::uint32_t) && rest.size() < header_size + header.length)
        return 0;
    const auto id = mysql::statement_of(rest.subspan(header_size));
    my_client_statement* known = id ? find_statement(*id) : nullptr;
    if (!known) {
        const std::string text = "Unknown prepared statement handler (" +
                                 std::to_string(id ? *id : 0) + ") given to mysqld_stmt_execute";
        return answer_error(
            {mysql::error_number::unknown_stmt_handler, "HY000", text}, header, rest);
    }
    const auto prefix = std::min<std::size_t>(header.length, execute_prefix(known->parameters));
    if (rest.size() < header_size + prefix)
        return 0;
    const auto payload =
        rest.subspan(header_size, std::min<std::size_t>(header.length, rest.size() - header_size));
    const auto request = parse_execute(payload, known->parameters);
    if (!request.complete)
        return answer_error(
            {mysql::error_number::malformed_packet, "HY000", "Malformed packet"}, header, rest);
    if (!leased())
        return refusal_ ? refuse(header, rest) : 0;
    known->instead = answered(*known);
    if (!ready_for(known->here())) {
        if (refusal_)
            return refuse(header, rest);
        if (prepare_error_.empty())
            return 0;
        const std::string error = std::exchange(prepare_error_, {});
        prepares_first_ = false;
        const auto parsed = mysql::parse_err(as_bytes(error));
        return answer_error(parsed ? *parsed : mysql::err_message{}, header, rest);
    }
    const auto& effects = known->statement->effects;
    if (sql::any(effects.looks))
        answer_questions(effects.looks);
    return send_execute(*known, request, header, rest);
}

// What the client asks of its statement before, here where that did not run, as a statement with
// the answers in it. Null: nothing of the kind.
my_statement_ref my_lane::answered(const my_client_statement& known)
{
    const my_statement& statement = *known.statement;
    if (!fresh_ || !sql::any(statement.effects.looks & known_from_replies) || known.has_long_data)
        return {};
    std::string copy;
    const auto readable = hides_ascii(client_charset())
                              ? readable_text(statement.text, client_charset(), copy)
                              : std::string_view(statement.text);
    const auto text = with_answers(statement.text, readable, dialect(), aftermath_);
    return database_->statements().intern(text, statement.context, reading_mode());
}

std::size_t my_lane::send_execute(my_client_statement& known,
                                  const my_execute& request,
                                  packet_header header,
                                  bytes_view rest)
{
    auto* here = link_->prepared(known.here().id);
    const bool missing = !request.names_types && known.mark != 0 && here->types != known.mark;
    meter_.prepared(!std::exchange(prepares_first_, false));
    meter_.know(known.statement->effects.digest, known.statement->text, dialect());
    begin_command(command::stmt_execute, known.statement->effects);
    executing_ = &known;
    if (request.names_types) {
        const auto types = as_text(
            rest.subspan(header_size + request.types_at, 2 * std::size_t{known.parameters}));
        if (types != known.types) {
            known.types = types;
            known.mark = mark_of(types);
        }
    }
    here->types = known.mark;
    if (request.flags == 0 && !known.has_long_data)
        keep_for_retry(header, rest);
    return missing ? with_types(known, request, here->backend_id, header, rest)
                   : relay_for(here->backend_id, header, rest);
}

// The client named its parameters' types once; here the server has not heard of them, or of others.
std::size_t my_lane::with_types(my_client_statement& known,
                                const my_execute& request,
                                std::uint32_t backend_id,
                                packet_header header,
                                bytes_view rest)
{
    const auto longer = static_cast<std::uint32_t>(header.length + known.types.size());
    byte_queue& out = link_->out();
    if (longer < mysql::payload_max) {
        mysql::store_header(out.grow(header_size), {longer, header.sequence});
    } else {
        longer_ = std::make_unique<my_longer_command>(known.types.size());
        longer_->begin(header, out);
        longer_->skip(request.types_at);
        if (longer_->adds_packet())
            link_->on_continuation(header, true);
    }
    out.append_byte(static_cast<char>(command::stmt_execute));
    out.append_le(backend_id);
    // Flags, iterations, which parameters are null.
    out.append(rest.subspan(id_at + sizeof backend_id, request.types_at - 2 - sizeof backend_id));
    out.append_byte('\1');
    out.append(known.types);
    return relay(header, rest, header_size + request.types_at);
}

// Forwards a command of a statement's, with the backend's id in it.
std::size_t my_lane::relay_for(std::uint32_t backend_id, packet_header header, bytes_view rest)
{
    std::byte* head = link_->out().grow(id_at + sizeof backend_id);
    std::copy_n(rest.data(), id_at, head);
    store_le(head + id_at, backend_id);
    return relay(header, rest, id_at + sizeof backend_id);
}

std::size_t my_lane::on_long_data(packet_header header, bytes_view rest)
{
    if (rest.size() < id_at + sizeof(std::uint32_t) && rest.size() < header_size + header.length)
        return 0;
    const auto id = mysql::statement_of(rest.subspan(header_size));
    my_client_statement* known = id ? find_statement(*id) : nullptr;
    // Nobody answers: the execution behind it will tell the client.
    if (!known)
        return drop(header, rest);
    if (!ready_for(*known->statement)) {
        if (waiting_ != wait::none)
            return 0;
        return drop(header, rest);
    }
    if (!known->has_cursor && !known->has_long_data)
        ++in_use_;
    known->has_long_data = true;
    known->instead.reset();
    link_->set_dirty(true);
    const auto backend_id = link_->prepared(known->statement->id)->backend_id;
    return relay_for(backend_id, header, rest);
}

// The cursor is closed, or the long data was used.
void my_lane::end_statement(my_client_statement& known)
{
    if (known.has_cursor || known.has_long_data)
        --in_use_;
    known.has_cursor = known.has_long_data = false;
}

std::size_t my_lane::on_fetch(packet_header header, bytes_view rest)
{
    if (!whole(header, rest))
        return 0;
    const auto request = mysql::decode_fetch(rest.subspan(header_size, header.length));
    my_client_statement* known = request ? find_statement(request->statement) : nullptr;
    auto* here = known && known->has_cursor && link_ ? link_->prepared(known->here().id) : nullptr;
    if (!here) {
        const std::string text = "The statement (" +
                                 std::to_string(request ? request->statement : 0) +
                                 ") has no open cursor.";
        return answer_error({1421, "HY000", text}, header, rest);
    }
    const auto backend_id = here->backend_id;
    begin_command(command::stmt_fetch, {});
    executing_ = known;
    return relay_for(backend_id, header, rest);
}

std::size_t my_lane::on_statement_reset(packet_header header, bytes_view rest)
{
    if (!whole(header, rest))
        return 0;
    const auto id = mysql::statement_of(rest.subspan(header_size, header.length));
    my_client_statement* known = id ? find_statement(*id) : nullptr;
    if (!known) {
        const std::string text = "Unknown prepared statement handler (" +
                                 std::to_string(id ? *id : 0) + ") given to mysqld_stmt_reset";
        return answer_error(
            {mysql::error_number::unknown_stmt_handler, "HY000", text}, header, rest);
    }
    auto* here = link_ && (known->has_cursor || known->has_long_data)
                     ? link_->prepared(known->here().id)
                     : nullptr;
    if (!here) {
        answer_ok();
        return header_size + header.length;
    }
    const auto backend_id = here->backend_id;
    end_statement(*known);
    begin_command(command::stmt_reset, {});
    mysql::append_id_command(link_->out(), command::stmt_reset, backend_id);
    link_->flush();
    return header_size + header.length;
}

std::size_t my_lane::on_statement_close(packet_header header, bytes_view rest)
{
    if (!whole(header, rest))
        return 0;
    const auto id = mysql::statement_of(rest.subspan(header_size, header.length));
    my_client_statement* known = id ? find_statement(*id) : nullptr;
    if (!known)
        return header_size + header.length;
    if (known->has_cursor || known->has_long_data) {
        end_statement(*known);
        // The statement stays, for whoever prepared the same text. Its answer may end the lease.
        if (auto* here = link_ ? link_->prepared(known->here().id) : nullptr) {
            link_->set_dirty(pinned() || session_mode());
            link_->reset_statement(here->backend_id);
        }
    }
    statements_.erase(*id == last_prepared ? last_prepared_ : *id);
    return header_size + header.length;
}

}  // namespace sluice::gateway
