// proto/mysql/packet.hpp: MySQL's framing: where a packet begins and ends, and writing one.
//
//   packet  := length:u24le sequence:u8 payload:byte[length]
//   message := packet(length 0xffffff)* packet(length < 0xffffff)      the last may be empty
//
// The sequence starts at 0 with each command, both sides share it, and it wraps.
//
// Layer: proto. Pure functions over borrowed bytes: no sockets, clocks, threads or logging.
// Lifetime: returned views point into the argument and die with it.
#pragma once

#include "proto/core/byte_queue.hpp"
#include "proto/core/errc.hpp"
#include "proto/core/result.hpp"

namespace sluice::mysql {

inline constexpr std::size_t header_size = 4;
inline constexpr std::size_t payload_max = 0xffffff;  // of one packet

struct packet_header {
    std::uint32_t length = 0;
    std::uint8_t sequence = 0;
    // The message goes on in the next packet.
    bool continues() const noexcept { return length == payload_max; }
};

// `from` holds header_size bytes; so does `to`.
inline packet_header load_header(const std::byte* from) noexcept
{
    const auto word = load_le<std::uint32_t>(from);
    return {word & 0xffffff, static_cast<std::uint8_t>(word >> 24)};
}

inline void store_header(std::byte* to, packet_header header) noexcept
{
    store_le(to, header.length | std::uint32_t{header.sequence} << 24);
}

// The beginning of `input` as a packet of which perhaps not all has arrived.
struct glimpse {
    packet_header header;  // all zero while it is not there
    bytes_view payload;    // as much as is there
    std::size_t missing = 0;
    std::size_t wire_size() const noexcept { return header_size + header.length; }
};

inline glimpse peek_packet(bytes_view input) noexcept
{
    if (input.size() < header_size)
        return {{}, {}, header_size - input.size()};
    const auto header = load_header(input.data());
    const auto rest = input.subspan(header_size);
    if (rest.size() < header.length)
        return {header, rest, header.length - rest.size()};
    return {header, rest.first(header.length), 0};
}

// A message as it lies in `packets`: one packet nearly always, several from 16 MiB - 1.
struct message {
    bytes_view packets;
    std::uint8_t sequence = 0;       // of the first packet
    std::uint8_t next_sequence = 0;  // of what follows it
    std::size_t payload_size = 0;

    bool single() const noexcept { return payload_size < payload_max; }
    // Of the first packet; all of it if single().
    bytes_view payload() const noexcept
    {
        const auto rest = packets.subspan(header_size);
        return rest.size() > payload_max ? rest.first(payload_max) : rest;
    }
};

struct scan {
    message found;
    std::size_t missing = 0;  // > 0: read at least this much more and ask again
};

// Finds the first message in `input`. An incomplete one is no error; one whose payload must become
// larger than `payload_limit` is (message_too_large), as soon as a header says so. A continuation
// with another sequence number than the next one is bad_message.
result<scan> next_message(bytes_view input, std::size_t payload_limit) noexcept;

// The payload without the headers in between.
void append_payload(byte_queue& out, const message& from);

// Appends `payload` as one message; `sequence` becomes that of what follows.
void append_message(byte_queue& out, bytes_view payload, std::uint8_t& sequence);

// One message appended to `out` field by field; the destructor fills in the header (and splits
// what is too long for one packet). `out` must not be consumed meanwhile.
class packet_writer {
public:
    packet_writer(byte_queue& out, std::uint8_t& sequence)
        : out_(out), sequence_(sequence), start_(out.size())
    {
        out_.grow(header_size);
    }
    packet_writer(const packet_writer&) = delete;
    packet_writer& operator=(const packet_writer&) = delete;
    ~packet_writer() noexcept(false)
    {
        const auto length = out_.size() - start_ - header_size;
        if (length >= payload_max) {
            split();
            return;
        }
        store_header(out_.mutable_data() + start_,
                     {static_cast<std::uint32_t>(length), sequence_++});
    }

    void u8(std::uint8_t value) { out_.append_byte(static_cast<char>(value)); }
    void u16(std::uint16_t value) { out_.append_le(value); }
    void u24(std::uint32_t value)
    {
        u16(static_cast<std::uint16_t>(value));
        u8(static_cast<std::uint8_t>(value >> 16));
    }
    void u32(std::uint32_t value) { out_.append_le(value); }
    void u64(std::uint64_t value) { out_.append_le(value); }
    void lenenc(std::uint64_t value);
    void lenenc_string(std::string_view value)
    {
        lenenc(value.size());
        out_.append(value);
    }
    void null() { u8(0xfb); }  // in a text row
    void bytes(bytes_view value) { out_.append(value); }
    void text(std::string_view value) { out_.append(value); }
    // A zero byte inside would end the field early and shift all that follows: cut there.
    void cstring(std::string_view value) { out_.append_cstring(value.substr(0, value.find('\0'))); }
    void zeros(std::size_t count);

    byte_queue& out() noexcept { return out_; }

private:
    void split();

    byte_queue& out_;
    std::uint8_t& sequence_;
    std::size_t start_;
};

// Bytes that lenenc(value) takes.
constexpr std::size_t lenenc_size(std::uint64_t value) noexcept
{
    return value < 0xfb ? 1 : value <= 0xffff ? 3 : value <= 0xffffff ? 4 : 9;
}

}  // namespace sluice::mysql
