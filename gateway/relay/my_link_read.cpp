// gateway/relay/my_link_read.cpp: a link's read side: whose packet each is, and what it says.
#include "gateway/relay/my_link.hpp"
#include "proto/mysql/messages.hpp"

namespace sluice::gateway {
namespace {

using mysql::header_size;
using mysql::packet_kind;

constexpr std::uint16_t query_interrupted = 1317;  // ER_QUERY_INTERRUPTED

std::string error_text(bytes_view payload)
{
    const auto error = mysql::parse_err(payload);
    return error ? std::to_string(error->number) + ": " + std::string(error->text)
                 : std::string("an unreadable error");
}

}  // namespace

// False: the link is dead.
bool my_link::consume(std::span<std::byte> bytes)
{
    if (partial_.empty()) {
        const auto used = parse(bytes);
        if (client_)
            writer_.send();
        if (dead_)
            return false;
        partial_.append(bytes.subspan(used));
        return true;
    }
    partial_.append(bytes);
    const auto used = parse({partial_.mutable_data(), partial_.size()});
    if (client_)
        writer_.send();
    if (dead_)
        return false;
    partial_.consume(used);
    return true;
}

// Returns how many bytes are done with; the rest is an incomplete packet.
std::size_t my_link::parse(std::span<std::byte> bytes)
{
    std::size_t at = 0;
    while (at < bytes.size() && !dead_) {
        const auto rest = bytes.subspan(at);
        if (packet_left_ > 0) {
            const auto part = rest.first(std::min(packet_left_, rest.size()));
            packet_left_ -= part.size();
            at += part.size();
            if (packet_is_clients_)
                writer_.rest(part);
            continue;
        }
        if (rest.size() < header_size)
            break;
        const auto header = mysql::load_header(rest.data());
        const auto there = rest.subspan(
            header_size, std::min<std::size_t>(header.length, rest.size() - header_size));
        if (there.size() < header.length && reads_rows(running()))
            break;
        const auto verdict = tracker_.on_packet(header, there);
        if (verdict.missing > 0)
            break;
        if (verdict.unexpected) {
            lost(verdict.kind == packet_kind::error
                     ? error_text(there)
                     : std::string("the server sent a packet that does not belong here"));
            break;
        }
        packet_left_ = header.length - there.size();
        packet_is_clients_ = verdict.owner && verdict.owner == client_;
        at += header_size + there.size();
        if (verdict.ended)
            note_end();
        if (packet_is_clients_)
            on_clients(verdict, rest.first(header_size + there.size()));
        else
            on_internal(verdict, there);
    }
    return at;
}

void my_link::on_clients(const mysql::reply_tracker::verdict& verdict, std::span<std::byte> packet)
{
    switch (verdict.kind) {
        case packet_kind::ok:
        case packet_kind::end:
            result_ended_ = verdict.kind == packet_kind::end;
            if (tracker_.ok().warnings > 0) {
                has_diagnostics_ = true;
                others_diagnostics_ = false;
            }
            client_->on_ok(tracker_.ok());
            if (verdict.ended && tracker_.ended().what == mysql::command::reset_connection)
                was_reset();
            break;
        case packet_kind::error:
            has_diagnostics_ = true;
            others_diagnostics_ = false;
            if (!cancel_error_.empty() && packet_left_ == 0 &&
                tracker_.error_number() == query_interrupted) {
                client_->on_error(time_is_up);
                writer_.packet_instead(verdict, tracker_, packet, as_bytes(cancel_error_));
                return;
            }
            client_->on_error(tracker_.error_number());
            break;
        case packet_kind::prepare_ok: {
            const auto& answer = tracker_.prepared();
            replace_prepared(preparing_, answer.statement);
            store_le(packet.data() + header_size + 1, client_->on_prepared(answer));
            break;
        }
        case packet_kind::local_infile:
            if (!client_->on_local_infile()) {
                decline_upload(std::to_integer<std::uint8_t>(packet[3]));
                return;
            }
            break;
        case packet_kind::column_count:
            rows_ = 0;
            break;
        case packet_kind::row:
            ++rows_;
            break;
        default:
            break;
    }
    writer_.packet(verdict, tracker_, packet);
}

void my_link::decline_upload(std::uint8_t sequence)
{
    const mysql::packet_header empty{0, static_cast<std::uint8_t>(sequence + 1)};
    mysql::store_header(out().grow(header_size), empty);
    tracker_.on_upload(empty);
    flush();
}

// Of a command of the gateway's own, or of a client that has gone.
void my_link::on_internal(const mysql::reply_tracker::verdict& verdict, bytes_view payload)
{
    switch (verdict.kind) {
        case packet_kind::error:
            internal_error_ = error_text(payload);
            break;
        case packet_kind::row:
            read_row(payload);
            break;
        case packet_kind::local_infile:
            give_up("the client left before it sent its file");
            return;
        case packet_kind::prepare_ok:
            // Also of a client that has gone: it is prepared now.
            replace_prepared(preparing_, tracker_.prepared().statement);
            break;
        default:
            break;
    }
    if (!verdict.ended)
        return;
    const auto what = static_cast<internal>(tracker_.ended().tag);
    const std::string error = std::exchange(internal_error_, {});
    if (what == internal::prepare) {
        if (client_)
            client_->on_backend_prepared(verdict.kind == packet_kind::error ? payload
                                                                            : bytes_view{});
        return;
    }
    internal_done(what, error);
}

void my_link::read_row(bytes_view payload)
{
    const auto what = running();
    if (!reads_rows(what))
        return;
    row_.clear();
    mysql::field_reader fields(payload);
    while (!fields.rest().empty() && !fields.failed()) {
        if (fields.null())
            row_.emplace_back(std::nullopt);
        else
            row_.emplace_back(fields.lenenc_string());
    }
    if (what == internal::diagnostics && row_.size() == 3 && diagnostics_.size() < diagnostics_max)
        diagnostics_.push_back({row_[0].value_or(""), row_[1].value_or(""), row_[2].value_or("")});
}

void my_link::internal_done(internal what, const std::string& error)
{
    switch (what) {
        case internal::apply:
            applied(error);
            break;
        case internal::read:
            if (!error.empty())
                row_.clear();
            if (client_)
                client_->on_settings_read(row_);
            break;
        case internal::diagnostics:
            if (my_link_client* const whose = std::exchange(asking_for_, nullptr))
                whose->on_diagnostics(error.empty() ? &diagnostics_ : nullptr);
            diagnostics_.clear();
            break;
        case internal::reset:
            if (!error.empty())
                give_up("COM_RESET_CONNECTION failed: " + error);
            else
                was_reset();
            break;
        case internal::rollback:
            if (!error.empty())
                give_up("ROLLBACK failed: " + error);
            break;
        case internal::track:
            if (!error.empty())
                lost("the server does not track its session: " + error);
            break;
        case internal::probe:
            deadline_.reset();
            shard_->give_back(*this);
            break;
        case internal::none:
        case internal::prepare:
        case internal::ignored:
            break;
    }
}

my_link::internal my_link::running() const noexcept
{
    const auto* head = tracker_.head();
    return head && !head->owner ? static_cast<internal>(head->tag) : internal::none;
}

// After each batch of reads: is the word the client's again?
void my_link::settled()
{
    if (dead_ || !tracker_.empty())
        return;
    if (recovering_)
        step_recovery();
    else if (client_)
        client_->on_replies_done();
}

void my_link::on_drained()
{
    if (client_)
        client_->on_link_drained();
}

}  // namespace sluice::gateway
