// proto/pg/value_input.cpp: parameters as clients send them, into what SQLite stores.
#include "proto/pg/values.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "proto/core/reader.hpp"
#include "proto/pg/arrays.hpp"
#include "proto/pg/numeric.hpp"
#include "proto/pg/timestamp.hpp"
#include "proto/pg/value_text.hpp"

namespace sluice::pg {
namespace {

// A decimal is bound as an integer or a double where that is the same number, so that it compares
// and adds; else as its text.
bound_value decimal_value(std::string digits)
{
    std::int64_t whole = 0;
    if (parse_integer(digits, whole) == conversion::ok)
        return whole;
    double real = 0;
    std::string plain = digits;
    if (plain.find('.') != std::string::npos) {
        plain.erase(plain.find_last_not_of('0') + 1);
        if (plain.ends_with('.'))
            plain.pop_back();
        if (parse_integer(plain, whole) == conversion::ok)
            return whole;
    }
    if (parse_double(plain, real) == conversion::ok && std::isfinite(real)) {
        byte_queue shortest;
        append_float8(shortest, real);
        const auto again = numeric_from_text(as_text(shortest.readable()));
        if (again && *again == plain)
            return real;
    }
    return digits;
}

template <class T>
conversion set_optional(std::optional<T>&& text, conversion otherwise, bound_value& out)
{
    if (!text)
        return otherwise;
    out = std::move(*text);
    return conversion::ok;
}

conversion integer_in_range(std::int64_t number, type_oid type, bound_value& out)
{
    std::int64_t least = std::numeric_limits<std::int64_t>::min();
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
    if (type == oid::int2) {
        least = std::numeric_limits<std::int16_t>::min();
        most = std::numeric_limits<std::int16_t>::max();
    } else if (type == oid::int4) {
        least = std::numeric_limits<std::int32_t>::min();
        most = std::numeric_limits<std::int32_t>::max();
    } else if (type == oid::oid) {
        least = 0;
        most = std::numeric_limits<std::uint32_t>::max();
    }
    if (number < least || number > most)
        return conversion::out_of_range;
    out = number;
    return conversion::ok;
}

// Timestamps with a zone are stored as UTC without an offset: what CURRENT_TIMESTAMP looks like,
// so that they compare.
conversion read_moment(std::string_view text, type_oid type, bound_value& out)
{
    if (type == oid::date) {
        const auto days = parse_date(text.substr(0, text.find_first_of(" T")));
        return days ? set_optional(format_date(*days), conversion::not_a_time, out)
                    : conversion::not_a_time;
    }
    if (type == oid::time) {
        const auto micros = parse_time(text);
        return micros ? set_optional(format_time(*micros), conversion::not_a_time, out)
                      : conversion::not_a_time;
    }
    const auto micros = parse_timestamp(text);
    return micros ? set_optional(format_timestamp(*micros), conversion::not_a_time, out)
                  : conversion::not_a_time;
}

conversion read_text(std::string_view text, type_oid type, bound_value& out)
{
    std::int64_t number = 0;
    double real = 0;
    uuid_bytes uuid{};
    conversion done = conversion::ok;
    if (!is_plain_utf8(text))
        return conversion::not_utf8;
    switch (type) {
        case oid::boolean: {
            const auto truth = parse_boolean(text);
            if (!truth)
                return conversion::not_of_type;
            out = std::int64_t{*truth ? 1 : 0};
            return conversion::ok;
        }
        case oid::int2:
        case oid::int4:
        case oid::int8:
        case oid::oid:
            done = parse_integer(text, number);
            return done == conversion::ok ? integer_in_range(number, type, out) : done;
        case oid::float4:
        case oid::float8:
            done = parse_double(text, real);
            out = real;
            return done;
        case oid::numeric: {
            auto digits = numeric_from_text(text);
            if (!digits)
                return conversion::not_of_type;
            out = decimal_value(std::move(*digits));
            return conversion::ok;
        }
        case oid::bytea: {
            std::vector<std::byte> bytes;
            if (!parse_bytea(text, bytes))
                return conversion::not_of_type;
            out = std::move(bytes);
            return conversion::ok;
        }
        case oid::date:
        case oid::time:
        case oid::timestamp:
        case oid::timestamptz:
            return read_moment(text, type, out);
        case oid::uuid:
            if (!parse_uuid(text, uuid))
                return conversion::not_of_type;
            out = format_uuid(uuid);
            return conversion::ok;
        default:
            out = std::string(text);
            return conversion::ok;
    }
}

template <std::unsigned_integral T>
conversion read_be(bytes_view sent, T& out) noexcept
{
    if (sent.size() != sizeof(T))
        return conversion::not_of_type;
    out = load_be<T>(sent.data());
    return conversion::ok;
}

conversion read_binary_integer(bytes_view sent, type_oid type, bound_value& out)
{
    const std::size_t size = type == oid::int8 ? 8 : type == oid::int2 ? 2 : 4;
    if (sent.size() != size)
        return conversion::not_of_type;
    if (size == 8)
        out = static_cast<std::int64_t>(load_be<std::uint64_t>(sent.data()));
    else if (size == 2)
        out = std::int64_t{static_cast<std::int16_t>(load_be<std::uint16_t>(sent.data()))};
    else if (type == oid::oid)
        out = std::int64_t{load_be<std::uint32_t>(sent.data())};
    else
        out = std::int64_t{static_cast<std::int32_t>(load_be<std::uint32_t>(sent.data()))};
    return conversion::ok;
}

conversion read_binary_moment(bytes_view sent, type_oid type, bound_value& out)
{
    if (type == oid::date) {
        std::uint32_t days = 0;
        if (const auto failed = read_be(sent, days); failed != conversion::ok)
            return failed;
        return set_optional(
            format_date(static_cast<std::int32_t>(days)), conversion::out_of_range, out);
    }
    std::uint64_t micros = 0;
    if (const auto failed = read_be(sent, micros); failed != conversion::ok)
        return failed;
    const auto count = static_cast<std::int64_t>(micros);
    return set_optional(type == oid::time ? format_time(count) : format_timestamp(count),
                        conversion::out_of_range,
                        out);
}

conversion read_binary(bytes_view sent, type_oid type, bound_value& out)
{
    std::uint64_t wide = 0;
    std::uint32_t narrow = 0;
    conversion done = conversion::ok;
    switch (type) {
        case oid::boolean:
            if (sent.size() != 1)
                return conversion::not_of_type;
            out = std::int64_t{sent[0] != std::byte{0} ? 1 : 0};
            return conversion::ok;
        case oid::int2:
        case oid::int4:
        case oid::int8:
        case oid::oid:
            return read_binary_integer(sent, type, out);
        case oid::float4:
            done = read_be(sent, narrow);
            out = double{std::bit_cast<float>(narrow)};
            return done;
        case oid::float8:
            done = read_be(sent, wide);
            out = std::bit_cast<double>(wide);
            return done;
        case oid::numeric: {
            auto digits = numeric_from_binary(sent);
            if (!digits)
                return conversion::not_of_type;
            out = decimal_value(std::move(*digits));
            return conversion::ok;
        }
        case oid::bytea:
            out = std::vector<std::byte>(sent.begin(), sent.end());
            return conversion::ok;
        case oid::date:
        case oid::time:
        case oid::timestamp:
        case oid::timestamptz:
            return read_binary_moment(sent, type, out);
        case oid::uuid: {
            uuid_bytes uuid{};
            if (sent.size() != uuid.size())
                return conversion::not_of_type;
            std::copy(sent.begin(), sent.end(), uuid.begin());
            out = format_uuid(uuid);
            return conversion::ok;
        }
        case oid::jsonb:
            if (sent.empty() || sent[0] != std::byte{1})
                return conversion::not_of_type;
            return read_text(as_text(sent.subspan(1)), oid::text, out);
        case oid::unspecified:
        case oid::text:
        case oid::varchar:
        case oid::bpchar:
        case oid::name:
        case oid::unknown:
        case oid::json:
        case oid::single_char:
            return read_text(as_text(sent), oid::text, out);
        default: {
            if (element_type(type) == oid::unspecified)
                return conversion::unsupported;
            std::string text;
            done = read_array_binary(sent, text);
            out = std::move(text);
            return done;
        }
    }
}

}  // namespace

conversion read_value(bytes_view sent, type_oid type, value_format format, bound_value& out)
{
    return format == value_format::text ? read_text(as_text(sent), type, out)
                                        : read_binary(sent, type, out);
}

}  // namespace sluice::pg
