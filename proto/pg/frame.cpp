// proto/pg/frame.cpp: PostgreSQL v3 framing.
#include "proto/pg/frame.hpp"

#include "proto/core/errc.hpp"

namespace sluice::pg {

result<scan> next_frame(bytes_view input, std::size_t body_max) noexcept
{
    if (input.size() < header_size)
        return scan{{}, header_size - input.size()};

    const auto type = static_cast<char>(input[0]);
    const auto length = load_be<std::uint32_t>(input.data() + 1);

    // Check the length before anything is sized by it.
    if (length < length_min)
        return fail(errc::bad_length);
    const std::size_t body_size = length - length_min;
    if (body_size > body_max)
        return fail(errc::message_too_large);

    const auto available = input.size() - header_size;
    if (available < body_size)
        return scan{{}, body_size - available};
    return scan{{type, input.subspan(header_size, body_size)}, 0};
}

}  // namespace sluice::pg
