// proto/pg/startup.cpp: a PostgreSQL client's first packets.
#include "proto/pg/startup.hpp"

#include "proto/core/reader.hpp"
#include "proto/pg/frame.hpp"

namespace sluice::pg {

namespace {

// Does not look at the bytes behind the code: they may not have arrived.
std::error_code check_length(std::uint32_t code, std::uint32_t length) noexcept
{
    switch (code) {
        case ssl_request_code:
        case gssenc_request_code:
            return length == startup_length_min ? std::error_code{} : errc::bad_length;
        case cancel_request_code: {
            const auto fixed = startup_length_min + 4;
            const bool fits =
                length >= fixed + cancel_key_size_min && length <= fixed + cancel_key_size_max;
            return fits ? std::error_code{} : errc::bad_length;
        }
        default:
            break;
    }
    if (protocol_major(code) != 3)
        return errc::bad_message;
    return length > startup_length_min ? std::error_code{} : errc::bad_length;
}

// pairs := (name:cstring value:cstring)* 0:u8, and nothing behind the zero.
std::error_code check_parameters(bytes_view pairs) noexcept
{
    reader in(pairs);
    while (!in.cstring().empty())
        in.cstring();
    return in.finish();
}

startup_packet decode(bytes_view body) noexcept
{
    reader in(body);
    startup_packet packet;
    const auto code = in.be<std::uint32_t>();
    switch (code) {
        case ssl_request_code:
            packet.kind = startup_kind::ssl_request;
            break;
        case gssenc_request_code:
            packet.kind = startup_kind::gssenc_request;
            break;
        case cancel_request_code:
            packet.kind = startup_kind::cancel_request;
            packet.cancel_pid = in.be<std::uint32_t>();
            packet.cancel_key = in.rest();
            break;
        default:
            packet.kind = startup_kind::startup_message;
            packet.version = code;
            packet.parameters = startup_parameters(in.rest().first(in.rest().size() - 1));
            break;
    }
    packet.wire_size = length_size + body.size();
    return packet;
}

}  // namespace

std::optional<startup_parameter> startup_parameters::next() noexcept
{
    if (rest_.empty())
        return std::nullopt;
    reader in(rest_);
    startup_parameter found;
    found.name = in.cstring();
    found.value = in.cstring();
    rest_ = in.rest();
    if (in.failed())
        return std::nullopt;
    return found;
}

std::optional<std::string_view> startup_parameters::find(std::string_view name) const noexcept
{
    std::optional<std::string_view> found;
    startup_parameters all = *this;
    while (const auto parameter = all.next()) {
        if (parameter->name == name)
            found = parameter->value;
    }
    return found;
}

result<startup_scan> next_startup(bytes_view input) noexcept
{
    if (input.size() < length_size)
        return startup_scan{{}, startup_length_min - input.size()};
    const auto length = load_be<std::uint32_t>(input.data());
    if (length < startup_length_min)
        return fail(errc::bad_length);
    if (length > startup_length_max)
        return fail(errc::message_too_large);

    if (input.size() >= startup_length_min) {
        const auto code = load_be<std::uint32_t>(input.data() + length_size);
        if (const auto ec = check_length(code, length))
            return fail(ec);
    }
    if (input.size() < length)
        return startup_scan{{}, length - input.size()};

    const auto body = input.subspan(length_size, length - length_size);
    if (protocol_major(load_be<std::uint32_t>(body.data())) == 3) {
        if (const auto ec = check_parameters(body.subspan(4)))
            return fail(ec);
    }
    return startup_scan{decode(body), 0};
}

bool is_protocol_option(std::string_view name) noexcept
{
    return name.starts_with("_pq_.");
}

bool needs_negotiation(const startup_packet& packet) noexcept
{
    if (packet.kind != startup_kind::startup_message)
        return false;
    if (packet.version != protocol_3_0)
        return true;
    startup_parameters all = packet.parameters;
    while (const auto parameter = all.next()) {
        if (is_protocol_option(parameter->name))
            return true;
    }
    return false;
}

}  // namespace sluice::pg
