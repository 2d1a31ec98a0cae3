// proto/mysql/packet.cpp: messages of several packets, and length-encoded integers.
#include "proto/mysql/packet.hpp"

#include <algorithm>

namespace sluice::mysql {

result<scan> next_message(bytes_view input, std::size_t payload_limit) noexcept
{
    scan out;
    std::size_t at = 0;
    for (bool first = true;; first = false) {
        const auto part = peek_packet(input.subspan(at));
        if (input.size() - at < header_size) {
            out.missing = part.missing;
            return out;
        }
        if (first)
            out.found.sequence = part.header.sequence;
        else if (part.header.sequence != out.found.next_sequence)
            return fail(errc::bad_message);
        out.found.next_sequence = static_cast<std::uint8_t>(part.header.sequence + 1);
        out.found.payload_size += part.header.length;
        if (out.found.payload_size > payload_limit)
            return fail(errc::message_too_large);
        if (part.missing > 0) {
            out.missing = part.missing;
            return out;
        }
        at += part.wire_size();
        if (!part.header.continues())
            break;
    }
    out.found.packets = input.first(at);
    return out;
}

void append_payload(byte_queue& out, const message& from)
{
    for (auto rest = from.packets; !rest.empty();) {
        const auto part = peek_packet(rest);
        out.append(part.payload);
        rest = rest.subspan(part.wire_size());
    }
}

void append_message(byte_queue& out, bytes_view payload, std::uint8_t& sequence)
{
    for (;;) {
        const auto part = payload.first(std::min(payload.size(), payload_max));
        store_header(out.grow(header_size), {static_cast<std::uint32_t>(part.size()), sequence++});
        out.append(part);
        if (part.size() < payload_max)
            return;
        payload = payload.subspan(part.size());
    }
}

void packet_writer::lenenc(std::uint64_t value)
{
    if (value < 0xfb) {
        u8(static_cast<std::uint8_t>(value));
    } else if (value <= 0xffff) {
        u8(0xfc);
        u16(static_cast<std::uint16_t>(value));
    } else if (value <= 0xffffff) {
        u8(0xfd);
        u24(static_cast<std::uint32_t>(value));
    } else {
        u8(0xfe);
        u64(value);
    }
}

void packet_writer::zeros(std::size_t count)
{
    std::memset(out_.grow(count), 0, count);
}

// Makes room for the headers of the second and later packets, from the last one on.
void packet_writer::split()
{
    const auto length = out_.size() - start_ - header_size;
    const auto packets = length / payload_max + 1;
    out_.grow((packets - 1) * header_size);
    std::byte* const base = out_.mutable_data() + start_;
    for (auto i = packets; i-- > 0;) {
        const auto part = i + 1 == packets ? length - i * payload_max : payload_max;
        std::byte* const to = base + i * (header_size + payload_max);
        std::memmove(to + header_size, base + header_size + i * payload_max, part);
        store_header(to,
                     {static_cast<std::uint32_t>(part), static_cast<std::uint8_t>(sequence_ + i)});
    }
    sequence_ = static_cast<std::uint8_t>(sequence_ + packets);
}

}  // namespace sluice::mysql
