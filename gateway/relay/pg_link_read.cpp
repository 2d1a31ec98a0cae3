// gateway/relay/pg_link_read.cpp: a link's read side: framing what the server sends and handing
// each client its bytes.
#include "gateway/relay/pg_link.hpp"
#include "proto/core/reader.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/messages.hpp"

namespace sluice::gateway {
namespace {

using pg::owed;
using pg::owed_kind;

// Messages that are looked into, not only passed on. Longer ones than `whole_max` are not.
constexpr std::size_t whole_max = 64 * 1024;

constexpr std::byte parse_complete[] = {
    std::byte{'1'}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{4}};
constexpr std::byte close_complete[] = {
    std::byte{'3'}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{4}};

bool seen_whole(char type, std::size_t total, bool reading_row) noexcept
{
    switch (type) {
        case 'Z':
        case 'S':
            return true;
        case 'E':
            return total <= whole_max;
        case 'C':
            return total <= 32;  // "DISCARD ALL", "DEALLOCATE ALL"
        case 'D':
            return reading_row;
        default:
            return false;
    }
}

bytes_view fake_reply(owed_kind kind) noexcept
{
    return kind == owed_kind::parse ? parse_complete : close_complete;
}

// Nothing but ParseCompletes.
bool only_parsed(bytes_view messages) noexcept
{
    while (messages.size() >= sizeof parse_complete && messages[0] == parse_complete[0])
        messages = messages.subspan(sizeof parse_complete);
    return messages.empty();
}

// Of a command's tag: "SELECT 5", "INSERT 0 1".
std::uint64_t rows_of(std::string_view tag) noexcept
{
    std::uint64_t rows = 0;
    std::uint64_t place = 1;
    while (!tag.empty() && tag.back() >= '0' && tag.back() <= '9') {
        rows += place * static_cast<std::uint64_t>(tag.back() - '0');
        place *= 10;
        tag.remove_suffix(1);
    }
    return rows;
}

}  // namespace

// False: the link is dead.
bool pg_link::consume(std::span<std::byte> bytes)
{
    if (partial_.empty()) {
        const auto used = parse(bytes);
        deliver(range_);
        if (dead_)
            return false;
        partial_.append(bytes.subspan(used));
        return true;
    }
    partial_.append(bytes);
    const auto used = parse(partial_.readable());
    deliver(range_);
    if (dead_)
        return false;
    partial_.consume(used);
    return true;
}

// Returns how many bytes are done with; the rest is an incomplete message.
std::size_t pg_link::parse(bytes_view bytes)
{
    std::size_t at = 0;
    const auto pass = [&](std::size_t count, void* owner) {
        const auto part = bytes.subspan(at, count);
        at += count;
        if (!owner)
            return;
        if (range_owner_ == owner && range_.data() + range_.size() == part.data()) {
            range_ = {range_.data(), range_.size() + count};
            return;
        }
        deliver(range_);
        range_ = part;
        range_owner_ = owner;
    };
    while (at < bytes.size() && !dead_) {
        if (message_left_ > 0) {
            const auto count = std::min(message_left_, bytes.size() - at);
            message_left_ -= count;
            pass(count, message_owner_);
            continue;
        }
        const auto rest = bytes.size() - at;
        if (rest < pg::header_size)
            break;
        const char type = static_cast<char>(bytes[at]);
        const auto length = load_be<std::uint32_t>(bytes.data() + at + 1);
        if (length < pg::length_min) {
            lost("the server sent a message of impossible length");
            break;
        }
        const std::size_t total = std::size_t{length} + 1;
        if (seen_whole(type, total, running() == internal::read)) {
            if (rest < total)
                break;
            const auto message = bytes.subspan(at, total);
            void* owner = on_whole_message(type, message);
            if (dead_)
                break;
            pass(total, owner);
            answer_fakes();
            if (std::exchange(request_finished_, false)) {
                deliver(range_);
                finish_request(tracker_.status());
            }
            continue;
        }
        const auto verdict = tracker_.on_message(type);
        if (verdict.unexpected) {
            lost(std::string("the server sent a message of type '") + type +
                 "' that nobody asked for");
            break;
        }
        void* owner = verdict.owner;
        if (tracker_.empty() && !verdict.ended)
            owner = client_;  // a notification or notice between requests
        replied_ = replied_ || owner;
        const auto count = std::min(total, rest);
        message_left_ = total - count;
        message_owner_ = owner;
        pass(count, owner);
        answer_fakes();
    }
    return at;
}

// Returns to whom the message goes on; null: nobody.
void* pg_link::on_whole_message(char type, bytes_view message)
{
    const auto body = message.subspan(pg::header_size);
    switch (type) {
        case 'Z': {
            const char status = body.empty() ? 'I' : static_cast<char>(body[0]);
            const auto verdict = tracker_.on_ready(status);
            if (verdict.unexpected) {
                lost("the server is ready for a query that nobody sent");
                return nullptr;
            }
            note_ready();
            error_told_ = false;
            request_finished_ = verdict.ended->tag == shared_tag;
            if (!verdict.ended->owner && !request_finished_)
                internal_done(static_cast<internal>(verdict.ended->tag));
            if (verdict.owner)
                static_cast<link_client*>(verdict.owner)->on_request_done(status);
            return verdict.owner;
        }
        case 'S': {
            void* const owner = on_parameter_status(body);
            return owner ? owner : tracker_.head_owner();
        }
        case 'E':
            return on_error(message);
        case 'D': {
            reader fields(body);
            const auto count = fields.be<std::uint16_t>();
            row_.clear();
            for (unsigned i = 0; i < count; ++i) {
                const auto size = static_cast<std::int32_t>(fields.be<std::uint32_t>());
                if (size < 0)
                    row_.emplace_back(std::nullopt);
                else
                    row_.emplace_back(as_text(fields.take(static_cast<std::size_t>(size))));
            }
            return nullptr;
        }
        default: {
            on_command_tag(body);
            const auto verdict = tracker_.on_message(type);
            if (verdict.unexpected)
                lost("the server completed a command that nobody sent");
            replied_ = replied_ || verdict.owner;
            return verdict.owner;
        }
    }
}

void* pg_link::on_parameter_status(bytes_view body)
{
    reader fields(body);
    const auto name = fields.cstring();
    const auto value = fields.cstring();
    if (fields.failed())
        return nullptr;
    reported_.set(name, value);
    link_client* client = current_client();
    const bool rolls_back = running() == internal::rollback;
    // Nobody's, but what a client of before set in a transaction that is undone now.
    if (!client && rolls_back && applied_.find(lower_case(name)))
        applied_.set(name, value);
    if (!client || (!tracker_.empty() && !tracker_.head_owner() && !rolls_back))
        return nullptr;
    applied_.set(name, value);
    client->on_parameter(name, value);
    return client;
}

// The server's own word that nothing prepared, or nothing at all, is left of the session.
void pg_link::on_command_tag(bytes_view body)
{
    std::string_view tag = as_text(body);
    if (tag.ends_with('\0'))
        tag.remove_suffix(1);
    if (auto* client = static_cast<link_client*>(tracker_.head_owner()))
        client->on_rows(rows_of(tag));
    const bool discarded = tag == "DISCARD ALL";
    if (!discarded && tag != "DEALLOCATE ALL")
        return;
    prepared_.clear();
    // What was sent behind it is prepared again.
    tracker_.for_each([this](const owed& entry) {
        if (entry.kind == owed_kind::parse && !entry.fake && entry.tag)
            prepared_.add(entry.tag);
    });
    if (discarded)
        applied_.clear();
    if (client_ && tracker_.head_owner())
        client_->on_everything_deallocated(discarded);
}

void* pg_link::on_error(bytes_view message)
{
    const auto fields = pg::parse_error_fields(message.subspan(pg::header_size));
    const bool fatal = fields && (fields->severity == "FATAL" || fields->severity == "PANIC");
    if (fatal && !options_.raw) {
        lost(error_text(message));
        return nullptr;
    }
    const bool own = running() != internal::none;
    const auto verdict = tracker_.on_error([this](const owed& entry) {
        if (entry.kind == owed_kind::parse && entry.tag) {
            if (!entry.fake)
                prepared_.remove(entry.tag);
            if (entry.owner && client_)
                client_->on_parse_dropped(entry.tag);
        } else if (entry.kind == owed_kind::close && !entry.owner) {
            prepared_.add(entry.tag);
        }
    });
    if (own)
        internal_error_ = error_text(message);
    if (verdict.unexpected && !options_.raw) {
        lost(error_text(message));
        return nullptr;
    }
    // A statement prepared on the client's behalf failed: that is the answer to the client.
    link_client* client = own ? nullptr : current_client();
    if (verdict.unexpected || !client)
        return client;
    if (fields && tell_time_out(*client, fields->sqlstate))
        return nullptr;
    if (sharing() && !replied_ && fields && must_run_again(*fields))
        return nullptr;
    if (!sharing() && client->on_server_error(message)) {
        held_.clear();
        return nullptr;
    }
    client->on_error_code(fields ? fields->sqlstate : std::string_view{});
    replied_ = error_told_ = true;
    return client;
}

// Who gets what the server says of the request that it is at.
link_client* pg_link::current_client() const noexcept
{
    if (!sharing())
        return client_;
    return multiplex_->requests.empty() ? nullptr : multiplex_->requests[0].client;
}

std::string pg_link::error_text(bytes_view message) const
{
    const auto fields = pg::parse_error_fields(message.subspan(pg::header_size));
    return fields ? std::string(fields->message) : std::string("an unreadable error");
}

void pg_link::deliver(bytes_view range)
{
    void* owner = std::exchange(range_owner_, nullptr);
    range_ = {};
    if (!owner || range.empty() || (!sharing() && owner != static_cast<void*>(client_)))
        return;
    auto* client = static_cast<link_client*>(owner);
    delivered_ = true;
    for (const auto& each : held_)
        client->on_own_reply(fake_reply(each.kind));
    held_.clear();
    client->on_reply(range);
}

// The head of a reply, which a dying server sends together with its farewell, is of no use if the
// request can run elsewhere. Nor is it if it says only that something was parsed: drivers expect
// one answer to a Parse, that or an error.
bool pg_link::retract_head()
{
    if (!range_owner_ || delivered_ || message_left_ > 0)
        return false;
    const bool runs_elsewhere = sharing() || (request_reads_ && !request_.empty());
    if (!runs_elsewhere && !only_parsed(range_))
        return false;
    range_ = {};
    range_owner_ = nullptr;
    replied_ = error_told_ = false;
    return true;
}

// Replies that the gateway makes itself, each when its turn has come.
void pg_link::answer_fakes()
{
    while (const auto fake = tracker_.take_fake()) {
        deliver(range_);
        if (fake->held) {
            if (fake->owner)
                held_.push_back(*fake);
            if (held_.size() == held_most)
                pass_on_held();
            continue;
        }
        if (!client_ || fake->owner != static_cast<void*>(client_))
            continue;
        replied_ = delivered_ = true;
        client_->on_reply(fake_reply(fake->kind));
    }
}

void pg_link::release_held()
{
    tracker_.release_held();
    pass_on_held();
}

void pg_link::pass_on_held()
{
    deliver(range_);
    if (held_.empty() || !client_)
        return;
    range_owner_ = static_cast<void*>(client_);
    const owed last = held_.back();
    held_.pop_back();
    replied_ = true;
    deliver(fake_reply(last.kind));
}

// After each batch of reads: is the word the client's again?
void pg_link::settled()
{
    if (!dead_ && recovering_ && tracker_.empty() && tracker_.skipping()) {
        // The error came after the client had left: nobody else will send the Sync.
        append_sync();
        flush();
    }
    if (settle_shared() || dead_ || !tracker_.idle())
        return;
    replied_ = delivered_ = false;
    if (recovering_)
        step_recovery();
    else if (client_)
        client_->on_replies_done(tracker_.status());
}

}  // namespace sluice::gateway
