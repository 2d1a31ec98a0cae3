// gateway/relay/my_lane_bytes.cpp: packets that are passed on, dropped, or answered by the gateway.
#include <algorithm>

#include "gateway/context.hpp"
#include "gateway/my_errors.hpp"
#include "gateway/relay/my_lane.hpp"

namespace sluice::gateway {
namespace {

// A command of this size may be kept until its reply begins.
constexpr std::size_t retried_max = 8 * 1024;

}  // namespace

using mysql::header_size;
using mysql::packet_header;

// One packet of the client's file. After an empty one it is the server's turn again.
std::size_t my_lane::on_upload(packet_header header, bytes_view rest)
{
    const bool last = header.length == 0 && !upload_continues_;
    upload_continues_ = header.continues();
    last_sequence_ = header.sequence;
    if (last)
        uploading_ = false;
    if (upload_dropped_) {
        upload_dropped_ = !last;
        return drop({header.length, header.sequence}, rest);
    }
    // The client counts EOFs that the server has not sent.
    const packet_header theirs{
        header.length, static_cast<std::uint8_t>(header.sequence - link_->sequence_shift())};
    link_->on_upload(theirs);
    mysql::store_header(link_->out().grow(header_size), theirs);
    const auto taken = std::min<std::size_t>(header_size + header.length, rest.size());
    body_left_ = header_size + header.length - taken;
    body_dropped_ = body_continues_ = false;
    link_->send(rest.subspan(header_size, taken - header_size));
    return taken;
}

// The client's command goes on in this packet.
std::size_t my_lane::relay_continuation(packet_header header, bytes_view rest)
{
    if (!longer_) {
        if (running_)
            link_->on_continuation(header);
        return relay(header, rest);
    }
    longer_->begin(header, link_->out());
    if (running_)
        link_->on_continuation(header, longer_->adds_packet());
    return relay(header, rest, header_size);
}

void my_lane::send_body(bytes_view part)
{
    if (!longer_) {
        link_->send(part);
        return;
    }
    longer_->body(part, link_->out());
    link_->flush();
}

// A read outside of a transaction, not yet sent twice: if its backend dies before it answers,
// another one may.
void my_lane::keep_for_retry(packet_header header, bytes_view rest)
{
    const auto total = header_size + header.length;
    if (effects_.only_reads && !retried_ && total <= retried_max && rest.size() >= total &&
        !header.continues() && (status_ & mysql::status::autocommit) && !was_in_transaction_ &&
        !pinned() && !session_mode())
        link_->keep_request(rest.first(total));
}

// True: the command runs again, in front of what the client has sent since.
bool my_lane::send_again(my_link& lost, bool begun)
{
    if (begun || lost.kept_request().empty())
        return false;
    byte_queue again;
    again.append(lost.kept_request());
    again.append(in_.readable());
    in_.swap(again);
    return true;
}

// Forwards a packet from byte `skip` on; what lies before was sent in another form.
std::size_t my_lane::relay(packet_header header, bytes_view rest, std::size_t skip)
{
    const auto total = header_size + header.length;
    message_size_ += header.length;
    last_sequence_ = header.sequence;
    if (message_size_ > message_max_) {
        fatal(client_error::message_too_large,
              "a command of more than gateway.max_message (" + std::to_string(message_max_) +
                  " bytes)",
              "message too large");
        return 0;
    }
    const auto taken = std::min<std::size_t>(total, rest.size());
    body_left_ = total - taken;
    body_continues_ = header.continues();
    body_dropped_ = false;
    send_body(rest.subspan(skip, taken - skip));
    return taken;
}

std::size_t my_lane::drop(packet_header header, bytes_view rest)
{
    const auto taken = std::min<std::size_t>(header_size + header.length, rest.size());
    understood_ = false;
    last_sequence_ = header.sequence;
    body_left_ = header_size + header.length - taken;
    body_continues_ = header.continues() && !uploading_ && !upload_dropped_;
    body_dropped_ = true;
    return taken;
}

std::size_t my_lane::refuse(packet_header header, bytes_view rest)
{
    const auto why = std::move(refusal_);
    note_error(why->code);
    meter_.leave();
    append_my_error(channel_.out(),
                    static_cast<std::uint8_t>(header.sequence + 1),
                    why->code,
                    why->message,
                    why->hint);
    return drop(header, rest);
}

std::size_t my_lane::refuse_with(client_error code,
                                 std::string_view message,
                                 packet_header header,
                                 bytes_view rest)
{
    note_error(code);
    if (!running_)
        meter_.leave();
    append_my_error(channel_.out(), static_cast<std::uint8_t>(header.sequence + 1), code, message);
    return drop(header, rest);
}

std::size_t my_lane::answer_error(const mysql::err_message& error,
                                  packet_header header,
                                  bytes_view rest)
{
    auto sequence = static_cast<std::uint8_t>(header.sequence + 1);
    meter_.error(std::to_string(error.number));
    if (!running_)
        meter_.leave();
    mysql::append_err(channel_.out(), sequence, error);
    return drop(header, rest);
}

// `as_eof`: in the place of an EOF, as COM_SET_OPTION is answered.
void my_lane::answer_ok(bool as_eof)
{
    auto sequence = static_cast<std::uint8_t>(last_sequence_ + 1);
    mysql::ok_message ok;
    ok.status = link_ ? link_->status() : status_;
    ok.status &= mysql::status::in_transaction | mysql::status::autocommit |
                 mysql::status::no_backslash_escapes | mysql::status::in_readonly_transaction |
                 mysql::status::ansi_quotes;
    if (as_eof)
        mysql::append_end_of_rows(channel_.out(), sequence, ok, capabilities_);
    else
        mysql::append_ok(channel_.out(), sequence, ok, capabilities_);
}

}  // namespace sluice::gateway
