// proto/pg/replies.cpp: a server's answers to requests.
#include "proto/pg/replies.hpp"

#include <array>
#include <charconv>

#include "proto/pg/message_writer.hpp"

namespace sluice::pg {
namespace {

void append_bare(byte_queue& out, char type)
{
    message_writer message(out, type);
}

void append_copy_response(byte_queue& out, char type, std::uint16_t columns, bool binary)
{
    message_writer message(out, type);
    message.u8(binary ? 1 : 0);
    message.u16(columns);
    for (std::uint16_t i = 0; i < columns; ++i)
        message.u16(binary ? 1 : 0);
}

}  // namespace

void append_row_description(byte_queue& out, std::span<const column_description> columns)
{
    message_writer message(out, 'T');
    message.u16(static_cast<std::uint16_t>(columns.size()));
    for (const auto& column : columns) {
        message.cstring(column.name);
        message.u32(column.table);
        message.u16(column.column);
        message.u32(column.type);
        message.u16(static_cast<std::uint16_t>(column.size));
        message.u32(static_cast<std::uint32_t>(column.modifier));
        message.u16(column.format);
    }
}

void append_parameter_description(byte_queue& out, std::span<const std::uint32_t> types)
{
    message_writer message(out, 't');
    message.u16(static_cast<std::uint16_t>(types.size()));
    for (const auto type : types)
        message.u32(type);
}

void append_command_complete(byte_queue& out, std::string_view tag)
{
    message_writer(out, 'C').cstring(tag);
}

void append_command_complete(byte_queue& out, std::string_view words, std::uint64_t count)
{
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), count).ptr;
    message_writer message(out, 'C');
    message.bytes(as_bytes(words));
    message.u8(' ');
    message.cstring(std::string_view(digits.data(), end));
}

void append_empty_query(byte_queue& out)
{
    append_bare(out, 'I');
}
void append_parse_complete(byte_queue& out)
{
    append_bare(out, '1');
}
void append_bind_complete(byte_queue& out)
{
    append_bare(out, '2');
}
void append_close_complete(byte_queue& out)
{
    append_bare(out, '3');
}
void append_no_data(byte_queue& out)
{
    append_bare(out, 'n');
}
void append_portal_suspended(byte_queue& out)
{
    append_bare(out, 's');
}
void append_copy_done(byte_queue& out)
{
    append_bare(out, 'c');
}

void append_copy_in(byte_queue& out, std::uint16_t columns, bool binary)
{
    append_copy_response(out, 'G', columns, binary);
}

void append_copy_out(byte_queue& out, std::uint16_t columns, bool binary)
{
    append_copy_response(out, 'H', columns, binary);
}

void append_copy_data(byte_queue& out, bytes_view data)
{
    message_writer(out, 'd').bytes(data);
}

data_row::data_row(byte_queue& out, std::uint16_t columns) : out_(out), start_(out.size())
{
    out_.append_byte('D');
    out_.append_be(std::uint32_t{0});
    out_.append_be(columns);
}

data_row::~data_row()
{
    if (!ended_)
        out_.shrink(out_.size() - start_);
}

void data_row::null()
{
    out_.append_be(std::uint32_t{0xffffffff});
}

void data_row::begin_field()
{
    field_ = out_.size();
    out_.append_be(std::uint32_t{0});
}

void data_row::end_field() noexcept
{
    const auto length = out_.size() - field_ - sizeof(std::uint32_t);
    store_be(out_.mutable_data() + field_, static_cast<std::uint32_t>(length));
}

void data_row::end() noexcept
{
    store_be(out_.mutable_data() + start_ + 1,
             static_cast<std::uint32_t>(out_.size() - start_ - 1));
    ended_ = true;
}

}  // namespace sluice::pg
