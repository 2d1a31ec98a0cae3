// proto/mysql/values.cpp: stored values in the form that their MySQL type promises.
#include "proto/mysql/values.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "proto/mysql/times.hpp"
#include "proto/pg/numeric.hpp"
#include "proto/pg/value_text.hpp"

namespace sluice::mysql {
namespace {

constexpr int base_ten = 10;

template <std::unsigned_integral T>
void append_le(byte_queue& out, T value)
{
    store_le(out.grow(sizeof value), value);
}

template <class T>
std::string_view digits_of(std::array<char, 32>& room, T value) noexcept
{
    return {room.data(), std::to_chars(room.data(), room.data() + room.size(), value).ptr};
}

template <class T>
conversion append_integer(byte_queue& out,
                          const stored_value& value,
                          bool is_unsigned,
                          row_format format)
{
    using wide_unsigned = std::make_unsigned_t<T>;
    std::int64_t number = 0;
    if (const auto failed = pg::integer_of(value, number); failed != conversion::ok)
        return failed;
    if (is_unsigned && number < 0)
        return conversion::out_of_range;
    if constexpr (sizeof(T) < sizeof number) {
        const std::int64_t most =
            is_unsigned ? std::numeric_limits<wide_unsigned>::max() : std::numeric_limits<T>::max();
        if (number > most || (!is_unsigned && number < std::numeric_limits<T>::min()))
            return conversion::out_of_range;
    }
    if (format == row_format::binary) {
        append_le(out, static_cast<wide_unsigned>(number));
        return conversion::ok;
    }
    std::array<char, 32> room{};
    append_lenenc_string(out, as_bytes(digits_of(room, number)));
    return conversion::ok;
}

// TINYINT(1) is MySQL's boolean: SQLite's users write 'true', too.
conversion append_tiny(byte_queue& out,
                       const stored_value& value,
                       const value_shape& shape,
                       row_format format)
{
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        if (const auto truth = pg::parse_boolean(*text))
            return append_integer<std::int8_t>(out, std::int64_t{*truth}, false, format);
    }
    return append_integer<std::int8_t>(out, value, shape.is_unsigned, format);
}

conversion append_floating(byte_queue& out, const stored_value& value, bool wide, row_format format)
{
    double number = 0;
    if (const auto* i = std::get_if<std::int64_t>(&value)) {
        number = static_cast<double>(*i);
    } else if (const auto* d = std::get_if<double>(&value)) {
        number = *d;
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
        if (const auto failed = pg::parse_double(*text, number); failed != conversion::ok)
            return failed;
    } else {
        return conversion::not_of_type;
    }
    const auto narrow = static_cast<float>(number);
    if (!wide && std::isfinite(number) && !std::isfinite(narrow))
        return conversion::out_of_range;
    if (format == row_format::binary) {
        if (wide)
            append_le(out, std::bit_cast<std::uint64_t>(number));
        else
            append_le(out, std::bit_cast<std::uint32_t>(narrow));
        return conversion::ok;
    }
    byte_queue digits;
    wide ? pg::append_float8(digits, number) : pg::append_float4(digits, narrow);
    append_lenenc_string(out, digits.readable());
    return conversion::ok;
}

// DECIMAL(p,s) has s digits behind the point, more only if SQLite stored more.
conversion append_decimal(byte_queue& out, const stored_value& value, const value_shape& shape)
{
    byte_queue digits;
    std::array<char, 32> room{};
    std::string_view text;
    if (const auto* i = std::get_if<std::int64_t>(&value)) {
        text = digits_of(room, *i);
    } else if (const auto* d = std::get_if<double>(&value)) {
        pg::append_float8(digits, *d);
        text = as_text(digits.readable());
    } else if (const auto* t = std::get_if<std::string_view>(&value)) {
        text = *t;
    } else {
        return conversion::not_of_type;
    }
    auto plain = pg::numeric_from_text(text);
    if (!plain || plain->find_first_of("NI") != std::string::npos)
        return conversion::not_of_type;
    if (shape.decimals > 0 && shape.decimals < any_decimals) {
        const auto point = plain->find('.');
        const auto have = point == std::string::npos ? 0 : plain->size() - point - 1;
        if (point == std::string::npos)
            plain->push_back('.');
        if (have < shape.decimals)
            plain->append(shape.decimals - have, '0');
    }
    append_lenenc_string(out, as_bytes(*plain));
    return conversion::ok;
}

conversion append_characters(byte_queue& out, const stored_value& value, const value_shape& shape)
{
    std::array<char, 32> room{};
    if (const auto* i = std::get_if<std::int64_t>(&value)) {
        append_lenenc_string(out, as_bytes(digits_of(room, *i)));
        return conversion::ok;
    }
    if (const auto* d = std::get_if<double>(&value)) {
        byte_queue digits;
        pg::append_float8(digits, *d);
        // As SQLite's own CAST does: 1.0 is not the text "1".
        if (std::isfinite(*d) &&
            as_text(digits.readable()).find_first_of(".e") == std::string_view::npos)
            digits.append(std::string_view(".0"));
        append_lenenc_string(out, digits.readable());
        return conversion::ok;
    }
    bytes_view bytes;
    if (const auto* text = std::get_if<std::string_view>(&value))
        bytes = as_bytes(*text);
    else
        bytes = std::get<bytes_view>(value);
    const bool is_text = std::holds_alternative<std::string_view>(value);
    if (!shape.binary && !is_text && !pg::is_plain_utf8(as_text(bytes)))
        return conversion::not_utf8;
    append_lenenc_string(out, bytes);
    return conversion::ok;
}

}  // namespace

