// proto/pg/requests.cpp: a client's requests after login.
#include "proto/pg/requests.hpp"

#include "proto/core/reader.hpp"

namespace sluice::pg {
namespace {

constexpr std::uint32_t null_length = 0xffffffff;

template <std::unsigned_integral T>
be_list<T> read_list(reader& in) noexcept
{
    const std::size_t count = in.be<std::uint16_t>();
    return be_list<T>(in.take(count * sizeof(T)));
}

// Walks the fields once, so that parameter_list need not check.
parameter_list read_parameters(reader& in) noexcept
{
    const std::size_t count = in.be<std::uint16_t>();
    const auto fields = in.rest();
    for (std::size_t i = 0; i < count; ++i) {
        const auto length = in.be<std::uint32_t>();
        if (in.failed())
            return {};
        if (length != null_length)
            in.take(length);
    }
    if (in.failed())
        return {};
    return parameter_list(fields.first(fields.size() - in.rest().size()), count);
}

template <class T>
result<T> finished(const reader& in, const T& message) noexcept
{
    if (const auto ec = in.finish())
        return fail(ec);
    return message;
}

}  // namespace

bool format_list::only_known() const noexcept
{
    for (std::size_t i = 0; i < codes_.size(); ++i)
        if (codes_[i] > 1)
            return false;
    return true;
}

std::optional<bytes_view> parameter_list::next() noexcept
{
    --left_;
    const auto length = load_be<std::uint32_t>(rest_.data());
    rest_ = rest_.subspan(sizeof length);
    if (length == null_length)
        return std::nullopt;
    const auto field = rest_.first(length);
    rest_ = rest_.subspan(length);
    return field;
}

result<std::string_view> decode_query(bytes_view body) noexcept
{
    reader in(body);
    const auto text = in.cstring();
    return finished(in, text);
}

result<parse_request> decode_parse(bytes_view body) noexcept
{
    reader in(body);
    parse_request message;
    message.statement = in.cstring();
    message.text = in.cstring();
    message.types = read_list<std::uint32_t>(in);
    return finished(in, message);
}

result<bind_request> decode_bind(bytes_view body) noexcept
{
    reader in(body);
    bind_request message;
    message.portal = in.cstring();
    message.statement = in.cstring();
    message.parameter_formats = format_list(read_list<std::uint16_t>(in));
    message.parameters = read_parameters(in);
    message.result_formats = format_list(read_list<std::uint16_t>(in));
    if (const auto ec = in.finish())
        return fail(ec);
    if (!message.parameter_formats.fits(message.parameters.left()) ||
        !message.parameter_formats.only_known() || !message.result_formats.only_known())
        return fail(errc::bad_message);
    return message;
}

result<named_request> decode_named(bytes_view body) noexcept
{
    reader in(body);
    const auto what = static_cast<char>(in.be<std::uint8_t>());
    named_request message;
    message.name = in.cstring();
    if (const auto ec = in.finish())
        return fail(ec);
    if (what != static_cast<char>(target::statement) && what != static_cast<char>(target::portal))
        return fail(errc::bad_message);
    message.what = static_cast<target>(what);
    return message;
}

result<execute_request> decode_execute(bytes_view body) noexcept
{
    reader in(body);
    execute_request message;
    message.portal = in.cstring();
    // PostgreSQL takes a negative limit for none.
    const auto limit = static_cast<std::int32_t>(in.be<std::uint32_t>());
    message.max_rows = limit > 0 ? limit : 0;
    return finished(in, message);
}

result<function_call> decode_function_call(bytes_view body) noexcept
{
    reader in(body);
    function_call message;
    message.function = in.be<std::uint32_t>();
    message.argument_formats = format_list(read_list<std::uint16_t>(in));
    message.arguments = read_parameters(in);
    message.result_format = in.be<std::uint16_t>();
    if (const auto ec = in.finish())
        return fail(ec);
    if (!message.argument_formats.fits(message.arguments.left()))
        return fail(errc::bad_message);
    return message;
}

result<std::string_view> decode_copy_fail(bytes_view body) noexcept
{
    reader in(body);
    const auto reason = in.cstring();
    return finished(in, reason);
}

}  // namespace sluice::pg
