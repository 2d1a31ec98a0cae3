// tests/fuzz/fuzz_mysql_requests.cpp: any bytes as a MySQL client's packets and commands.
#include <cstdlib>

#include "proto/mysql/messages.hpp"
#include "proto/mysql/requests.hpp"

namespace {

using namespace sluice;
using namespace sluice::mysql;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

void execute(bytes_view payload, std::size_t parameters)
{
    const auto request = decode_execute(payload, parameters);
    if (!request)
        return;
    for (std::size_t i = 0; i < parameters; ++i)
        (void)request->is_null(i);
    require(request->values.size() <= payload.size());
    require(request->types.empty() || request->types.size() == 2 * parameters);
}

void decode(bytes_view payload, std::size_t parameters)
{
    const auto what = command_of(payload);
    require(what || payload.empty());
    if (!what)
        return;
    (void)name_of(*what);
    (void)text_of(payload);
    (void)statement_of(payload);
    (void)decode_long_data(payload);
    (void)decode_fetch(payload);
    (void)decode_field_list(payload);
    (void)decode_process_kill(payload);
    (void)decode_set_option(payload);
    execute(payload, parameters);
    // And what servers say.
    if (const auto ok = parse_ok(payload, capability::session_track)) {
        auto changes = ok->changes;
        while (const auto one = changes.next()) {
            variable_list variables(one->data);
            while (variables.next()) {
            }
            (void)change_text(one->data);
        }
    }
    (void)parse_err(payload);
    (void)parse_eof(payload);
    (void)parse_prepare_ok(payload);
    if (const auto column = parse_column(payload, true)) {
        byte_queue out;
        std::uint8_t sequence = 0;
        append_column(out, sequence, *column);
        require(parse_column(out.readable().subspan(header_size), true).error() ==
                std::error_code());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t payload_limit = 4096;
    if (size == 0)
        return 0;
    const std::size_t parameters = data[0];
    auto input = std::as_bytes(std::span(data, size)).subspan(1);
    while (true) {
        const auto found = next_message(input, payload_limit);
        if (!found)
            return 0;
        if (found->missing > 0) {
            require(found->missing <= header_size + payload_limit);
            return 0;
        }
        require(found->found.packets.size() <= input.size());
        byte_queue joined;
        append_payload(joined, found->found);
        require(joined.size() == found->found.payload_size);
        decode(joined.readable(), parameters);
        input = input.subspan(found->found.packets.size());
    }
}
