// proto/mysql/messages.cpp: OK, ERR, EOF and column definitions, read and written.
#include "proto/mysql/messages.hpp"

#include <algorithm>

namespace sluice::mysql {
namespace {

constexpr std::uint8_t column_fixed_size = 0x0c;
constexpr std::size_t sqlstate_size = 5;

bool tells_changes(std::uint16_t flags, std::uint32_t capabilities) noexcept
{
    return (capabilities & capability::session_track) && (flags & status::session_state_changed);
}

}  // namespace

std::optional<change_list::change> change_list::next() noexcept
{
    if (rest_.empty())
        return std::nullopt;
    field_reader in(rest_);
    change one;
    one.type = static_cast<session_track>(in.u8());
    one.data = in.lenenc_bytes();
    if (in.failed()) {
        rest_ = {};
        return std::nullopt;
    }
    one.whole = rest_.first(rest_.size() - in.rest().size());
    rest_ = in.rest();
    return one;
}

std::optional<variable> variable_list::next() noexcept
{
    if (rest_.empty())
        return std::nullopt;
    field_reader in(rest_);
    variable one;
    one.name = in.lenenc_string();
    one.value = in.lenenc_string();
    rest_ = in.rest();
    if (in.failed())
        return std::nullopt;
    return one;
}

std::string_view change_text(bytes_view data) noexcept
{
    return field_reader(data).lenenc_string();
}

result<ok_message> parse_ok(bytes_view payload, std::uint32_t capabilities) noexcept
{
    field_reader in(payload);
    ok_message ok;
    const auto first = std::byte{in.u8()};
    ok.affected_rows = in.lenenc();
    ok.insert_id = in.lenenc();
    ok.status = in.u16();
    ok.warnings = in.u16();
    if (!in.rest().empty())
        ok.info = in.lenenc_string();
    if (tells_changes(ok.status, capabilities) && !in.rest().empty())
        ok.changes = change_list(in.lenenc_bytes());
    if (in.failed())
        return fail(errc::truncated_message);
    if (first != ok_byte && first != eof_byte)
        return fail(errc::bad_message);
    return ok;
}

result<err_message> parse_err(bytes_view payload) noexcept
{
    field_reader in(payload);
    err_message error;
    const auto first = std::byte{in.u8()};
    error.number = in.u16();
    if (!in.rest().empty() && in.rest()[0] == std::byte{'#'}) {
        in.take(1);
        error.sqlstate = in.text(sqlstate_size);
    }
    error.text = in.text_to_end();
    if (in.failed())
        return fail(errc::truncated_message);
    if (first != err_byte)
        return fail(errc::bad_message);
    return error;
}

result<eof_message> parse_eof(bytes_view payload) noexcept
{
    field_reader in(payload);
    const auto first = std::byte{in.u8()};
    eof_message eof;
    eof.warnings = in.u16();
    eof.status = in.u16();
    if (const auto ec = in.finish())
        return fail(ec);
    if (first != eof_byte)
        return fail(errc::bad_message);
    return eof;
}

void append_ok(byte_queue& out,
               std::uint8_t& sequence,
               const ok_message& ok,
               std::uint32_t capabilities,
               std::byte first)
{
    packet_writer packet(out, sequence);
    packet.u8(std::to_integer<std::uint8_t>(first));
    packet.lenenc(ok.affected_rows);
    packet.lenenc(ok.insert_id);
    packet.u16(ok.status);
    packet.u16(ok.warnings);
    const bool changed = tells_changes(ok.status, capabilities);
    if (changed || !ok.info.empty())
        packet.lenenc_string(ok.info);
    if (changed)
        packet.lenenc_string(as_text(ok.changes.bytes()));
}

void append_err(byte_queue& out, std::uint8_t& sequence, const err_message& error)
{
    packet_writer packet(out, sequence);
    packet.u8(std::to_integer<std::uint8_t>(err_byte));
    packet.u16(error.number);
    packet.u8('#');
    auto state = error.sqlstate;
    if (state.size() != sqlstate_size)
        state = "HY000";
    packet.text(state);
    packet.text(error.text);
}

void append_eof(byte_queue& out, std::uint8_t& sequence, const eof_message& eof)
{
    packet_writer packet(out, sequence);
    packet.u8(std::to_integer<std::uint8_t>(eof_byte));
    packet.u16(eof.warnings);
    packet.u16(eof.status);
}

result<column> parse_column(bytes_view payload, bool field_list) noexcept
{
    field_reader in(payload);
    column of;
    of.catalog = in.lenenc_string();
    of.schema = in.lenenc_string();
    of.table = in.lenenc_string();
    of.org_table = in.lenenc_string();
    of.name = in.lenenc_string();
    of.org_name = in.lenenc_string();
    const auto fixed = in.lenenc();
    of.collation = in.u16();
    of.length = in.u32();
    of.type = static_cast<column_type>(in.u8());
    of.flags = in.u16();
    of.decimals = in.u8();
    in.take(2);
    if (in.failed())
        return fail(errc::truncated_message);
    if (fixed != column_fixed_size)
        return fail(errc::bad_message);
    if (field_list && !in.rest().empty()) {
        of.default_value = std::string_view();
        if (!in.null())
            of.default_value = in.lenenc_string();
    }
    if (const auto ec = in.finish())
        return fail(ec);
    return of;
}

void append_column(byte_queue& out, std::uint8_t& sequence, const column& of)
{
    packet_writer packet(out, sequence);
    for (const auto text : {of.catalog, of.schema, of.table, of.org_table, of.name, of.org_name})
        packet.lenenc_string(text);
    packet.u8(column_fixed_size);
    packet.u16(of.collation);
    packet.u32(of.length);
    packet.u8(static_cast<std::uint8_t>(of.type));
    packet.u16(of.flags);
    packet.u8(of.decimals);
    packet.zeros(2);
    if (!of.default_value)
        return;
    if (of.default_value->data() == nullptr)
        packet.null();
    else
        packet.lenenc_string(*of.default_value);
}

void append_column_count(byte_queue& out, std::uint8_t& sequence, std::uint64_t count)
{
    packet_writer packet(out, sequence);
    packet.lenenc(count);
}

void append_end_of_columns(byte_queue& out,
                           std::uint8_t& sequence,
                           const eof_message& eof,
                           std::uint32_t capabilities)
{
    if (!(capabilities & capability::deprecate_eof))
        append_eof(out, sequence, eof);
}

void append_end_of_rows(byte_queue& out,
                        std::uint8_t& sequence,
                        const ok_message& ok,
                        std::uint32_t capabilities)
{
    if (capabilities & capability::deprecate_eof)
        append_ok(out, sequence, ok, capabilities, eof_byte);
    else
        append_eof(out, sequence, {ok.warnings, ok.status});
}

result<prepare_ok> parse_prepare_ok(bytes_view payload) noexcept
{
    field_reader in(payload);
    const auto first = std::byte{in.u8()};
    prepare_ok ok;
    ok.statement = in.u32();
    ok.columns = in.u16();
    ok.parameters = in.u16();
    in.take(1);
    ok.warnings = in.u16();
    // (MySQL 8 has one byte more for those who announced optional metadata.)
    if (in.failed())
        return fail(errc::truncated_message);
    if (first != ok_byte)
        return fail(errc::bad_message);
    return ok;
}

void append_prepare_ok(byte_queue& out, std::uint8_t& sequence, const prepare_ok& ok)
{
    packet_writer packet(out, sequence);
    packet.u8(0);
    packet.u32(ok.statement);
    packet.u16(ok.columns);
    packet.u16(ok.parameters);
    packet.u8(0);
    packet.u16(ok.warnings);
}

}  // namespace sluice::mysql
