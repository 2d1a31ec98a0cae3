// gateway/relay/my_longer_command.hpp: a command of 16 MiB or more into which the gateway puts a
// few bytes: its packets are cut anew, as each but the last has 0xffffff bytes.
//
// Layer: gateway/relay. Pure. Bounds: keeps as many bytes as were put in, up to the next packet.
#pragma once

#include <algorithm>
#include <cstddef>

#include "proto/core/byte_queue.hpp"
#include "proto/mysql/packet.hpp"

namespace sluice::gateway {

class my_longer_command {
public:
    explicit my_longer_command(std::size_t extra) noexcept : extra_(extra) {}

    // A packet of the client's begins. Behind its header in `out` stands what the one before had
    // too much.
    void begin(mysql::packet_header theirs, byte_queue& out)
    {
        const std::size_t size = extra_ + theirs.length;
        const bool full = size >= mysql::payload_max;
        until_full_ = full ? mysql::payload_max - extra_ : never;
        splits_ = full && !theirs.continues();
        if (splits_)
            behind_ = {static_cast<std::uint32_t>(size - mysql::payload_max),
                       static_cast<std::uint8_t>(theirs.sequence + 1)};
        mysql::store_header(
            out.grow(mysql::header_size),
            {static_cast<std::uint32_t>(std::min(size, mysql::payload_max)), theirs.sequence});
        out.append(kept_.readable());
        kept_.consume(kept_.size());
    }

    // After begin(): the client's last packet becomes two.
    bool adds_packet() const noexcept { return splits_; }

    // The first bytes of a packet that were sent in another form, with the extra ones.
    void skip(std::size_t bytes) noexcept { until_full_ -= until_full_ == never ? 0 : bytes; }

    // Bytes of the packet's.
    void body(bytes_view part, byte_queue& out)
    {
        const auto fits = std::min(part.size(), until_full_);
        out.append(part.first(fits));
        if (until_full_ == never)
            return;
        until_full_ -= fits;
        if (until_full_ > 0)
            return;
        if (!splits_) {
            kept_.append(part.subspan(fits));
            return;
        }
        mysql::store_header(out.grow(mysql::header_size), behind_);
        out.append(part.subspan(fits));
        until_full_ = never;
    }

private:
    static constexpr std::size_t never = static_cast<std::size_t>(-1);

    const std::size_t extra_;
    std::size_t until_full_ = never;  // bytes of the client's packet
    bool splits_ = false;             // `behind_` is the header of the second half
    mysql::packet_header behind_{};
    byte_queue kept_;
};

}  // namespace sluice::gateway
