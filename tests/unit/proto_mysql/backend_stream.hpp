// tests/unit/proto_mysql/backend_stream.hpp: a stand-in for the relay: feeds what a server sends to
// the tracker in pieces of any size and writes down what it said.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "proto/mysql/reply_tracker.hpp"
#include "unit/proto_pg/wire.hpp"

namespace sluice::test {

class backend_stream {
public:
    explicit backend_stream(std::uint32_t capabilities) : tracker(capabilities) {}

    struct seen {
        mysql::packet_kind kind;
        bool ended;
        std::size_t offset;  // of the packet's end in the stream
    };

    void feed(bytes_view more)
    {
        pending_.append(as_text(more));
        while (!broken && step()) {
        }
    }

    void feed_in_chunks(bytes_view all, std::mt19937& random)
    {
        while (!all.empty()) {
            const auto size = std::min<std::size_t>(all.size(), random() % 40 + 1);
            feed(all.first(size));
            all = all.subspan(size);
        }
    }

    // Every byte of the last packet has arrived and been understood.
    bool complete() const { return pending_.empty() && skip_ == 0; }

    mysql::reply_tracker tracker;
    std::vector<seen> packets;
    std::vector<std::uint64_t> ended;  // tags
    bool broken = false;

private:
    bool step()
    {
        if (skip_ > 0) {
            const auto count = std::min(skip_, pending_.size());
            pending_.erase(0, count);
            skip_ -= count;
            return count > 0 && !pending_.empty();
        }
        // In a block of its own exact size: reading past what is there is seen.
        const std::vector<std::byte> exact(as_bytes(pending_).begin(), as_bytes(pending_).end());
        const auto packet = mysql::peek_packet(bytes_view(exact));
        if (exact.size() < mysql::header_size)
            return false;
        const auto verdict = tracker.on_packet(packet.header, packet.payload);
        if (verdict.missing > 0) {
            EXPECT_GE(packet.missing, verdict.missing);
            return false;
        }
        if (verdict.unexpected) {
            broken = true;
            return false;
        }
        offset_ += packet.wire_size();
        packets.push_back({verdict.kind, verdict.ended, offset_});
        if (verdict.ended)
            ended.push_back(tracker.ended().tag);
        skip_ = packet.wire_size();
        return true;
    }

    std::string pending_;
    std::size_t skip_ = 0;
    std::size_t offset_ = 0;
};

}  // namespace sluice::test
