// gateway/relay/my_reply_writer.cpp: passing packets on, adjacent ones in one piece.
#include "gateway/relay/my_reply_writer.hpp"

#include <utility>

namespace sluice::gateway {
namespace {

constexpr std::size_t eof_numbers = 4;  // warnings, status

}  // namespace

void my_reply_writer::begin_lease(sink& to, std::uint32_t backend, std::uint32_t client) noexcept
{
    to_ = &to;
    mysql::track_filter by_default;
    by_default.everything = false;
    converter_.configure(backend, client, by_default);
}

void my_reply_writer::begin_reply(std::uint8_t sequence, std::uint8_t shift) noexcept
{
    begun_ = false;
    eof_at_ = 0;
    converter_.begin_reply(sequence, shift);
}

void my_reply_writer::packet(const mysql::reply_tracker::verdict& verdict,
                             const mysql::reply_tracker& tracker,
                             std::span<std::byte> bytes)
{
    begun_ = true;
    const auto pieces =
        converter_.on_packet(verdict, tracker, bytes.data(), bytes.subspan(mysql::header_size));
    append(pieces.before);
    if (!pieces.before.empty())
        eof_at_ = to_->reply_out().size() - eof_numbers;
    if (verdict.kind == mysql::packet_kind::end)
        complete_early_eof(tracker);
    if (pieces.keep)
        pass(bytes);
    append(pieces.behind);
}

void my_reply_writer::packet_instead(const mysql::reply_tracker::verdict& verdict,
                                     const mysql::reply_tracker& tracker,
                                     std::span<std::byte> bytes,
                                     bytes_view payload)
{
    begun_ = true;
    const auto pieces =
        converter_.on_packet(verdict, tracker, bytes.data(), bytes.subspan(mysql::header_size));
    append(pieces.before);
    std::byte header[mysql::header_size];
    const auto number = std::to_integer<std::uint8_t>(bytes[3]);
    mysql::store_header(header, {static_cast<std::uint32_t>(payload.size()), number});
    append(header);
    append(payload);
}

void my_reply_writer::pass(bytes_view bytes)
{
    if (!range_.empty() && range_.data() + range_.size() == bytes.data()) {
        range_ = {range_.data(), range_.size() + bytes.size()};
        return;
    }
    if (!range_.empty()) {
        to_->reply_out().append(range_);
        unsent_ = true;
    }
    range_ = bytes;
}

void my_reply_writer::append(bytes_view bytes)
{
    if (bytes.empty())
        return;
    pass({});
    to_->reply_out().append(bytes);
    unsent_ = true;
}

// The server knows already behind the columns what it says behind the rows.
void my_reply_writer::complete_early_eof(const mysql::reply_tracker& tracker)
{
    if (eof_at_ == 0)
        return;
    constexpr unsigned later = mysql::status::session_state_changed | mysql::status::last_row_sent;
    std::byte* const numbers = to_->reply_out().mutable_data() + std::exchange(eof_at_, 0);
    store_le(numbers, tracker.ok().warnings);
    store_le(numbers + 2, static_cast<std::uint16_t>(tracker.status() & ~later));
}

void my_reply_writer::send()
{
    if (!range_.empty() || unsent_) {
        unsent_ = false;
        eof_at_ = 0;
        to_->on_reply(std::exchange(range_, {}));
    }
}

}  // namespace sluice::gateway
