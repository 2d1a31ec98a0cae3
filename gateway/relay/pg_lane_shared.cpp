// gateway/relay/pg_lane_shared.cpp: a client's request on a link that it shares with others, and
// texts that come often.
#include "gateway/context.hpp"
#include "gateway/relay/pg_lane.hpp"
#include "proto/core/reader.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/messages.hpp"

namespace sluice::gateway {
namespace {

using pg::header_size;

// Requests up to this size are kept while they share a link.
constexpr std::size_t request_most = 8 * 1024;
constexpr int messages_most = 12;
// How often a request may come back from a shared link: then its errors are its own.
constexpr unsigned returns_most = 3;

}  // namespace

const sql::statement_traits& pg_lane::traits_of(std::string_view text)
{
    request_look& look = memory_.look;
    if (look.classified != text.data() || text.empty()) {
        look.traits = sql::classify_postgres(text);
        look.classified = text.data();
    }
    return look.traits;
}

bool pg_lane::may_share() const noexcept
{
    return database_->settings().multiplex && returned_ < returns_most && !draining_ &&
           !session_mode();
}

// What kind of request begins here, as far as it is there.
void pg_lane::examine(char type, std::size_t total, bytes_view rest)
{
    request_look& look = memory_.look;
    if (look.at == rest.data())
        return;
    look.at = rest.data();
    look.size = 0;
    look.digest = 0;
    look.only_reads = look.binds = false;
    look.text = nullptr;
    if (session_mode() || total > rest.size() || total > request_most)
        return;
    if (type == 'Q') {
        const auto& traits = traits_of(up_to_zero(rest.subspan(header_size, total - header_size)));
        look.size = total;
        look.digest = traits.digest;
        look.only_reads = traits.only_reads;
    } else if (type == 'P' || type == 'B' || type == 'D') {
        look.only_reads = true;
        if (!examine_sequence(rest))
            look.only_reads = false;
    }
}

// Up to Sync. False: not of the kind that may share.
bool pg_lane::examine_sequence(bytes_view rest)
{
    request_look& look = memory_.look;
    int executes = 0;
    bool sharable = true;
    std::size_t at = 0;
    for (int messages = 0; messages < messages_most; ++messages) {
        if (rest.size() - at < header_size)
            return false;
        const char type = static_cast<char>(rest[at]);
        const auto length = load_be<std::uint32_t>(rest.data() + at + 1);
        if (length < pg::length_min || length >= request_most ||
            at + length + 1 > std::min(rest.size(), request_most))
            return false;
        const auto body = rest.subspan(at + header_size, length - pg::length_min);
        at += std::size_t{length} + 1;
        if (type == 'S') {
            look.size = at;
            return sharable && executes == 1;
        }
        executes += type == 'E';
        look.binds = look.binds || type == 'B';
        sharable = examine_one(type, body, messages == 0) && sharable;
    }
    return false;
}

bool pg_lane::examine_one(char type, bytes_view body, bool first)
{
    request_look& look = memory_.look;
    reader fields(body);
    switch (type) {
        case 'P': {
            const auto name = fields.cstring();
            const auto definition = fields.rest();
            if (fields.failed() || !first || !name.empty() ||
                definition.size() > parsed_texts::text_max)
                return false;
            look.text = &memory_.texts.look(definition);
            look.digest = look.text->digest;
            return look.text->only_reads;
        }
        case 'B':
        case 'D': {
            const bool of_portal = type == 'B' || fields.be<std::uint8_t>() == 'P';
            if (of_portal && !fields.cstring().empty())
                return false;
            const auto name = of_portal && type == 'D' ? std::string_view{} : fields.cstring();
            if (fields.failed())
                return false;
            if ((type == 'D' && of_portal) || (name.empty() && look.text))
                return true;
            const auto* known = find_or_unnamed(name);
            if (!known || (look.digest != 0 && look.digest != (*known)->digest))
                return false;
            look.digest = (*known)->digest;
            return (*known)->only_reads;
        }
        case 'E':
            return fields.cstring().empty() && fields.be<std::uint32_t>() == 0 && !fields.failed();
        default:
            return false;
    }
}

std::optional<server_time> pg_lane::expected_if_sharable() const noexcept
{
    const request_look& look = memory_.look;
    if (!look.only_reads || look.size == 0 || !may_share())
        return std::nullopt;
    const auto expected = memory_.latencies.expected(look.digest);
    if (returned_ > 0 || expected < server_time::zero() || expected > multiplexer::shared_most)
        return multiplexer::alone;
    return expected;
}

// Puts the request behind others', if it may and there is a place. 0: not so.
std::size_t pg_lane::share(bytes_view rest)
{
    const auto expected = expected_if_sharable();
    sharable_ = expected && *expected != multiplexer::alone;
    if (!sharable_)
        return 0;
    auto right = shard_.start_shared(*this, memory_.now());
    if (!right)
        return 0;
    pg_link* link = sharing_.pick(settings_, *expected, memory_.now());
    if (link)
        return submit(*link, rest.first(memory_.look.size), *expected, std::move(right));
    right.take_back();
    return 0;
}

// The request is the first on a link that was just leased: others may join it, unless it is known
// to take long, or not known at all; then its time is measured.
std::size_t pg_lane::share_leased(bytes_view rest)
{
    const auto expected = expected_if_sharable();
    if (!expected || settings_changed_)
        return 0;
    pg_link* link = std::exchange(link_, nullptr);
    auto right = link->detach_request();
    link->begin_sharing(sharing_);
    const auto taken = submit(*link, rest.first(memory_.look.size), *expected, std::move(right));
    if (*expected < multiplexer::alone)
        sharing_.fill(*link);
    return taken;
}

// Others share links enough already, and will make room.
bool pg_lane::holds_back() const
{
    return sharable_ && !starting_ && sharing_.full(memory_.now());
}

// The request that waits is at the front of in_.
bool pg_lane::on_offer(backend& shared, pool::slot& right)
{
    auto& link = static_cast<pg_link&>(shared);
    if (starting_ || closed_ || in_.size() < header_size)
        return false;
    memory_.begin();
    const auto request = in_.readable();
    const auto length = load_be<std::uint32_t>(request.data() + 1);
    examine(static_cast<char>(request[0]), std::size_t{length} + 1, request);
    const auto expected = expected_if_sharable();
    if (!expected || *expected == multiplexer::alone ||
        !link.takes_more(settings_, memory_.now(), false))
        return false;
    in_.consume(submit(link, request.first(memory_.look.size), *expected, std::move(right)));
    return true;
}

std::size_t pg_lane::submit(pg_link& link,
                            bytes_view request,
                            server_time expected,
                            pool::slot right)
{
    const auto digest = memory_.look.digest;
    meter_.granted(now());
    if (link.requests() > 0)
        meter_.shared();
    link.begin_request(*this);
    link_ = shared_link_ = &link;
    std::size_t at = 0;
    while (at < request.size()) {
        const auto length = load_be<std::uint32_t>(request.data() + at + 1);
        at += on_leased_message(
            static_cast<char>(request[at]), std::size_t{length} + 1, request.subspan(at));
    }
    append_forward();
    bound_named_ = false;
    link_ = nullptr;
    hold(wait::reply);
    link.end_request(request, digest, expected, std::move(right));
    watch_time();
    return at;
}

void pg_lane::on_shared_done()
{
    meter_.settled(now(), channel_.unsent() > 0);
    shared_link_ = nullptr;
    unwatch_time();
    timed_out_.reset();
    waiting_ = wait::none;
    failed_ = false;
    returned_ = 0;
    if (draining_)
        request_drain();
    else
        resume();
}

// That link is no place for it any more: it runs on one that nobody follows it on.
void pg_lane::on_shared_returned(bytes_view request)
{
    shared_link_ = nullptr;
    unwatch_time();
    timed_out_.reset();
    meter_.taken_back();
    waiting_ = wait::none;
    ++returned_;
    byte_queue again;
    again.append(request);
    again.append(in_.readable());
    in_.swap(again);
    running_again_ = true;
    resume_later();
}

void pg_lane::on_shared_lost(const std::string& cause, bool mid_message)
{
    const bool told = std::exchange(shared_link_, nullptr)->error_told();
    unwatch_time();
    timed_out_.reset();
    waiting_ = wait::none;
    if (mid_message) {
        closed_ = true;
        channel_.close("backend lost in the middle of a message");
        return;
    }
    if (!told)
        append_error(
            client_error::backend_lost, false, "the connection to the database was lost: " + cause);
    meter_.leave();
    pg::append_ready_for_query(channel_.out(), pg::transaction_status::idle);
    channel_.flush();
    resume_later();
}

// An unnamed Parse at the start of a request that is all there, outside of a transaction. A text
// that comes often is prepared once on each backend. So is one that is bound by a later request:
// that may be sent to another backend, where the unnamed statement is something else. Null: the
// server gets the Parse as it is.
statement_ref pg_lane::prepare_unnamed(bytes_view message, bytes_view definition)
{
    const request_look& look = memory_.look;
    if (look.at != message.data() || look.size == 0 || !look.text || !look.text->plain)
        return {};
    if (!shared_link_ && request_begin_ != message.data())
        return {};
    if (!look.binds)
        return shared_.statements.intern(definition);
    return database_->settings().auto_prepare ? look.text->prepared : statement_ref{};
}

}  // namespace sluice::gateway
