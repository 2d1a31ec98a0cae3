// tests/fuzz/fuzz_pg_requests.cpp: a client's requests after login, of any bytes: each is decoded
// whole or refused, and what is decoded can be read to its end.
#include <cstdint>

#include "proto/pg/frame.hpp"
#include "proto/pg/requests.hpp"
#include "proto/pg/values.hpp"

using namespace sluice;

namespace {

// Something that the optimizer cannot leave out.
volatile std::size_t seen;

void read_all(pg::parameter_list parameters, const pg::format_list& formats)
{
    for (std::size_t i = 0; parameters.left() > 0; ++i) {
        const auto field = parameters.next();
        if (!field)
            continue;
        const auto format = static_cast<pg::value_format>(formats[i] & 1);
        for (const pg::type_oid type : {16u,
                                        17u,
                                        20u,
                                        21u,
                                        23u,
                                        25u,
                                        26u,
                                        700u,
                                        701u,
                                        1082u,
                                        1083u,
                                        1114u,
                                        1184u,
                                        1700u,
                                        2950u,
                                        3802u,
                                        4711u}) {
            pg::bound_value value;
            seen = seen + static_cast<std::size_t>(pg::read_value(*field, type, format, value));
            byte_queue out;
            const auto text = as_text(*field);
            seen = seen + static_cast<std::size_t>(pg::append_value(out, text, type, format));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    bytes_view rest(reinterpret_cast<const std::byte*>(data), size);
    while (true) {
        const auto found = pg::next_frame(rest, std::size_t{1} << 20);
        if (!found || found->missing > 0)
            return 0;
        const auto body = found->message.body;
        if (const auto query = pg::decode_query(body))
            seen = query->size();
        if (const auto parse = pg::decode_parse(body))
            for (std::size_t i = 0; i < parse->types.size(); ++i)
                seen = parse->types[i];
        if (const auto bind = pg::decode_bind(body)) {
            read_all(bind->parameters, bind->parameter_formats);
            for (std::size_t i = 0; i < bind->result_formats.size(); ++i)
                seen = bind->result_formats[i];
        }
        if (const auto named = pg::decode_named(body))
            seen = named->name.size();
        if (const auto execute = pg::decode_execute(body))
            seen = static_cast<std::size_t>(execute->max_rows);
        if (const auto call = pg::decode_function_call(body))
            read_all(call->arguments, call->argument_formats);
        if (const auto why = pg::decode_copy_fail(body))
            seen = why->size();
        rest = rest.subspan(found->message.wire_size());
    }
}
