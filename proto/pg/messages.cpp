// proto/pg/messages.cpp: messages of the gateway's own at login and in errors.
#include "proto/pg/messages.hpp"

#include <array>
#include <charconv>

#include "proto/core/reader.hpp"
#include "proto/pg/message_writer.hpp"

namespace sluice::pg {

namespace {

// Codes of the Authentication messages.
constexpr std::uint32_t auth_ok = 0;
constexpr std::uint32_t auth_cleartext = 3;
constexpr std::uint32_t auth_md5 = 5;
constexpr std::uint32_t auth_sasl = 10;
constexpr std::uint32_t auth_sasl_continue = 11;
constexpr std::uint32_t auth_sasl_final = 12;

void append_field(message_writer& out, char code, std::string_view value)
{
    if (value.empty())
        return;
    out.u8(code);
    out.cstring(value);
}

void append_field(message_writer& out, char code, std::uint32_t value)
{
    if (value == 0)
        return;
    std::array<char, 10> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    append_field(out, code, std::string_view(digits.data(), end));
}

void append_fields(byte_queue& queue, char type, const error_fields& fields)
{
    message_writer out(queue, type);
    append_field(out, 'S', fields.severity);
    append_field(out, 'V', fields.severity);
    append_field(out, 'C', fields.sqlstate);
    append_field(out, 'M', fields.message);
    append_field(out, 'D', fields.detail);
    append_field(out, 'H', fields.hint);
    append_field(out, 'P', fields.position);
    append_field(out, 'p', fields.internal_position);
    append_field(out, 'q', fields.internal_query);
    append_field(out, 'W', fields.where);
    append_field(out, 's', fields.schema);
    append_field(out, 't', fields.table);
    append_field(out, 'c', fields.column);
    append_field(out, 'd', fields.data_type);
    append_field(out, 'n', fields.constraint);
    append_field(out, 'F', fields.file);
    append_field(out, 'L', fields.line);
    append_field(out, 'R', fields.routine);
    out.u8('\0');
}

// Zero for what is not a number: a position is decoration, never a reason to fail.
std::uint32_t number(std::string_view text) noexcept
{
    std::uint32_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

void set_field(error_fields& fields, char code, std::string_view value, bool untranslated) noexcept
{
    switch (code) {
        case 'S':
            if (!untranslated)
                fields.severity = value;
            break;
        case 'V':
            fields.severity = value;
            break;
        case 'C':
            fields.sqlstate = value;
            break;
        case 'M':
            fields.message = value;
            break;
        case 'D':
            fields.detail = value;
            break;
        case 'H':
            fields.hint = value;
            break;
        case 'P':
            fields.position = number(value);
            break;
        case 'p':
            fields.internal_position = number(value);
            break;
        case 'q':
            fields.internal_query = value;
            break;
        case 'W':
            fields.where = value;
            break;
        case 's':
            fields.schema = value;
            break;
        case 't':
            fields.table = value;
            break;
        case 'c':
            fields.column = value;
            break;
        case 'd':
            fields.data_type = value;
            break;
        case 'n':
            fields.constraint = value;
            break;
        case 'F':
            fields.file = value;
            break;
        case 'L':
            fields.line = value;
            break;
        case 'R':
            fields.routine = value;
            break;
        default:
            break;
    }
}

}  // namespace

void append_authentication_ok(byte_queue& out)
{
    message_writer(out, 'R').u32(auth_ok);
}

void append_authentication_cleartext(byte_queue& out)
{
    message_writer(out, 'R').u32(auth_cleartext);
}

void append_authentication_md5(byte_queue& out, bytes_view salt)
{
    message_writer message(out, 'R');
    message.u32(auth_md5);
    message.bytes(salt);
}

void append_authentication_sasl(byte_queue& out, std::span<const std::string_view> mechanisms)
{
    message_writer message(out, 'R');
    message.u32(auth_sasl);
    for (const auto mechanism : mechanisms)
        message.cstring(mechanism);
    message.u8('\0');
}

void append_authentication_sasl_continue(byte_queue& out, std::string_view data)
{
    message_writer message(out, 'R');
    message.u32(auth_sasl_continue);
    message.bytes(as_bytes(data));
}

void append_authentication_sasl_final(byte_queue& out, std::string_view data)
{
    message_writer message(out, 'R');
    message.u32(auth_sasl_final);
    message.bytes(as_bytes(data));
}

void append_parameter_status(byte_queue& out, std::string_view name, std::string_view value)
{
    message_writer message(out, 'S');
    message.cstring(name);
    message.cstring(value);
}

void append_backend_key_data(byte_queue& out, std::uint32_t pid, bytes_view key)
{
    message_writer message(out, 'K');
    message.u32(pid);
    message.bytes(key);
}

void append_ready_for_query(byte_queue& out, transaction_status status)
{
    message_writer(out, 'Z').u8(static_cast<char>(status));
}

void append_negotiate_protocol_version(byte_queue& out,
                                       std::uint32_t version,
                                       std::span<const std::string_view> unknown_options)
{
    message_writer message(out, 'v');
    message.u32(version);
    message.u32(static_cast<std::uint32_t>(unknown_options.size()));
    for (const auto option : unknown_options)
        message.cstring(option);
}

void append_error(byte_queue& out, const error_fields& fields)
{
    append_fields(out, 'E', fields);
}

void append_notice(byte_queue& out, const error_fields& fields)
{
    append_fields(out, 'N', fields);
}

result<error_fields> parse_error_fields(bytes_view body) noexcept
{
    reader in(body);
    error_fields fields;
    fields.severity = {};
    bool untranslated = false;
    for (;;) {
        const auto code = static_cast<char>(in.be<std::uint8_t>());
        if (code == '\0')
            break;
        const auto value = in.cstring();
        set_field(fields, code, value, untranslated);
        untranslated = untranslated || code == 'V';
    }
    if (const auto ec = in.finish())
        return fail(ec);
    return fields;
}

}  // namespace sluice::pg
