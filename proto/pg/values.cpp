// proto/pg/values.cpp: stored values in the form that their PostgreSQL type promises.
#include "proto/pg/values.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "proto/pg/arrays.hpp"
#include "proto/pg/numeric.hpp"
#include "proto/pg/timestamp.hpp"
#include "proto/pg/value_text.hpp"

namespace sluice::pg {
namespace {

constexpr std::uint8_t jsonb_version = 1;

template <class T>
void append_number(byte_queue& out, T value)
{
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(std::string_view(digits.data(), end));
}

conversion append_integer(byte_queue& out,
                          const stored_value& value,
                          std::int64_t least,
                          std::int64_t most,
                          int size,
                          value_format format)
{
    std::int64_t number = 0;
    if (const auto failed = integer_of(value, number); failed != conversion::ok)
        return failed;
    if (number < least || number > most)
        return conversion::out_of_range;
    if (format == value_format::text)
        append_number(out, number);
    else if (size == 2)
        out.append_be(static_cast<std::uint16_t>(number));
    else if (size == 4)
        out.append_be(static_cast<std::uint32_t>(number));
    else
        out.append_be(static_cast<std::uint64_t>(number));
    return conversion::ok;
}

template <class T>
conversion append_range(byte_queue& out, const stored_value& value, value_format format)
{
    return append_integer(out,
                          value,
                          std::numeric_limits<T>::min(),
                          std::numeric_limits<T>::max(),
                          sizeof(T),
                          format);
}

conversion append_boolean(byte_queue& out, const stored_value& value, value_format format)
{
    bool truth = false;
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        const auto read = parse_boolean(*text);
        if (!read)
            return conversion::not_of_type;
        truth = *read;
    } else {
        std::int64_t number = 0;
        if (integer_of(value, number) != conversion::ok || (number != 0 && number != 1))
            return conversion::not_of_type;
        truth = number == 1;
    }
    if (format == value_format::text)
        out.append_byte(truth ? 't' : 'f');
    else
        out.append_byte(truth ? '\1' : '\0');
    return conversion::ok;
}

conversion append_floating(byte_queue& out,
                           const stored_value& value,
                           bool wide,
                           value_format format)
{
    double number = 0;
    if (const auto* i = std::get_if<std::int64_t>(&value)) {
        number = static_cast<double>(*i);
    } else if (const auto* d = std::get_if<double>(&value)) {
        number = *d;
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
        if (const auto failed = parse_double(*text, number); failed != conversion::ok)
            return failed;
    } else {
        return conversion::not_of_type;
    }
    const auto narrow = static_cast<float>(number);
    if (!wide && std::isfinite(number) && !std::isfinite(narrow))
        return conversion::out_of_range;
    if (format == value_format::text && wide)
        append_float8(out, number);
    else if (format == value_format::text)
        append_float4(out, narrow);
    else if (wide)
        out.append_be(std::bit_cast<std::uint64_t>(number));
    else
        out.append_be(std::bit_cast<std::uint32_t>(narrow));
    return conversion::ok;
}

conversion append_numeric(byte_queue& out,
                          const stored_value& value,
                          value_format format,
                          int scale)
{
    byte_queue digits;
    std::string_view text;
    if (const auto* i = std::get_if<std::int64_t>(&value)) {
        append_number(digits, *i);
        text = as_text(digits.readable());
    } else if (const auto* d = std::get_if<double>(&value)) {
        append_float8(digits, *d);
        text = as_text(digits.readable());
    } else if (const auto* t = std::get_if<std::string_view>(&value)) {
        text = *t;
    } else {
        return conversion::not_of_type;
    }
    const bool done = format == value_format::text ? append_numeric_text(out, text, scale)
                                                   : append_numeric_binary(out, text, scale);
    return done ? conversion::ok : conversion::not_of_type;
}

// A real as text keeps its point, as SQLite's own CAST does: 1.0 is not the text "1".
void append_real_text(byte_queue& out, double value)
{
    const auto before = out.size();
    append_float8(out, value);
    const auto written = as_text(out.readable().subspan(before));
    if (std::isfinite(value) && written.find_first_of(".e") == std::string_view::npos)
        out.append(".0");
}

conversion append_text(byte_queue& out, const stored_value& value)
{
    if (const auto* i = std::get_if<std::int64_t>(&value)) {
        append_number(out, *i);
        return conversion::ok;
    }
    if (const auto* d = std::get_if<double>(&value)) {
        append_real_text(out, *d);
        return conversion::ok;
    }
    const auto* text = std::get_if<std::string_view>(&value);
    if (!text)
        return conversion::not_of_type;
    if (!is_plain_utf8(*text))
        return conversion::not_utf8;
    out.append(*text);
    return conversion::ok;
}

conversion append_bytea(byte_queue& out, const stored_value& value, value_format format)
{
    bytes_view bytes;
    if (const auto* blob = std::get_if<bytes_view>(&value))
        bytes = *blob;
    else if (const auto* text = std::get_if<std::string_view>(&value))
        bytes = as_bytes(*text);  // a BLOB column leaves text as it is: these are its bytes
    else
        return conversion::not_of_type;
    if (format == value_format::binary)
        out.append(bytes);
    else
        append_hex_bytea(out, bytes);
    return conversion::ok;
}

template <class T>
conversion append_time_like(byte_queue& out,
                            std::optional<T> count,
                            std::optional<std::string> (*print)(T),
                            std::string_view suffix,
                            value_format format)
{
    if (!count)
        return conversion::not_a_time;
    if (format == value_format::binary) {
        out.append_be(static_cast<std::make_unsigned_t<T>>(*count));
        return conversion::ok;
    }
    const auto text = print(*count);
    if (!text)
        return conversion::not_a_time;
    out.append(*text);
    if (!text->ends_with("infinity"))
        out.append(suffix);
    return conversion::ok;
}

conversion append_moment(byte_queue& out,
                         const stored_value& value,
                         type_oid type,
                         value_format format)
{
    const auto* text = std::get_if<std::string_view>(&value);
    if (!text)
        return conversion::not_a_time;
    if (type == oid::date)
        return append_time_like(out, parse_date(*text), format_date, "", format);
    if (type == oid::time)
        return append_time_like(out, parse_time(*text), format_time, "", format);
    const auto zone = type == oid::timestamptz ? std::string_view("+00") : std::string_view();
    return append_time_like(out, parse_timestamp(*text), format_timestamp, zone, format);
}

conversion append_uuid(byte_queue& out, const stored_value& value, value_format format)
{
    uuid_bytes bytes{};
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        if (!parse_uuid(*text, bytes))
            return conversion::not_of_type;
    } else if (const auto* blob = std::get_if<bytes_view>(&value); blob && blob->size() == 16) {
        std::copy(blob->begin(), blob->end(), bytes.begin());
    } else {
        return conversion::not_of_type;
    }
    if (format == value_format::binary)
        out.append(bytes_view(bytes));
    else
        out.append(format_uuid(bytes));
    return conversion::ok;
}

