// gateway/relay/pg_lane_requests.cpp: the client's messages on their way to the backend.
#include <algorithm>

#include "gateway/context.hpp"
#include "gateway/relay/pg_lane.hpp"
#include "proto/core/reader.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/messages.hpp"

namespace sluice::gateway {
namespace {

using pg::header_size;
using pg::owed_kind;

// How much of a statement's text is looked at. What a longer one does to the session behind this
// is the server's word only (ParameterStatus, command tags).
constexpr std::size_t inspected_max = 256 * 1024;
// A request that may have to be run again is kept up to this size.
constexpr std::size_t request_kept_max = 16 * 1024;

void append_header(byte_queue& out, char type, std::size_t body)
{
    out.append_byte(type);
    out.append_be<std::uint32_t>(static_cast<std::uint32_t>(pg::length_size + body));
}

// The text of a Query or Parse without its zero; of a longer message, what is there.
std::string_view text_of(bytes_view body) noexcept
{
    const auto text = as_text(body);
    return text.substr(0, text.find('\0'));
}

}  // namespace

std::size_t pg_lane::process(bytes_view in)
{
    std::size_t at = 0;
    raw_ = {};
    request_begin_ = nullptr;
    bound_named_ = false;
    memory_.begin();
    const bool continued = link_ && !fresh_;
    while (at < in.size() && waiting_ == wait::none && !closed_) {
        if (body_left_ > 0) {
            const auto count = std::min(body_left_, in.size() - at);
            body_left_ -= count;
            if (!body_dropped_)
                forward(in.subspan(at, count));
            at += count;
            continue;
        }
        const auto rest = in.subspan(at);
        if (rest.size() < header_size)
            break;
        const char type = static_cast<char>(rest[0]);
        const auto length = load_be<std::uint32_t>(rest.data() + 1);
        if (length < pg::length_min) {
            protocol_error("a message of impossible length");
            break;
        }
        if (length > shared_.settings.gateway.max_message) {
            fatal(client_error::message_too_large,
                  "a message of " + std::to_string(length) + " bytes is longer than " +
                      "gateway.max_message (" +
                      std::to_string(shared_.settings.gateway.max_message) + ")",
                  "message too large");
            break;
        }
        if ((type == 'S' || type == 'H') && length != pg::length_min) {
            // The server would answer an error, which is nobody's reply.
            protocol_error(std::string("a message of type '") + type + "' with a body");
            break;
        }
        const auto taken = on_message(type, std::size_t{length} + 1, rest);
        if (taken == 0)
            break;
        at += taken;
    }
    if (link_) {
        // One write for all that these bytes gave.
        if (bound_named_ && !continued && request_begin_ && body_left_ == 0) {
            const auto request =
                in.subspan(static_cast<std::size_t>(request_begin_ - in.data()),
                           at - static_cast<std::size_t>(request_begin_ - in.data()));
            if (request.size() <= request_kept_max)
                link_->remember_request(request);
        } else if (continued) {
            link_->forget_request();
        }
        link_->send(std::exchange(raw_, {}));
        if (link_ && link_->congested() && waiting_ == wait::none)
            block();
    }
    if (channel_.unsent() > 0)
        channel_.flush();
    return at;
}

std::size_t pg_lane::on_message(char type, std::size_t total, bytes_view rest)
{
    if (type == 'X') {
        closed_ = true;
        channel_.close("client said goodbye");
        return std::min(total, rest.size());
    }
    if (!link_) {
        const auto taken = on_message_without_link(type, total, rest);
        if (taken > 0 || waiting_ != wait::none || closed_ || !link_)
            return taken;
    }
    if (fresh_ && enough(type, total, rest)) {
        fresh_ = false;
        request_begin_ = rest.data();
        examine(type, total, rest);
        if (const auto taken = share_leased(rest))
            return taken;
    }
    return on_leased_message(type, total, rest);
}

std::size_t pg_lane::on_message_without_link(char type, std::size_t total, bytes_view rest)
{
    if (until_sync_) {
        if (type == 'S') {
            until_sync_ = false;
            pg::append_ready_for_query(channel_.out(), pg::transaction_status::idle);
        }
        return drop(total, rest);
    }
    switch (type) {
        // Late copy data is ignored, as the server does; there is nothing to flush.
        case 'd':
        case 'c':
        case 'f':
        case 'H':
            return drop(total, rest);
        case 'Q':
        case 'P':
        case 'B':
        case 'D':
        case 'C':
        case 'E':
        case 'F':
        case 'S':
            break;
        default:
            protocol_error(std::string("a message of unknown type '") + type + "'");
            return 0;
    }
    if (refusal_)
        return refuse(type, total, rest);
    if (type == 'S') {
        pg::append_ready_for_query(channel_.out(), pg::transaction_status::idle);
        return drop(total, rest);
    }
    // A backend is leased when it can be given work.
    if (!enough(type, total, rest))
        return 0;
    if (database_->mode() == pool_mode::statement && opens_transaction(type, total, rest)) {
        // Nothing is owed without a link: the refusal is in its place here.
        refusal_ = std::make_unique<refusal>();
        refusal_->code = client_error::transaction_forbidden;
        refusal_->message = no_transactions();
        return refuse(type, total, rest);
    }
    examine(type, total, rest);
    if (const auto taken = share(rest))
        return taken;
    if (!lease())
        return refusal_ ? refuse(type, total, rest) : 0;
    return 0;
}

std::size_t pg_lane::refuse(char type, std::size_t total, bytes_view rest)
{
    const auto why = std::move(refusal_);
    append_error(why->code, false, why->message, why->hint);
    if (type == 'Q' || type == 'F' || type == 'S')
        pg::append_ready_for_query(channel_.out(), pg::transaction_status::idle);
    else
        until_sync_ = true;
    return drop(total, rest);
}

// BEGIN or START TRANSACTION, alone or among other statements.
bool pg_lane::opens_transaction(char type, std::size_t total, bytes_view rest) const
{
    if (type != 'Q' && type != 'P')
        return false;
    auto body = rest.subspan(header_size, std::min(total, rest.size()) - header_size);
    if (type == 'P')
        body = body.subspan(std::min(text_of(body).size() + 1, body.size()));
    return sql::classify_postgres(text_of(body)).has(sql::statement_kind::begin);
}

std::size_t pg_lane::on_leased_message(char type, std::size_t total, bytes_view rest)
{
    if (!enough(type, total, rest))
        return 0;
    switch (type) {
        case 'Q':
            return on_query(total, rest);
        case 'P':
            open_sequence_ = true;
            return on_parse(total, rest);
        case 'B':
            open_sequence_ = true;
            return on_bind(total, rest);
        case 'D':
        case 'C':
            open_sequence_ = true;
            return on_describe_or_close(type, total, rest);
        case 'E':
            open_sequence_ = true;
            link_->expect(owed_kind::execute);
            return relay(total, rest);
        case 'S':
            open_sequence_ = false;
            link_->expect(owed_kind::sync);
            return relay(total, rest);
        case 'F':
            open_sequence_ = false;
            link_->expect(owed_kind::query);
            return relay(total, rest);
        case 'c':
        case 'f':
            link_->expect(owed_kind::copy_end);
            return relay(total, rest);
        case 'd':
        case 'H':
            return relay(total, rest);
        default:
            protocol_error(std::string("a message of unknown type '") + type + "'");
            return 0;
    }
}

// Whether so much of the message is there that it can be understood.
bool pg_lane::enough(char type, std::size_t total, bytes_view rest) const noexcept
{
    if (session_mode() || rest.size() >= total || rest.size() >= header_size + inspected_max)
        return true;
    if (type == 'D' || type == 'C' || type == 'Q' || type == 'P')
        return false;
    if (type != 'B')
        return true;
    const auto names = rest.subspan(header_size);
    return std::count(names.begin(), names.end(), std::byte{0}) >= 2;
}

std::size_t pg_lane::on_query(std::size_t total, bytes_view rest)
{
    open_sequence_ = false;
    if (session_mode()) {
        link_->expect(owed_kind::query);
        return relay(total, rest);
    }
    const auto body = rest.subspan(header_size, std::min(total, rest.size()) - header_size);
    const auto text = text_of(body);
    const auto& traits = traits_of(text);
    if (!traits.leaves_session_alone() || traits.opaque || !statements_.empty() || pins_.pinned()) {
        std::string rewritten;
        if (rewrite_deallocate(traits, rewritten)) {
            link_->expect(owed_kind::query);
            append_forward();
            byte_queue message;
            append_header(message, 'Q', rewritten.size() + 1);
            message.append_cstring(rewritten);
            link_->add(message.readable());
            return drop(total, rest);
        }
        note(effects_of(traits));
    }
    link_->expect(owed_kind::query);
    return relay(total, rest);
}

// DEALLOCATE of a statement that the client prepared by protocol: here it has another name.
bool pg_lane::rewrite_deallocate(const sql::statement_traits& traits, std::string& text)
{
    if (traits.kind != sql::statement_kind::deallocate || traits.statements != 1)
        return false;
    const auto effects = effects_of(traits);
    const auto found = statements_.find(effects.name);
    if (effects.name.empty() || found == statements_.end())
        return false;
    const statement_ref prepared = found->second;
    statements_.erase(found);
    append_forward();
    link_->ensure_prepared(*prepared);
    link_->forget_prepared(prepared->id);
    text = "DEALLOCATE " + prepared->backend_name;
    return true;
}

std::size_t pg_lane::on_parse(std::size_t total, bytes_view rest)
{
    if (session_mode()) {
        link_->expect(owed_kind::parse);
        return relay(total, rest);
    }
    const auto body = rest.subspan(header_size, std::min(total, rest.size()) - header_size);
    const auto name = text_of(body);
    // Without its zero there is no text either: the server says so.
    if (!name.empty() && name.size() < body.size() && rest.size() >= total)
        return parse_named(name, total, rest);
    // Too long to be kept: it stays on this backend, and so does its client.
    pinned_for_good_ = pinned_for_good_ || !name.empty();
    const auto definition = body.subspan(std::min(name.size() + 1, body.size()));
    unnamed_ = prepare_unnamed(rest, definition);
    if (unnamed_) {
        append_forward();
        link_->ensure_prepared(*unnamed_);
        link_->expect_held_parse();
        return drop(total, rest);
    }
    const bool known_plain =
        memory_.look.at == rest.data() && memory_.look.text && memory_.look.text->plain;
    if (known_plain) {
        link_->expect(owed_kind::parse);
        return relay(total, rest);
    }
    const auto traits = sql::classify_postgres(text_of(definition));
    if (!traits.leaves_session_alone() || traits.opaque || !statements_.empty() || pins_.pinned()) {
        std::string rewritten;
        if (rest.size() >= total && rewrite_deallocate(traits, rewritten)) {
            link_->expect(owed_kind::parse);
            byte_queue message;
            append_header(message, 'P', 1 + rewritten.size() + 1 + 2);
            message.append_cstring("");
            message.append_cstring(rewritten);
            message.append_be<std::uint16_t>(0);
            link_->add(message.readable());
            return drop(total, rest);
        }
        note(effects_of(traits));
    }
    link_->expect(owed_kind::parse);
    return relay(total, rest);
}

std::size_t pg_lane::parse_named(std::string_view name, std::size_t total, bytes_view rest)
{
    const auto definition =
        rest.subspan(header_size + name.size() + 1, total - header_size - name.size() - 1);
    if (const auto* known = find_statement(name)) {
        // The server refuses a name that is in use; let it do so with the name it has there.
        append_forward();
        link_->ensure_prepared(**known);
        link_->expect(owed_kind::parse);
        return rewrite_name({}, name, (*known)->backend_name, total, rest);
    }
    const auto prepared = shared_.statements.intern(definition);
    statements_.emplace(name, prepared);
    parsing_.emplace_back(prepared->id, name);
    if (link_->is_prepared(prepared->id)) {
        append_forward();
        link_->expect(owed_kind::parse, prepared->id, true);
        return drop(total, rest);
    }
    const bool owed = link_->expect(owed_kind::parse, prepared->id);
    const auto taken = rewrite_name({}, name, prepared->backend_name, total, rest);
    if (owed) {
        append_forward();
        link_->note_prepared(prepared->id);
    }
    return taken;
}

std::size_t pg_lane::on_bind(std::size_t total, bytes_view rest)
{
    if (session_mode()) {
        link_->expect(owed_kind::bind);
        return relay(total, rest);
    }
    const auto body = rest.subspan(header_size, std::min(total, rest.size()) - header_size);
    reader fields(body);
    const auto portal = fields.cstring();
    const auto name = fields.cstring();
    if (fields.failed()) {
        protocol_error("a Bind message without names");
        return 0;
    }
    const auto* known = find_or_unnamed(name);
    if (!known) {
        link_->expect(owed_kind::bind);
        return relay(total, rest);
    }
    if (!link_->is_prepared((*known)->id)) {
        append_forward();
        link_->ensure_prepared(**known);
    }
    bound_named_ = true;
    note((*known)->effects);
    link_->expect(owed_kind::bind);
    return rewrite_name(body.first(portal.size() + 1), name, (*known)->backend_name, total, rest);
}

std::size_t pg_lane::on_describe_or_close(char type, std::size_t total, bytes_view rest)
{
    const auto body = rest.subspan(header_size, std::min(total, rest.size()) - header_size);
    const bool statement = !body.empty() && static_cast<char>(body[0]) == 'S';
    const auto kind = type == 'C' ? owed_kind::close
                      : statement ? owed_kind::describe_statement
                                  : owed_kind::describe_portal;
    const auto name = statement ? text_of(body.subspan(1)) : std::string_view{};
    const bool ended = 1 + name.size() < body.size();  // else the server refuses it
    const auto* known = session_mode() || !statement || !ended ? nullptr : find_or_unnamed(name);
    if (type == 'C' && statement && name.empty())
        unnamed_.reset();
    if (!known || (type == 'C' && name.empty())) {
        link_->expect(kind);
        return relay(total, rest);
    }
    if (type == 'C') {
        statements_.erase(statements_.find(name));
        append_forward();
        link_->expect(owed_kind::close, 0, true);
        return drop(total, rest);
    }
    if (!link_->is_prepared((*known)->id)) {
        append_forward();
        link_->ensure_prepared(**known);
    }
    link_->expect(kind);
    return rewrite_name(body.first(1), name, (*known)->backend_name, total, rest);
}

const statement_ref* pg_lane::find_or_unnamed(std::string_view name) const
{
    if (!name.empty())
        return find_statement(name);
    return unnamed_ ? &unnamed_ : nullptr;
}

const statement_ref* pg_lane::find_statement(std::string_view name) const
{
    const auto found = statements_.find(name);
    return found == statements_.end() ? nullptr : &found->second;
}

// Forwards a message with another name in the place of `name`, which stands behind `before` at the
// start of the body. What follows may still be on its way.
std::size_t pg_lane::rewrite_name(bytes_view before,
                                  std::string_view name,
                                  std::string_view replacement,
                                  std::size_t total,
                                  bytes_view rest)
{
    append_forward();
    const auto head = header_size + before.size() + name.size() + 1;
    byte_queue& out = link_->out();
    append_header(
        out, static_cast<char>(rest[0]), total - header_size - name.size() + replacement.size());
    out.append(before);
    out.append_cstring(replacement);
    const auto taken = std::min(total, rest.size());
    body_left_ = total - taken;
    body_dropped_ = false;
    forward(rest.subspan(head, taken - head));
    return taken;
}

std::size_t pg_lane::relay(std::size_t total, bytes_view rest)
{
    const auto taken = std::min(total, rest.size());
    body_left_ = total - taken;
    body_dropped_ = false;
    forward(rest.first(taken));
    return taken;
}

std::size_t pg_lane::drop(std::size_t total, bytes_view rest)
{
    const auto taken = std::min(total, rest.size());
    body_left_ = total - taken;
    body_dropped_ = true;
    return taken;
}

// Adjacent bytes go out as one piece, straight from where they were read.
void pg_lane::forward(bytes_view bytes)
{
    if (!raw_.empty() && raw_.data() + raw_.size() == bytes.data()) {
        raw_ = {raw_.data(), raw_.size() + bytes.size()};
        return;
    }
    append_forward();
    raw_ = bytes;
}

// Something of the gateway's own comes next: what is collected goes before it.
void pg_lane::append_forward()
{
    if (!raw_.empty() && link_)
        link_->add(raw_);
    raw_ = {};
}

void pg_lane::protocol_error(std::string_view message)
{
    fatal(client_error::malformed_message,
          "protocol violation: the client sent " + std::string(message),
          "bad message");
}

}  // namespace sluice::gateway
