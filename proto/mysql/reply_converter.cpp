// proto/mysql/reply_converter.cpp: EOFs put in and left out, session changes filtered.
#include "proto/mysql/reply_converter.hpp"

#include "proto/sql/key_words.hpp"

namespace sluice::mysql {
namespace {

constexpr std::size_t kept_size = 512;
constexpr std::size_t eof_size = 5;
constexpr std::uint16_t not_in_eof = status::session_state_changed;
// Not about one result alone.
constexpr std::uint16_t lasting = status::in_transaction | status::autocommit |
                                  status::no_backslash_escapes | status::in_readonly_transaction |
                                  status::ansi_quotes;

bool list_has(std::string_view list, std::string_view name) noexcept
{
    while (!list.empty()) {
        const auto comma = list.find(',');
        auto one = list.substr(0, comma);
        while (one.starts_with(' '))
            one.remove_prefix(1);
        while (one.ends_with(' '))
            one.remove_suffix(1);
        if (one == "*" || sql::same_ignoring_case(one, name))
            return true;
        if (comma == std::string_view::npos)
            return false;
        list.remove_prefix(comma + 1);
    }
    return false;
}

}  // namespace

bool track_filter::passes(const change_list::change& one) const noexcept
{
    if (everything)
        return true;
    switch (one.type) {
        case session_track::system_variable: {
            variable_list all(one.data);
            while (const auto each = all.next())
                if (list_has(variables, each->name))
                    return true;
            return false;
        }
        case session_track::schema:
            return schema;
        case session_track::state_change:
            return state_change;
        case session_track::gtids:
            return gtids;
        case session_track::transaction_characteristics:
            return transaction_characteristics;
        case session_track::transaction_state:
            return transaction_state;
    }
    return false;
}

void reply_converter::configure(std::uint32_t backend,
                                std::uint32_t client,
                                const track_filter& filter) noexcept
{
    begin_reply(1);
    written_.keep(kept_size);
    kept_changes_.keep(kept_size);
    backend_ = backend;
    client_ = client;
    filter_ = filter;
    const bool from = backend & capability::deprecate_eof;
    const bool to = client & capability::deprecate_eof;
    eofs_ = from == to ? eof_change::none : from ? eof_change::add : eof_change::remove;
    changes_ = (backend & capability::session_track) &&
               (!(client & capability::session_track) || !filter.everything);
}

reply_converter::pieces reply_converter::on_packet(const reply_tracker::verdict& verdict,
                                                   const reply_tracker& tracker,
                                                   std::byte* packet,
                                                   bytes_view payload)
{
    pieces out;
    const auto sequence = std::to_integer<std::uint8_t>(packet[3]);
    if (verdict.kind == packet_kind::row && !pending_) {
        const auto number = static_cast<std::uint8_t>(sequence + shift_);
        packet[3] = std::byte{number};
        next_ = static_cast<std::uint8_t>(number + 1);
        return out;
    }
    written_.clear();
    const bool ok_like = verdict.kind == packet_kind::ok || verdict.kind == packet_kind::end;

    std::size_t before = 0;
    if (pending_) {
        pending_ = false;
        // A cursor has no rows here: there is but one EOF.
        if (verdict.kind != packet_kind::end || !(tracker.status() & status::cursor_exists))
            append_pending(sequence, tracker);
        before = written_.size();
    }
    const auto number = static_cast<std::uint8_t>(sequence + shift_);
    packet[3] = std::byte{number};

    if (verdict.kind == packet_kind::columns_end && eofs_ == eof_change::remove) {
        out.keep = false;
        --shift_;
    } else if (ok_like && eofs_ == eof_change::add && payload[0] == eof_byte) {
        out.keep = false;
        append_eof_for(number, tracker.ok());
    } else if (ok_like && eofs_ == eof_change::remove && payload[0] == eof_byte) {
        out.keep = false;
        std::uint8_t next = number;
        auto ok = tracker.ok();
        ok.status &= static_cast<std::uint16_t>(~not_in_eof);
        append_ok(written_, next, ok, client_, eof_byte);
    } else if (ok_like && changes_ && payload.size() > eof_size &&
               (tracker.status() & status::session_state_changed)) {
        out.keep = false;
        append_filtered(number, tracker.ok(), payload[0]);
    } else if (verdict.group_end && eofs_ == eof_change::add) {
        if (verdict.ended)
            append_pending(static_cast<std::uint8_t>(sequence + 1), tracker);
        else
            pending_ = true;
    }
    out.before = written_.readable().first(before);
    out.behind = written_.readable().subspan(before);
    next_ = static_cast<std::uint8_t>(sequence + 1 + shift_);
    if (verdict.ended)
        shift_ = 0;
    return out;
}

// The EOF behind definitions, in front of the packet that the server numbered `sequence`. What it
// would say about the session is what the server said last.
void reply_converter::append_pending(std::uint8_t sequence, const reply_tracker& tracker)
{
    ok_message ok;
    ok.status = tracker.status() & lasting;
    append_eof_for(static_cast<std::uint8_t>(sequence + shift_), ok);
    ++shift_;
}

void reply_converter::append_eof_for(std::uint8_t sequence, const ok_message& ok)
{
    append_eof(
        written_, sequence, {ok.warnings, static_cast<std::uint16_t>(ok.status & ~not_in_eof)});
}

void reply_converter::append_filtered(std::uint8_t sequence, const ok_message& ok, std::byte first)
{
    auto told = ok;
    kept_changes_.clear();
    if (client_ & capability::session_track) {
        auto all = ok.changes;
        while (const auto one = all.next())
            if (filter_.passes(*one))
                kept_changes_.append(one->whole);
    }
    told.changes = change_list(kept_changes_.readable());
    if (kept_changes_.empty())
        told.status &= static_cast<std::uint16_t>(~status::session_state_changed);
    append_ok(written_, sequence, told, client_, first);
}

}  // namespace sluice::mysql