// A vector of one number may have been stored as that number.
conversion append_array(byte_queue& out, const stored_value& value, type_oid type)
{
    if (element_type(type) == oid::unspecified)
        return conversion::unsupported;
    byte_queue text;
    if (const auto failed = append_text(text, value); failed != conversion::ok)
        return failed;
    return append_array_binary(out, as_text(text.readable()), type);
}

}  // namespace

std::string_view sqlstate_of(conversion failed, value_format format) noexcept
{
    switch (failed) {
        case conversion::ok:
            return "00000";
        case conversion::not_of_type:
            return format == value_format::text ? "22P02" : "22P03";
        case conversion::out_of_range:
            return "22003";
        case conversion::not_a_time:
            return format == value_format::text ? "22007" : "22008";
        case conversion::not_utf8:
            return "22021";
        case conversion::unsupported:
            return "0A000";
    }
    return "XX000";
}

conversion append_value(
    byte_queue& out, const stored_value& value, type_oid type, value_format format, int scale)
{
    if (std::holds_alternative<std::monostate>(value))
        return conversion::ok;
    switch (type) {
        case oid::boolean:
            return append_boolean(out, value, format);
        case oid::int2:
            return append_range<std::int16_t>(out, value, format);
        case oid::int4:
            return append_range<std::int32_t>(out, value, format);
        case oid::int8:
            return append_range<std::int64_t>(out, value, format);
        case oid::oid:
            return append_range<std::uint32_t>(out, value, format);
        case oid::float4:
            return append_floating(out, value, false, format);
        case oid::float8:
            return append_floating(out, value, true, format);
        case oid::numeric:
            return append_numeric(out, value, format, scale);
        case oid::bytea:
            return append_bytea(out, value, format);
        case oid::date:
        case oid::time:
        case oid::timestamp:
        case oid::timestamptz:
            return append_moment(out, value, type, format);
        case oid::uuid:
            return append_uuid(out, value, format);
        case oid::jsonb:
            if (format == value_format::binary)
                out.append_byte(static_cast<char>(jsonb_version));
            return append_text(out, value);
        case oid::text:
        case oid::varchar:
        case oid::bpchar:
        case oid::name:
        case oid::unknown:
        case oid::json:
            return append_text(out, value);
        case oid::single_char: {
            const auto* text = std::get_if<std::string_view>(&value);
            if (format == value_format::binary && text && text->empty()) {
                out.append_byte('\0');
                return conversion::ok;
            }
            return append_text(out, value);
        }
        default:
            if (format == value_format::text)
                return append_text(out, value);
            return append_array(out, value, type);
    }
}

}  // namespace sluice::pg
