// tests/fuzz/fuzz_pg_frame.cpp: any bytes as messages, as first packets, as error fields.
#include <cstdlib>

#include "proto/pg/frame.hpp"
#include "proto/pg/messages.hpp"
#include "proto/pg/startup.hpp"

namespace {

using namespace sluice;

void check(bool holds)
{
    if (!holds)
        std::abort();
}

void walk_frames(bytes_view input)
{
    constexpr std::size_t body_max = 4096;
    while (true) {
        const auto found = pg::next_frame(input, body_max);
        if (!found)
            return;
        if (found->missing > 0) {
            check(found->missing <= pg::header_size + body_max);
            return;
        }
        check(found->message.wire_size() <= input.size());
        if (const auto fields = pg::parse_error_fields(found->message.body)) {
            // What was read once is read alike when written again.
            byte_queue out;
            pg::append_error(out, *fields);
            const auto again = pg::parse_error_fields(out.readable().subspan(pg::header_size));
            check(again && again->message == fields->message && again->hint == fields->hint);
        }
        input = input.subspan(found->message.wire_size());
    }
}

void walk_startups(bytes_view input)
{
    while (true) {
        const auto found = pg::next_startup(input);
        if (!found)
            return;
        if (found->missing > 0) {
            check(found->missing <= pg::startup_length_max);
            return;
        }
        const auto& packet = found->packet;
        check(packet.wire_size >= pg::startup_length_min && packet.wire_size <= input.size());
        (void)pg::needs_negotiation(packet);
        auto all = packet.parameters;
        while (const auto parameter = all.next())
            check(packet.parameters.find(parameter->name).has_value());
        input = input.subspan(packet.wire_size);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto input = std::as_bytes(std::span(data, size));
    walk_frames(input);
    walk_startups(input);
    return 0;
}
