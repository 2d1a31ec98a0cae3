// proto/mysql/requests.cpp: a MySQL client's commands after login.
#include "proto/mysql/requests.hpp"

#include "proto/mysql/fields.hpp"
#include "proto/mysql/packet.hpp"

namespace sluice::mysql {
namespace {

template <class T>
result<T> finished(const field_reader& in, const T& message) noexcept
{
    if (const auto ec = in.finish())
        return fail(ec);
    return message;
}

}  // namespace

result<command> command_of(bytes_view payload) noexcept
{
    if (payload.empty())
        return fail(errc::bad_length);
    return static_cast<command>(payload[0]);
}

std::string_view name_of(command what) noexcept
{
    switch (what) {
        case command::sleep:
            return "COM_SLEEP";
        case command::quit:
            return "COM_QUIT";
        case command::init_db:
            return "COM_INIT_DB";
        case command::query:
            return "COM_QUERY";
        case command::field_list:
            return "COM_FIELD_LIST";
        case command::create_db:
            return "COM_CREATE_DB";
        case command::drop_db:
            return "COM_DROP_DB";
        case command::refresh:
            return "COM_REFRESH";
        case command::shutdown:
            return "COM_SHUTDOWN";
        case command::statistics:
            return "COM_STATISTICS";
        case command::process_info:
            return "COM_PROCESS_INFO";
        case command::process_kill:
            return "COM_PROCESS_KILL";
        case command::debug:
            return "COM_DEBUG";
        case command::ping:
            return "COM_PING";
        case command::change_user:
            return "COM_CHANGE_USER";
        case command::binlog_dump:
            return "COM_BINLOG_DUMP";
        case command::table_dump:
            return "COM_TABLE_DUMP";
        case command::register_slave:
            return "COM_REGISTER_SLAVE";
        case command::stmt_prepare:
            return "COM_STMT_PREPARE";
        case command::stmt_execute:
            return "COM_STMT_EXECUTE";
        case command::stmt_send_long_data:
            return "COM_STMT_SEND_LONG_DATA";
        case command::stmt_close:
            return "COM_STMT_CLOSE";
        case command::stmt_reset:
            return "COM_STMT_RESET";
        case command::set_option:
            return "COM_SET_OPTION";
        case command::stmt_fetch:
            return "COM_STMT_FETCH";
        case command::binlog_dump_gtid:
            return "COM_BINLOG_DUMP_GTID";
        case command::reset_connection:
            return "COM_RESET_CONNECTION";
        case command::stmt_bulk_execute:
            return "COM_STMT_BULK_EXECUTE";
        default:
            return "unknown command";
    }
}

result<std::uint32_t> statement_of(bytes_view payload) noexcept
{
    field_reader in(payload);
    in.u8();
    const auto statement = in.u32();
    if (in.failed())
        return fail(errc::truncated_message);
    return statement;
}

result<execute_request> decode_execute(bytes_view payload, std::size_t parameters) noexcept
{
    field_reader in(payload);
    execute_request message;
    in.u8();
    message.statement = in.u32();
    message.flags = in.u8();
    message.iterations = in.u32();
    // Without parameters there is nothing more; what some drivers put there nevertheless (a
    // flag of 0 or 1) is ignored by servers, too.
    if (parameters > 0) {
        message.nulls = in.take((parameters + 7) / 8);
        const auto bound = in.u8();
        message.has_types = bound == 1;
        if (message.has_types)
            message.types = in.take(parameters * 2);
        message.values = in.rest();
        if (!in.failed() && bound > 1)
            return fail(errc::bad_message);
    }
    if (in.failed())
        return fail(errc::truncated_message);
    return message;
}

result<long_data_request> decode_long_data(bytes_view payload) noexcept
{
    field_reader in(payload);
    long_data_request message;
    in.u8();
    message.statement = in.u32();
    message.parameter = in.u16();
    message.data = in.rest();
    if (in.failed())
        return fail(errc::truncated_message);
    return message;
}

result<fetch_request> decode_fetch(bytes_view payload) noexcept
{
    field_reader in(payload);
    fetch_request message;
    in.u8();
    message.statement = in.u32();
    message.rows = in.u32();
    return finished(in, message);
}

result<field_list_request> decode_field_list(bytes_view payload) noexcept
{
    field_reader in(payload);
    field_list_request message;
    in.u8();
    message.table = in.cstring();
    message.wildcard = in.text_to_end();
    // Some clients end it with a zero.
    if (message.wildcard.ends_with('\0'))
        message.wildcard.remove_suffix(1);
    return finished(in, message);
}

result<std::uint32_t> decode_process_kill(bytes_view payload) noexcept
{
    field_reader in(payload);
    in.u8();
    const auto connection = in.u32();
    return finished(in, connection);
}

result<std::uint16_t> decode_set_option(bytes_view payload) noexcept
{
    field_reader in(payload);
    in.u8();
    const auto option = in.u16();
    return finished(in, option);
}

void append_command(byte_queue& out, command what)
{
    append_text_command(out, what, {});
}

void append_text_command(byte_queue& out, command what, std::string_view text)
{
    std::uint8_t sequence = 0;
    packet_writer packet(out, sequence);
    packet.u8(static_cast<std::uint8_t>(what));
    packet.text(text);
}

void append_id_command(byte_queue& out, command what, std::uint32_t id)
{
    std::uint8_t sequence = 0;
    packet_writer packet(out, sequence);
    packet.u8(static_cast<std::uint8_t>(what));
    packet.u32(id);
}

}  // namespace sluice::mysql
