// proto/mysql/reply_tracker.cpp: matching a backend's packets with what it owes.
#include "proto/mysql/reply_tracker.hpp"

namespace sluice::mysql {
namespace {

constexpr std::uint32_t eof_length = 5;
constexpr std::uint32_t eof_length_max = 8;  // a longer one that begins with 0xfe is a row

bool has_results(command what) noexcept
{
    return what == command::query || what == command::stmt_execute ||
           what == command::stmt_bulk_execute || what == command::process_info;
}

}  // namespace

bool reply_tracker::sent(const owed& entry)
{
    if (!entry.fake && !has_reply(entry.what))
        return false;
    queue_.push(entry);
    return true;
}

reply_tracker::verdict reply_tracker::on_packet(packet_header header, bytes_view there) noexcept
{
    verdict out;
    if (queue_.empty()) {
        out.unexpected = true;
        out.kind = !there.empty() && there[0] == err_byte ? packet_kind::error : packet_kind::text;
        return out;
    }
    out.owner = queue_.front().owner;
    if (!head_begun())
        sequence_ = queue_.front().sequence;
    if (continued_) {
        out.kind = packet_kind::continuation;
        out.unexpected = header.sequence != sequence_++;
        continued_ = header.continues();
        return out;
    }
    if (there.empty()) {
        out.missing = header.length > 0;
        out.unexpected = header.length == 0;
        return out;
    }
    if (state_ == state::rows && there[0] < eof_byte) {
        out.unexpected = header.sequence != sequence_++;
        continued_ = header.continues();
        return out;
    }
    decide(out, header, there);
    if (out.missing == 0) {
        // An error may overtake what the server would have numbered.
        out.unexpected |= header.sequence != sequence_ && out.kind != packet_kind::error;
        sequence_ = static_cast<std::uint8_t>(header.sequence + 1);
    }
    return out;
}

// Of a packet that begins with 0xfe, where rows or definitions may end.
bool reply_tracker::is_end(packet_header header, std::byte first) const noexcept
{
    return first == eof_byte &&
           (deprecates_eof() ? !header.continues() : header.length <= eof_length_max);
}

reply_tracker::state reply_tracker::initial_state() const noexcept
{
    if (state_ != state::begin)
        return state_;
    switch (queue_.front().what) {
        case command::stmt_fetch:
            return state::rows;
        case command::field_list:
            return state::fields;
        default:
            return state::begin;
    }
}

// `there` is not empty.
void reply_tracker::decide(verdict& out, packet_header header, bytes_view there) noexcept
{
    const auto now = initial_state();
    const auto first = there[0];
    const bool is_error = first == err_byte;
    const bool is_row = now == state::rows && !is_error && !is_end(header, first);
    const bool is_definition = (now == state::columns || now == state::parameters ||
                                (now == state::fields && !is_end(header, first))) &&
                               !is_error;
    // The last definition of a prepared statement ends the reply.
    const bool ends = is_definition && preparing_ && left_ == 1 && deprecates_eof() &&
                      (now == state::columns || prepared_.columns == 0);
    if ((!is_row && !is_definition) || ends) {
        if (header.length > whole_max) {
            out.unexpected = true;
            return;
        }
        if (there.size() < header.length) {
            out.missing = static_cast<std::uint32_t>(header.length - there.size());
            return;
        }
    }
    state_ = now;
    continued_ = header.continues();
    if (is_error) {
        on_error(out, there);
        return;
    }
    if (is_definition) {
        definition(out);
        return;
    }
    if (is_row)
        return;
    switch (now) {
        case state::parameters_end:
        case state::columns_end:
            on_eof(out, there, packet_kind::columns_end);
            return;
        case state::rows:
        case state::fields:
            if (deprecates_eof())
                on_ok(out, there, packet_kind::end);
            else
                on_eof(out, there, packet_kind::end);
            return;
        case state::upload:
            out.unexpected = true;
            return;
        default:
            first_packet(out, there);
            return;
    }
}

// Of a reply, or of one of its results.
void reply_tracker::first_packet(verdict& out, bytes_view payload) noexcept
{
    const auto what = queue_.front().what;
    if (has_results(what)) {
        result_begins(out, payload);
    } else if (what == command::stmt_prepare) {
        prepare_begins(out, payload);
    } else if (what == command::statistics) {
        out.kind = packet_kind::text;
        end(out);
    } else if (payload[0] == eof_byte && payload.size() == eof_length) {
        on_eof(out, payload, packet_kind::ok);
    } else {
        on_ok(out, payload, packet_kind::ok);
    }
}

void reply_tracker::result_begins(verdict& out, bytes_view payload) noexcept
{
    if (payload[0] == ok_byte) {
        on_ok(out, payload, packet_kind::ok);
        return;
    }
    if (payload[0] == local_infile_byte) {
        out.kind = packet_kind::local_infile;
        state_ = state::upload;
        upload_continued_ = false;
        return;
    }
    field_reader in(payload);
    const auto count = in.lenenc();
    out.kind = packet_kind::column_count;
    if (in.finish() || count == 0 || count > 0xffff) {
        out.unexpected = true;
        return;
    }
    columns_ = left_ = static_cast<std::uint32_t>(count);
    preparing_ = false;
    state_ = state::columns;
}

void reply_tracker::prepare_begins(verdict& out, bytes_view payload) noexcept
{
    out.kind = packet_kind::prepare_ok;
    const auto ok = parse_prepare_ok(payload);
    if (!ok) {
        out.unexpected = true;
        return;
    }
    prepared_ = *ok;
    preparing_ = true;
    left_ = prepared_.parameters;
    state_ = state::parameters;
    if (left_ == 0)
        group_ended(out);
}

void reply_tracker::definition(verdict& out) noexcept
{
    out.kind = packet_kind::column;
    if (state_ == state::fields || --left_ > 0)
        return;
    out.group_end = true;
    if (deprecates_eof())
        group_ended(out);
    else
        state_ = state_ == state::parameters ? state::parameters_end : state::columns_end;
}

// The definitions of one kind are complete, with the EOF behind them if there is one.
void reply_tracker::group_ended(verdict& out) noexcept
{
    if (state_ == state::parameters || state_ == state::parameters_end) {
        left_ = prepared_.columns;
        state_ = state::columns;
        if (left_ > 0)
            return;
    }
    if (preparing_)
        end(out);
    else
        state_ = state::rows;
}

void reply_tracker::on_ok(verdict& out, bytes_view payload, packet_kind kind) noexcept
{
    out.kind = kind;
    const auto ok = parse_ok(payload, capabilities_);
    if (!ok) {
        out.unexpected = true;
        return;
    }
    ok_ = *ok;
    uncertain_ = false;
    result_ends(out);
}

void reply_tracker::on_eof(verdict& out, bytes_view payload, packet_kind kind) noexcept
{
    out.kind = kind;
    const auto eof = parse_eof(payload);
    if (!eof) {
        out.unexpected = true;
        return;
    }
    ok_ = {};
    ok_.warnings = eof->warnings;
    ok_.status = eof->status;
    uncertain_ = false;
    if (kind != packet_kind::columns_end) {
        result_ends(out);
    } else if (!preparing_ && (eof->status & status::cursor_exists)) {
        out.kind = packet_kind::end;
        result_ends(out);
    } else {
        group_ended(out);
    }
}

void reply_tracker::on_error(verdict& out, bytes_view payload) noexcept
{
    out.kind = packet_kind::error;
    out.unexpected |= state_ == state::upload;
    const auto error = parse_err(payload);
    error_ = error ? error->number : error_number::malformed_packet;
    uncertain_ = true;
    end(out);
}

void reply_tracker::result_ends(verdict& out) noexcept
{
    if ((ok_.status & status::more_results) && has_results(queue_.front().what))
        state_ = state::next_result;
    else
        end(out);
}

void reply_tracker::end(verdict& out) noexcept
{
    out.ended = true;
    ended_ = queue_.front();
    queue_.pop();
    state_ = state::begin;
}

void reply_tracker::on_continuation_sent(packet_header header) noexcept
{
    if (!queue_.empty())
        queue_[queue_.size() - 1].sequence = static_cast<std::uint8_t>(header.sequence + 1);
}

void reply_tracker::on_upload(packet_header header) noexcept
{
    sequence_ = static_cast<std::uint8_t>(header.sequence + 1);
    if (!upload_continued_ && header.length == 0 && state_ == state::upload)
        state_ = state::next_result;
    upload_continued_ = header.continues();
}

std::optional<owed> reply_tracker::take_fake() noexcept
{
    if (queue_.empty() || !queue_.front().fake)
        return std::nullopt;
    const owed entry = queue_.front();
    queue_.pop();
    return entry;
}

void reply_tracker::disown(const void* owner) noexcept
{
    for (std::size_t i = 0; i < queue_.size(); ++i)
        if (queue_[i].owner == owner)
            queue_[i].owner = nullptr;
}

}  // namespace sluice::mysql
