// gateway/relay/pg_lane_requests.cpp: the client's messages on their way to the backend.
#include <algorithm>

#include "gateway/context.hpp"
#include "gateway/relay/pg_lane.hpp"
#include "proto/core/reader.hpp"
#include "proto/pg/client_messages.hpp"
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

}  // namespace

std::size_t pg_lane::process(bytes_view in)
{
    std::size_t at = 0;
    raw_ = {};
    request_begin_ = nullptr;
    bound_named_ = running_again_ = false;
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
        if (length > message_max_) {
            fatal(client_error::message_too_large,
                  "a message of " + std::to_string(length) + " bytes is longer than " +
                      "gateway.max_message (" + std::to_string(message_max_) + ")",
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
        if (!continued && request_begin_ && body_left_ == 0)
            remember(in.first(at).subspan(static_cast<std::size_t>(request_begin_ - in.data())));
        else if (continued)
            link_->forget_request();
        link_->send(std::exchange(raw_, {}));
        if (link_ && link_->congested() && waiting_ == wait::none)
            block();
    }
    if (channel_.unsent() > 0)
        channel_.flush();
    return at;
}

// Of a request that went to a link of its own: it may meet a stale plan; if it only reads, it may
// run on another backend when this one dies before it answers.
void pg_lane::remember(bytes_view request)
{
    const request_look& look = memory_.look;
    const bool reads = look.only_reads && look.at == request.data() && look.size == request.size();
    if ((!bound_named_ && !reads) || request.size() > request_kept_max)
        return;
    link_->remember_request(request, reads);
}

std::size_t pg_lane::on_message(char type, std::size_t total, bytes_view rest)
{
    if (type == 'X') {
        closed_ = true;
        channel_.close("client said goodbye");
        return std::min(total, rest.size());
    }
    if (lost_) {
        const auto taken = on_message_of_lost(type, total, rest);
        if (taken > 0 || lost_ || waiting_ != wait::none || closed_)
            return taken;
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
    if (pg::kind_of(type) == pg::client_message::unanswered)
        return drop(total, rest);
    if (pg::kind_of(type) == pg::client_message::unknown) {
        unknown_type(type);
        return 0;
    }
    if (refusal_)
        return refuse(type, total, rest);
    if (type == 'S') {
        pg::append_ready_for_query(channel_.out(), pg::transaction_status::idle);
        return drop(total, rest);
    }
    meter_.begin(now());
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
    meter_.leave();
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
        body = body.subspan(std::min(up_to_zero(body).size() + 1, body.size()));
    return sql::classify_postgres(up_to_zero(body)).has(sql::statement_kind::begin);
}

std::size_t pg_lane::on_leased_message(char type, std::size_t total, bytes_view rest)
{
    if (type != 'd' && type != 'H') {
        meter_.begin(now());
        meter_.granted(now());
    }
    if (!enough(type, total, rest))
        return 0;
    switch (type) {
        case 'Q': {
            const auto taken = on_query(total, rest);
            meter_.sent();
            return taken;
        }
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
            meter_.statement(bound_);
            link_->expect(owed_kind::execute);
            return relay(total, rest);
        case 'S':
            open_sequence_ = false;
            meter_.sent();
            link_->expect(owed_kind::sync);
            return relay(total, rest);
        case 'F':
            open_sequence_ = false;
            meter_.statement(0);
            meter_.sent();
            link_->expect(owed_kind::query);
            return relay(total, rest);
        case 'c':
        case 'f':
            link_->expect(owed_kind::copy_end);
            return relay(total, rest);
        case 'H':
            link_->release_held();
            return relay(total, rest);
        case 'd':
            return relay(total, rest);
        default:
            unknown_type(type);
            return 0;
    }
}

void pg_lane::unknown_type(char type)
{
    protocol_error(std::string("a message of unknown type '") + type + "'");
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
