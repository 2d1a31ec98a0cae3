// proto/mysql/constants.hpp: the numbers of MySQL's client/server protocol.
//
// Layer: proto. MySQL's "Client/Server Protocol" and MariaDB's; names are theirs without prefixes.
#pragma once

#include <cstdint>

namespace sluice::mysql {

// What each side can do; a connection uses what both announced.
namespace capability {
inline constexpr std::uint32_t long_password = 1u << 0;  // MariaDB: clear means "I am MariaDB"
inline constexpr std::uint32_t found_rows = 1u << 1;     // affected rows counts the matched ones
inline constexpr std::uint32_t long_flag = 1u << 2;
inline constexpr std::uint32_t connect_with_db = 1u << 3;
inline constexpr std::uint32_t no_schema = 1u << 4;
inline constexpr std::uint32_t compress = 1u << 5;
inline constexpr std::uint32_t odbc = 1u << 6;
inline constexpr std::uint32_t local_files = 1u << 7;
inline constexpr std::uint32_t ignore_space = 1u << 8;
inline constexpr std::uint32_t protocol_41 = 1u << 9;
inline constexpr std::uint32_t interactive = 1u << 10;
inline constexpr std::uint32_t ssl = 1u << 11;
inline constexpr std::uint32_t ignore_sigpipe = 1u << 12;
inline constexpr std::uint32_t transactions = 1u << 13;
inline constexpr std::uint32_t secure_connection = 1u << 15;
inline constexpr std::uint32_t multi_statements = 1u << 16;
inline constexpr std::uint32_t multi_results = 1u << 17;
inline constexpr std::uint32_t ps_multi_results = 1u << 18;
inline constexpr std::uint32_t plugin_auth = 1u << 19;
inline constexpr std::uint32_t connect_attrs = 1u << 20;
inline constexpr std::uint32_t plugin_auth_lenenc = 1u << 21;
inline constexpr std::uint32_t expired_passwords = 1u << 22;
inline constexpr std::uint32_t session_track = 1u << 23;
inline constexpr std::uint32_t deprecate_eof = 1u << 24;
inline constexpr std::uint32_t optional_metadata = 1u << 25;  // MySQL 8
inline constexpr std::uint32_t zstd = 1u << 26;
inline constexpr std::uint32_t query_attributes = 1u << 27;  // changes COM_QUERY
inline constexpr std::uint32_t ssl_verify_server_cert = 1u << 30;
inline constexpr std::uint32_t remember_options = 1u << 31;
}  // namespace capability

// Bits 32.. of MariaDB, in the last four reserved bytes of the handshake.
namespace mariadb_capability {
inline constexpr std::uint32_t progress = 1u << 0;
inline constexpr std::uint32_t com_multi = 1u << 1;
inline constexpr std::uint32_t stmt_bulk_operations = 1u << 2;
inline constexpr std::uint32_t extended_metadata = 1u << 3;
inline constexpr std::uint32_t cache_metadata = 1u << 4;
}  // namespace mariadb_capability

// SERVER_STATUS_*, in every OK and EOF.
namespace status {
inline constexpr std::uint16_t in_transaction = 0x0001;
inline constexpr std::uint16_t autocommit = 0x0002;
inline constexpr std::uint16_t more_results = 0x0008;
inline constexpr std::uint16_t no_good_index_used = 0x0010;
inline constexpr std::uint16_t no_index_used = 0x0020;
inline constexpr std::uint16_t cursor_exists = 0x0040;
inline constexpr std::uint16_t last_row_sent = 0x0080;
inline constexpr std::uint16_t db_dropped = 0x0100;
inline constexpr std::uint16_t no_backslash_escapes = 0x0200;
inline constexpr std::uint16_t metadata_changed = 0x0400;
inline constexpr std::uint16_t query_was_slow = 0x0800;
inline constexpr std::uint16_t ps_out_params = 0x1000;
inline constexpr std::uint16_t in_readonly_transaction = 0x2000;
inline constexpr std::uint16_t session_state_changed = 0x4000;
inline constexpr std::uint16_t ansi_quotes = 0x8000;  // MariaDB
}  // namespace status

enum class command : std::uint8_t {
    sleep = 0,
    quit = 1,
    init_db = 2,
    query = 3,
    field_list = 4,
    create_db = 5,
    drop_db = 6,
    refresh = 7,
    shutdown = 8,
    statistics = 9,
    process_info = 10,
    connect = 11,
    process_kill = 12,
    debug = 13,
    ping = 14,
    time = 15,
    delayed_insert = 16,
    change_user = 17,
    binlog_dump = 18,
    table_dump = 19,
    connect_out = 20,
    register_slave = 21,
    stmt_prepare = 22,
    stmt_execute = 23,
    stmt_send_long_data = 24,
    stmt_close = 25,
    stmt_reset = 26,
    set_option = 27,
    stmt_fetch = 28,
    daemon = 29,
    binlog_dump_gtid = 30,
    reset_connection = 31,
    stmt_bulk_execute = 250,  // MariaDB
    multi = 254,              // MariaDB, never shipped
};

// COM_SET_OPTION.
namespace set_option {
inline constexpr std::uint16_t multi_statements_on = 0;
inline constexpr std::uint16_t multi_statements_off = 1;
}  // namespace set_option

// Types of columns and parameters.
enum class column_type : std::uint8_t {
    decimal = 0,
    tiny = 1,
    short_ = 2,
    long_ = 3,
    float_ = 4,
    double_ = 5,
    null = 6,
    timestamp = 7,
    longlong = 8,
    int24 = 9,
    date = 10,
    time = 11,
    datetime = 12,
    year = 13,
    newdate = 14,
    varchar = 15,
    bit = 16,
    timestamp2 = 17,
    datetime2 = 18,
    time2 = 19,
    json = 245,  // MySQL; MariaDB sends text
    newdecimal = 246,
    enum_ = 247,
    set = 248,
    tiny_blob = 249,
    medium_blob = 250,
    long_blob = 251,
    blob = 252,
    var_string = 253,
    string = 254,
    geometry = 255,
};

namespace column_flag {
inline constexpr std::uint16_t not_null = 1;
inline constexpr std::uint16_t primary_key = 2;
inline constexpr std::uint16_t unique_key = 4;
inline constexpr std::uint16_t multiple_key = 8;
inline constexpr std::uint16_t blob = 16;
inline constexpr std::uint16_t is_unsigned = 32;
inline constexpr std::uint16_t zerofill = 64;
inline constexpr std::uint16_t binary = 128;
inline constexpr std::uint16_t enum_ = 256;
inline constexpr std::uint16_t auto_increment = 512;
inline constexpr std::uint16_t timestamp = 1024;
inline constexpr std::uint16_t set = 2048;
inline constexpr std::uint16_t no_default_value = 4096;
inline constexpr std::uint16_t on_update_now = 8192;
inline constexpr std::uint16_t numeric = 32768;
}  // namespace column_flag

// Ids of collations, which stand for a character set with it.
namespace collation {
inline constexpr std::uint16_t latin1_swedish_ci = 8;
inline constexpr std::uint16_t ascii_general_ci = 11;
inline constexpr std::uint16_t utf8_general_ci = 33;
inline constexpr std::uint16_t utf8mb4_general_ci = 45;
inline constexpr std::uint16_t utf8mb4_bin = 46;
inline constexpr std::uint16_t binary = 63;
inline constexpr std::uint16_t utf8mb4_unicode_ci = 224;
inline constexpr std::uint16_t utf8mb4_0900_ai_ci = 255;
}  // namespace collation

// COM_STMT_EXECUTE's flags.
namespace cursor_type {
inline constexpr std::uint8_t none = 0;
inline constexpr std::uint8_t read_only = 1;
inline constexpr std::uint8_t for_update = 2;
inline constexpr std::uint8_t scrollable = 4;
inline constexpr std::uint8_t parameter_count_available = 8;  // MySQL 8, with query attributes
}  // namespace cursor_type

// Kinds of entries in an OK's session state.
enum class session_track : std::uint8_t {
    system_variable = 0,  // name, value
    schema = 1,           // name
    state_change = 2,     // "1": something that a RESET CONNECTION would clear
    gtids = 3,
    transaction_characteristics = 4,  // SQL that would bring them back; "" when there are none
    transaction_state = 5,            // eight characters, see reply_tracker.hpp
};

// Numbers of errors that the gateway makes or has to know.
namespace error_number {
inline constexpr std::uint16_t con_count = 1040;
inline constexpr std::uint16_t handshake = 1043;
inline constexpr std::uint16_t dbaccess_denied = 1044;
inline constexpr std::uint16_t access_denied = 1045;
inline constexpr std::uint16_t no_db = 1046;
inline constexpr std::uint16_t unknown_com = 1047;
inline constexpr std::uint16_t bad_db = 1049;
inline constexpr std::uint16_t server_shutdown = 1053;
inline constexpr std::uint16_t parse_error = 1064;
inline constexpr std::uint16_t no_such_thread = 1094;
inline constexpr std::uint16_t kill_denied = 1095;
inline constexpr std::uint16_t unknown = 1105;
inline constexpr std::uint16_t net_packet_too_large = 1153;
inline constexpr std::uint16_t net_packets_out_of_order = 1156;
inline constexpr std::uint16_t new_aborting_connection = 1184;
inline constexpr std::uint16_t lock_wait_timeout = 1205;
inline constexpr std::uint16_t lock_deadlock = 1213;
inline constexpr std::uint16_t user_limit_reached = 1226;
inline constexpr std::uint16_t not_supported_yet = 1235;
inline constexpr std::uint16_t unknown_stmt_handler = 1243;
inline constexpr std::uint16_t query_interrupted = 1317;
inline constexpr std::uint16_t max_prepared_stmt_count = 1461;
inline constexpr std::uint16_t malformed_packet = 1835;
inline constexpr std::uint16_t query_timeout = 3024;
inline constexpr std::uint16_t connection_killed = 1927;  // MariaDB
inline constexpr std::uint16_t statement_timeout = 1969;  // MariaDB
}  // namespace error_number

}  // namespace sluice::mysql