void append_lenenc_string(byte_queue& out, bytes_view bytes)
{
    const auto size = bytes.size();
    if (size < 0xfb) {
        out.append_byte(static_cast<char>(size));
    } else if (size <= 0xffff) {
        out.append_byte(static_cast<char>(0xfc));
        append_le(out, static_cast<std::uint16_t>(size));
    } else if (size <= 0xffffff) {
        append_le(out, static_cast<std::uint32_t>(0xfd | size << 8));
    } else {
        out.append_byte(static_cast<char>(0xfe));
        append_le(out, std::uint64_t{size});
    }
    out.append(bytes);
}

conversion append_value(byte_queue& out,
                        const stored_value& value,
                        const value_shape& shape,
                        row_format format)
{
    switch (shape.type) {
        case column_type::tiny:
            return append_tiny(out, value, shape, format);
        case column_type::short_:
        case column_type::year:
            return append_integer<std::int16_t>(out, value, shape.is_unsigned, format);
        case column_type::long_:
        case column_type::int24:
            return append_integer<std::int32_t>(out, value, shape.is_unsigned, format);
        case column_type::longlong:
            return append_integer<std::int64_t>(out, value, shape.is_unsigned, format);
        case column_type::float_:
            return append_floating(out, value, false, format);
        case column_type::double_:
            return append_floating(out, value, true, format);
        case column_type::decimal:
        case column_type::newdecimal:
            return append_decimal(out, value, shape);
        case column_type::date:
        case column_type::datetime:
        case column_type::timestamp:
        case column_type::time:
            if (const auto* text = std::get_if<std::string_view>(&value))
                return append_time(out, *text, shape, format);
            return conversion::not_of_type;
        default:
            return append_characters(out, value, shape);
    }
}

