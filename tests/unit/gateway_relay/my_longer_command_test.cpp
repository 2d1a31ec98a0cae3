// tests/unit/gateway_relay/my_longer_command_test.cpp: where long commands are cut anew.
#include "gateway/relay/my_longer_command.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

using mysql::header_size;
using mysql::payload_max;

struct sent {
    std::vector<std::size_t> lengths;
    std::vector<unsigned> numbers;
    std::vector<std::byte> payload;
};

sent read_back(bytes_view bytes)
{
    sent found;
    while (!bytes.empty()) {
        const auto header = mysql::load_header(bytes.data());
        found.lengths.push_back(header.length);
        found.numbers.push_back(header.sequence);
        const auto body = bytes.subspan(header_size, header.length);
        found.payload.insert(found.payload.end(), body.begin(), body.end());
        bytes = bytes.subspan(header_size + header.length);
    }
    return found;
}

// A payload of `size` bytes with `extra` bytes behind its first `prefix`, as the lane does it.
sent grow(std::size_t size, std::size_t prefix, std::size_t extra, std::size_t piece)
{
    std::vector<std::byte> payload(size);
    for (std::size_t i = 0; i < size; ++i)
        payload[i] = static_cast<std::byte>(i % 251);
    const bytes_view whole(payload);
    my_longer_command command(extra);
    byte_queue out;
    std::size_t at = 0;
    for (std::uint8_t number = 0;; ++number) {
        const auto length = std::min(size - at, payload_max);
        command.begin({static_cast<std::uint32_t>(length), number}, out);
        auto body = whole.subspan(at, length);
        if (number == 0) {
            out.append(body.first(prefix));
            out.append(std::vector<std::byte>(extra, std::byte{0xee}));
            command.skip(prefix);
            body = body.subspan(prefix);
        }
        for (; !body.empty(); body = body.subspan(std::min(piece, body.size())))
            command.body(body.first(std::min(piece, body.size())), out);
        at += length;
        if (length < payload_max)
            break;
    }
    sent found = read_back(out.readable());
    // What was put in is there once, and nothing else changed.
    EXPECT_EQ(found.payload.size(), size + extra);
    found.payload.erase(found.payload.begin() + static_cast<std::ptrdiff_t>(prefix),
                        found.payload.begin() + static_cast<std::ptrdiff_t>(prefix + extra));
    EXPECT_EQ(found.payload, payload);
    return found;
}

TEST(MyLongerCommand, EachPacketButTheLastIsFull)
{
    constexpr std::size_t prefix = 13;
    constexpr std::size_t extra = 4;
    struct {
        std::size_t size;
        std::vector<std::size_t> lengths;
    } const cases[] = {
        {payload_max - 5, {payload_max - 1}},
        {payload_max - 4, {payload_max, 0}},
        {payload_max - 1, {payload_max, 3}},
        {payload_max, {payload_max, 4}},
        {payload_max + 1, {payload_max, 5}},
        {2 * payload_max - 5, {payload_max, payload_max - 1}},
        {2 * payload_max - 4, {payload_max, payload_max, 0}},
        {2 * payload_max, {payload_max, payload_max, 4}},
    };
    for (const auto& each : cases) {
        for (const std::size_t piece : {std::size_t{65536}, payload_max}) {
            const auto found = grow(each.size, prefix, extra, piece);
            EXPECT_EQ(found.lengths, each.lengths) << each.size;
            for (std::size_t i = 0; i < found.numbers.size(); ++i)
                EXPECT_EQ(found.numbers[i], i);
        }
    }
}

}  // namespace
}  // namespace sluice::gateway
