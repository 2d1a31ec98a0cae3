// gateway/relay/pg_lane_statements.cpp: messages that name statements or hold their texts: prepared
// statements get the names that they have on the backend.
#include "gateway/context.hpp"
#include "gateway/relay/pg_lane.hpp"
#include "proto/core/reader.hpp"
#include "proto/pg/frame.hpp"
#include "proto/sql/normalize.hpp"

namespace sluice::gateway {
namespace {

using pg::header_size;
using pg::owed_kind;

void append_header(byte_queue& out, char type, std::size_t body)
{
    out.append_byte(type);
    out.append_be<std::uint32_t>(static_cast<std::uint32_t>(pg::length_size + body));
}

// Names whose digests are remembered: past it, all are forgotten.
constexpr std::size_t watched_max = 500;

// Of as much of a Parse as is there.
std::string_view text_of_parse(bytes_view message)
{
    const auto body = message.subspan(std::min(header_size, message.size()));
    const auto name = up_to_zero(body);
    return up_to_zero(body.subspan(std::min(name.size() + 1, body.size())));
}

}  // namespace

std::size_t pg_lane::on_query(std::size_t total, bytes_view rest)
{
    open_sequence_ = false;
    if (session_mode()) {
        const auto said = rest.first(std::min(total, rest.size())).subspan(header_size);
        meter_.statement(meter_.watched() ? watch(up_to_zero(said)) : 0);
        link_->expect(owed_kind::query);
        return relay(total, rest);
    }
    const auto body = rest.subspan(header_size, std::min(total, rest.size()) - header_size);
    const auto text = up_to_zero(body);
    const auto& traits = traits_of(text);
    meter_.know(traits.digest, text, sql::dialect::postgres);
    meter_.statement(traits.digest);
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

// Session mode looks at no text, unless slow statements are logged.
std::uint64_t pg_lane::watch(std::string_view text)
{
    const auto digest = sql::digest_of(text, sql::dialect::postgres);
    meter_.know(digest, text, sql::dialect::postgres);
    return digest;
}

std::uint64_t pg_lane::watched(std::string_view name) const
{
    const auto found = watched_->find(name);
    return found == watched_->end() ? 0 : found->second;
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
        if (meter_.watched()) {
            const auto said = rest.first(std::min(total, rest.size()));
            const auto digest = watch(text_of_parse(said));
            if (!watched_)
                watched_ = std::make_unique<digests>();
            if (watched_->size() >= watched_max)
                watched_->clear();
            watched_->insert_or_assign(std::string(up_to_zero(said.subspan(header_size))), digest);
        }
        link_->expect(owed_kind::parse);
        return relay(total, rest);
    }
    const auto body = rest.subspan(header_size, std::min(total, rest.size()) - header_size);
    const auto name = up_to_zero(body);
    // Without its zero there is no text either: the server says so.
    if (!name.empty() && name.size() < body.size() && rest.size() >= total)
        return parse_named(name, total, rest);
    // Too long to be kept: it stays on this backend, and so does its client.
    pinned_for_good_ = pinned_for_good_ || !name.empty();
    const auto definition = body.subspan(std::min(name.size() + 1, body.size()));
    unnamed_ = prepare_unnamed(rest, definition);
    if (unnamed_) {
        append_forward();
        note_bound(unnamed_->digest, definition);
        meter_.prepared(link_->ensure_prepared(*unnamed_));
        link_->expect_held(owed_kind::parse);
        return drop(total, rest);
    }
    const bool known_plain =
        memory_.look.at == rest.data() && memory_.look.text && memory_.look.text->plain;
    if (known_plain) {
        note_bound(memory_.look.text->digest, definition);
        link_->expect(owed_kind::parse);
        return relay(total, rest);
    }
    const auto traits = sql::classify_postgres(up_to_zero(definition));
    note_bound(traits.digest, definition);
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

// The unnamed statement is this one now.
void pg_lane::note_bound(std::uint64_t digest, bytes_view definition)
{
    unnamed_digest_ = digest;
    meter_.know(digest, up_to_zero(definition), sql::dialect::postgres);
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
    const bool there = link_->is_prepared(prepared->id);
    meter_.prepared(there);
    if (there) {
        append_forward();
        link_->expect_held(owed_kind::parse, prepared->id);
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
        if (watched_) {
            reader said(rest.first(std::min(total, rest.size())).subspan(header_size));
            said.cstring();
            const auto name = said.cstring();
            bound_ = said.failed() ? 0 : watched(name);
        }
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
        bound_ = name.empty() ? unnamed_digest_ : 0;
        link_->expect(owed_kind::bind);
        return relay(total, rest);
    }
    const bool there = link_->is_prepared((*known)->id);
    if (!there) {
        append_forward();
        link_->ensure_prepared(**known);
    }
    bound_ = (*known)->digest;
    if (!name.empty()) {
        meter_.prepared(there);
        meter_.know(bound_, (*known)->definition.c_str(), sql::dialect::postgres);
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
    const auto name = statement ? up_to_zero(body.subspan(1)) : std::string_view{};
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
        link_->expect_held(owed_kind::close);
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

}  // namespace sluice::gateway
