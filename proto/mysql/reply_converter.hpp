// proto/mysql/reply_converter.hpp: the replies of a backend as a client with other capabilities
// expects them.
//
//   backend \ client   DEPRECATE_EOF                  without
//   DEPRECATE_EOF      -                              EOF behind definitions, EOF for the last OK
//   without            definitions' EOF left out,     -
//                      OK for the last EOF
//   SESSION_TRACK      only the changes that the      no changes in OKs
//                      client would hear of
//
// Packets that come or go shift the numbers of those behind them, up to the end of the reply.
// Everything else stays as it is.
//
// An EOF behind definitions tells what the server last said of the transaction: whether more
// results or output parameters follow is not known yet, the EOF behind the rows says it.
//
// Layer: proto. Pure; reuses one small buffer. One for each backend connection, told of each
// client that gets it.
#pragma once

#include "proto/mysql/reply_tracker.hpp"

namespace sluice::mysql {

// What a server tells about by itself: session_track_system_variables, session_track_schema.
inline constexpr std::string_view tracked_by_default =
    "autocommit,character_set_client,character_set_connection,character_set_results,time_zone";

// The session changes that a client with SESSION_TRACK hears of.
struct track_filter {
    bool everything = true;  // then the rest does not matter
    bool schema = true;
    bool state_change = false;
    bool gtids = false;
    bool transaction_characteristics = false;
    bool transaction_state = false;
    std::string_view variables = tracked_by_default;  // "*": all; outlives the converter's use

    bool passes(const change_list::change& one) const noexcept;
};

class reply_converter {
public:
    // Between replies: who gets the ones to come. Capabilities are those that both sides of each
    // connection announced.
    void configure(std::uint32_t backend,
                   std::uint32_t client,
                   const track_filter& filter = {}) noexcept;

    // What the client gets for one packet: `before`, then the packet itself if `keep` (its header
    // may have been written to), then `behind`. The views live until the next call. `behind` is not
    // empty only for packets that are whole.
    struct pieces {
        bytes_view before;
        bool keep = true;
        bytes_view behind;
    };
    // For every packet of a reply, once the tracker has decided on it. `packet`: its first
    // header_size bytes, and behind them of the payload what the tracker was given.
    pieces on_packet(const reply_tracker::verdict& verdict,
                     const reply_tracker& tracker,
                     std::byte* packet,
                     bytes_view payload);

    // A reply begins, with this number; one that was not finished is forgotten.
    // `shift`: what to add to the server's numbers.
    void begin_reply(std::uint8_t sequence, std::uint8_t shift = 0) noexcept
    {
        next_ = sequence;
        shift_ = shift;
        pending_ = false;
    }
    // Of the client's next packet in the reply.
    std::uint8_t next_sequence() const noexcept { return next_; }
    // How much higher (modulo 256) the client's numbers are than the server's. While it uploads a
    // file, its packets' numbers have to be that much lower for the server.
    std::uint8_t shift() const noexcept { return shift_; }

private:
    enum class eof_change : std::uint8_t { none, add, remove };

    void append_pending(std::uint8_t sequence, const reply_tracker& tracker);
    void append_eof_for(std::uint8_t sequence, const ok_message& ok);
    void append_filtered(std::uint8_t sequence, const ok_message& ok, std::byte first);

    byte_queue written_;
    byte_queue kept_changes_;
    track_filter filter_;
    std::uint32_t backend_ = 0;
    std::uint32_t client_ = 0;
    std::uint8_t next_ = 1;
    std::uint8_t shift_ = 0;
    eof_change eofs_ = eof_change::none;
    bool changes_ = false;  // OKs with session changes need a look
    bool pending_ = false;  // the client waits for the EOF behind definitions
};

}  // namespace sluice::mysql
