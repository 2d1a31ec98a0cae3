// proto/pg/messages.hpp: what the gateway itself says to a PostgreSQL client at login and in
// errors, and how it reads a server's errors.
//
//   Authentication*          := 'R' length code:u32be ...
//   ParameterStatus          := 'S' length name:cstring value:cstring
//   BackendKeyData           := 'K' length pid:u32be key:byte[4..256]
//   ReadyForQuery            := 'Z' length status:u8
//   NegotiateProtocolVersion := 'v' length version:u32be count:u32be option:cstring[count]
//   ErrorResponse            := 'E' length (field:u8 value:cstring)* 0:u8
//   NoticeResponse           := 'N' as ErrorResponse
//
// Layer: proto. Each writer appends one whole message to `out`.
#pragma once

#include <span>

#include "proto/core/byte_queue.hpp"
#include "proto/core/result.hpp"

namespace sluice::pg {

enum class transaction_status : char { idle = 'I', open = 'T', failed = 'E' };

void append_authentication_ok(byte_queue& out);
void append_authentication_cleartext(byte_queue& out);
void append_authentication_md5(byte_queue& out, bytes_view salt);  // 4 bytes
void append_authentication_sasl(byte_queue& out, std::span<const std::string_view> mechanisms);
void append_authentication_sasl_continue(byte_queue& out, std::string_view data);
void append_authentication_sasl_final(byte_queue& out, std::string_view data);

void append_parameter_status(byte_queue& out, std::string_view name, std::string_view value);
// 4 bytes of key to a client of protocol 3.0.
void append_backend_key_data(byte_queue& out, std::uint32_t pid, bytes_view key);
void append_ready_for_query(byte_queue& out, transaction_status status);
// `version` in full (major << 16 | minor): what libpq reads, whatever the manual says.
void append_negotiate_protocol_version(byte_queue& out,
                                       std::uint32_t version,
                                       std::span<const std::string_view> unknown_options);

// The fields of an ErrorResponse or NoticeResponse; what is empty or zero is not sent.
// Lifetime when read: views into the message.
struct error_fields {
    std::string_view severity = "ERROR";   // written as S and V
    std::string_view sqlstate = {};        // C, five characters
    std::string_view message = {};         // M
    std::string_view detail = {};          // D
    std::string_view hint = {};            // H
    std::uint32_t position = 0;            // P, characters from 1
    std::uint32_t internal_position = 0;   // p
    std::string_view internal_query = {};  // q
    std::string_view where = {};           // W
    std::string_view schema = {};          // s
    std::string_view table = {};           // t
    std::string_view column = {};          // c
    std::string_view data_type = {};       // d
    std::string_view constraint = {};      // n
    std::string_view file = {};            // F
    std::string_view line = {};            // L
    std::string_view routine = {};         // R
};

// "cached plan must not change result type": a table changed under a prepared statement
// (PostgreSQL, src/backend/utils/cache/plancache.c, RevalidateCachedQuery; its text is translated).
inline bool is_stale_plan(const error_fields& error) noexcept
{
    return error.sqlstate == "0A000" && error.routine == "RevalidateCachedQuery";
}

void append_error(byte_queue& out, const error_fields& fields);   // ErrorResponse
void append_notice(byte_queue& out, const error_fields& fields);  // NoticeResponse

// `body`: of an ErrorResponse or NoticeResponse. Unknown fields are passed over. `severity` is
// the untranslated one (V) where the server sends it, else the translated one (S).
result<error_fields> parse_error_fields(bytes_view body) noexcept;

}  // namespace sluice::pg
