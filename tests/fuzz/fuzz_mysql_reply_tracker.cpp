// tests/fuzz/fuzz_mysql_reply_tracker.cpp: any bytes as a MySQL server's replies, through tracker
// and converter; however they are cut, they mean the same.
#include <cstdlib>
#include <vector>

#include "proto/mysql/reply_converter.hpp"

namespace {

using namespace sluice;
using namespace sluice::mysql;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

struct outcome {
    std::vector<std::uint8_t> kinds;
    std::size_t ended = 0;
    std::size_t out = 0;  // bytes for the client
    bool broken = false;
};

void owe(reply_tracker& tracker, bytes_view commands)
{
    for (const auto what : commands) {
        owed entry;
        entry.what = static_cast<command>(what);
        tracker.sent(entry);
    }
}

// `window`: at most so many bytes of a payload are there at first.
outcome run(std::uint32_t capabilities,
            std::uint32_t client,
            bytes_view commands,
            bytes_view input,
            std::size_t window)
{
    reply_tracker tracker(capabilities);
    reply_converter converter;
    track_filter filter;
    filter.everything = client & 1u;
    converter.configure(capabilities, client, filter);
    owe(tracker, commands);
    std::vector<std::byte> bytes(input.begin(), input.end());
    outcome result;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto packet = peek_packet(bytes_view(bytes).subspan(at));
        if (bytes.size() - at < header_size || packet.missing > 0)
            break;
        if (tracker.uploading() && (packet.header.sequence & 1u)) {
            tracker.on_upload(packet.header);
            at += packet.wire_size();
            continue;
        }
        auto seen = packet.payload.first(std::min(window, packet.payload.size()));
        auto verdict = tracker.on_packet(packet.header, seen);
        if (verdict.missing > 0) {
            require(seen.size() + verdict.missing <= packet.payload.size());
            seen = packet.payload.first(seen.size() + verdict.missing);
            verdict = tracker.on_packet(packet.header, seen);
            // One byte tells how many it wants; then they are enough.
            if (verdict.missing > 0) {
                require(seen.size() == 1);
                seen = packet.payload;
                verdict = tracker.on_packet(packet.header, seen);
            }
            require(verdict.missing == 0);
        }
        if (verdict.unexpected) {
            result.broken = true;
            break;
        }
        require(!verdict.ended || seen.size() == packet.payload.size());
        result.kinds.push_back(static_cast<std::uint8_t>(verdict.kind));
        result.ended += verdict.ended;
        const auto pieces = converter.on_packet(verdict, tracker, bytes.data() + at, seen);
        require(pieces.behind.empty() || seen.size() == packet.payload.size());
        result.out += pieces.before.size() + pieces.behind.size();
        result.out += pieces.keep ? packet.wire_size() : 0;
        at += packet.wire_size();
    }
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3)
        return 0;
    const std::uint32_t backend = std::uint32_t{data[0]} << 23;
    const std::uint32_t client = std::uint32_t{data[1]} << 23 | data[1] >> 7;
    const std::size_t count = std::min<std::size_t>(data[2] & 31u, size - 3);
    const auto all = std::as_bytes(std::span(data, size)).subspan(3);
    const auto whole = run(backend, client, all.first(count), all.subspan(count), size);
    for (const std::size_t window : {0u, 1u, 5u}) {
        const auto cut = run(backend, client, all.first(count), all.subspan(count), window);
        require(cut.kinds == whole.kinds && cut.ended == whole.ended && cut.out == whole.out &&
                cut.broken == whole.broken);
    }
    return 0;
}