namespace {

// Text that is none is bytes: drivers announce every string as VAR_STRING, bytes too.
bound_value text_or_bytes(bytes_view bytes)
{
    if (pg::is_plain_utf8(as_text(bytes)))
        return std::string(as_text(bytes));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
}

// A number that an application calls double may be an integer to it: JavaScript has no other
// numbers. SQLite gives it back as a real where the column says so.
bound_value number_of(double sent)
{
    constexpr double exact = 9007199254740992.0;  // 2^53
    if (sent >= -exact && sent <= exact && std::trunc(sent) == sent)
        return static_cast<std::int64_t>(sent);
    return sent;
}

template <std::unsigned_integral T>
bound_value integer_parameter(field_reader& in, bool is_unsigned)
{
    const auto sent = in.le<T>();
    if (is_unsigned)
        return static_cast<std::int64_t>(sent);
    return std::int64_t{static_cast<std::make_signed_t<T>>(sent)};
}

// DECIMAL's digits: an integer where it is one, else a real if that is exact, else text.
bound_value decimal_parameter(std::string_view sent)
{
    std::int64_t integer = 0;
    const char* const end = sent.data() + sent.size();
    if (const auto read = std::from_chars(sent.data(), end, integer, base_ten);
        read.ec == std::errc{} && read.ptr == end)
        return integer;
    double real = 0;
    if (const auto read = std::from_chars(sent.data(), end, real);
        read.ec == std::errc{} && read.ptr == end) {
        byte_queue digits;
        pg::append_float8(digits, real);
        if (pg::numeric_from_text(as_text(digits.readable())) == pg::numeric_from_text(sent))
            return real;
    }
    return std::string(sent);
}

}  // namespace

conversion read_parameter(field_reader& in, column_type type, bool is_unsigned, bound_value& out)
{
    switch (type) {
        case column_type::null:
            out = std::monostate{};
            return conversion::ok;
        case column_type::tiny:
            out = integer_parameter<std::uint8_t>(in, is_unsigned);
            return conversion::ok;
        case column_type::short_:
        case column_type::year:
            out = integer_parameter<std::uint16_t>(in, is_unsigned);
            return conversion::ok;
        case column_type::long_:
        case column_type::int24:
            out = integer_parameter<std::uint32_t>(in, is_unsigned);
            return conversion::ok;
        case column_type::longlong: {
            const auto sent = in.u64();
            if (is_unsigned && sent > static_cast<std::uint64_t>(INT64_MAX))
                return conversion::out_of_range;
            out = static_cast<std::int64_t>(sent);
            return conversion::ok;
        }
        case column_type::float_: {
            // The shortest digits of the float are what the application means.
            const auto sent = std::bit_cast<float>(in.u32());
            byte_queue digits;
            pg::append_float4(digits, sent);
            double real = sent;
            (void)pg::parse_double(as_text(digits.readable()), real);
            out = number_of(real);
            return conversion::ok;
        }
        case column_type::double_:
            out = number_of(std::bit_cast<double>(in.u64()));
            return conversion::ok;
        case column_type::decimal:
        case column_type::newdecimal:
            out = decimal_parameter(in.lenenc_string());
            return conversion::ok;
        case column_type::date:
        case column_type::newdate:
        case column_type::datetime:
        case column_type::timestamp:
            return read_datetime(in, type == column_type::date, out);
        case column_type::time:
            return read_duration(in, out);
        case column_type::tiny_blob:
        case column_type::medium_blob:
        case column_type::long_blob:
        case column_type::blob:
        case column_type::varchar:
        case column_type::var_string:
        case column_type::string:
        case column_type::enum_:
        case column_type::set:
        case column_type::json:
            out = read_long_data(in.lenenc_bytes(), type);
            return conversion::ok;
        case column_type::bit:
        case column_type::geometry: {
            const auto bytes = in.lenenc_bytes();
            out = std::vector<std::byte>(bytes.begin(), bytes.end());
            return conversion::ok;
        }
        default:
            return conversion::unsupported;
    }
}

bound_value read_long_data(bytes_view data, column_type type)
{
    switch (type) {
        case column_type::tiny_blob:
        case column_type::medium_blob:
        case column_type::long_blob:
        case column_type::blob:
            return std::vector<std::byte>(data.begin(), data.end());
        default:
            return text_or_bytes(data);
    }
}

}  // namespace sluice::mysql
