// gateway/relay/my_reply_writer.hpp: a backend's packets as their client wants them.
//
// Backends have CLIENT_DEPRECATE_EOF and CLIENT_SESSION_TRACK on and report every change. A client
// without the first gets its EOFs, and every client hears of as many changes as a server reports
// by itself (proto/mysql/reply_converter.hpp). All else goes on byte by byte, from where it was
// read.
//
// Layer: gateway/relay. Part of a link, at work while a client leases it.
#pragma once

#include <cstdint>
#include <span>

#include "proto/core/byte_queue.hpp"
#include "proto/mysql/reply_converter.hpp"

namespace sluice::gateway {

class my_reply_writer {
public:
    // Bytes to the client: what was appended to out(), then what send() brings.
    class sink {
    public:
        virtual byte_queue& reply_out() noexcept = 0;
        virtual void on_reply(bytes_view bytes) = 0;

    protected:
        ~sink() = default;
    };

    // What both sides of the backend's and of the client's connection announced.
    void begin_lease(sink& to, std::uint32_t backend, std::uint32_t client) noexcept;
    void end_lease() noexcept { to_ = nullptr; }

    // A command of the client's was sent; its answer begins with `sequence`.
    void begin_reply(std::uint8_t sequence, std::uint8_t shift = 0) noexcept;

    // The header and as much of the payload as is there; rest() brings what follows. The packet
    // is changed in place.
    void packet(const mysql::reply_tracker::verdict& verdict,
                const mysql::reply_tracker& tracker,
                std::span<std::byte> bytes);
    void rest(bytes_view bytes) { pass(bytes); }
    // The packet is not passed on: the client gets this one's payload in its place.
    void packet_instead(const mysql::reply_tracker::verdict& verdict,
                        const mysql::reply_tracker& tracker,
                        std::span<std::byte> bytes,
                        bytes_view payload);
    // Call before the bytes given to packet() and rest() change, and when no more will come soon.
    void send();

    // Bytes of the unfinished reply have been passed on.
    bool begun() const noexcept { return begun_; }
    std::uint8_t next_sequence() const noexcept { return converter_.next_sequence(); }
    // How much higher the client's numbers are than the backend's.
    std::uint8_t shift() const noexcept { return converter_.shift(); }

private:
    void pass(bytes_view bytes);
    void complete_early_eof(const mysql::reply_tracker& tracker);
    void append(bytes_view bytes);  // packets of ours, behind what was passed

    sink* to_ = nullptr;
    mysql::reply_converter converter_;
    bytes_view range_;        // adjacent bytes, not handed on yet
    std::size_t eof_at_ = 0;  // of an early EOF's numbers in reply_out(), while it is not sent
    bool unsent_ = false;     // something was appended to the client's queue
    bool begun_ = false;
};

}  // namespace sluice::gateway
