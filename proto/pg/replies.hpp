// proto/pg/replies.hpp: what a PostgreSQL server answers to requests; messages of login and errors
// are in proto/pg/messages.hpp.
//
//   RowDescription       := 'T' count:u16be (name:cstring table:u32be column:u16be type:u32be
//                               size:u16be modifier:u32be format:u16be)[count]
//   DataRow              := 'D' count:u16be (length:i32be byte[length])[count]    length -1: NULL
//   CommandComplete      := 'C' tag:cstring
//   ParameterDescription := 't' count:u16be type:u32be[count]
//   CopyInResponse       := 'G' format:u8 count:u16be format:u16be[count]
//   CopyOutResponse      := 'H' as CopyInResponse
//   CopyData             := 'd' byte[]
//   without a body: ParseComplete '1', BindComplete '2', CloseComplete '3', NoData 'n',
//       EmptyQueryResponse 'I', PortalSuspended 's', CopyDone 'c'
//
// Layer: proto. Each function appends one whole message; data_row one over several calls.
#pragma once

#include <span>

#include "proto/core/byte_queue.hpp"

namespace sluice::pg {

struct column_description {
    std::string_view name;
    std::uint32_t type = 0;  // an OID
    std::int16_t size = -1;  // -1: varies
    std::int32_t modifier = -1;
    std::uint16_t format = 0;
    std::uint32_t table = 0;  // 0: not a table's column
    std::uint16_t column = 0;
};

void append_row_description(byte_queue& out, std::span<const column_description> columns);
void append_parameter_description(byte_queue& out, std::span<const std::uint32_t> types);
void append_command_complete(byte_queue& out, std::string_view tag);
// "INSERT 0 3", "SELECT 7", "COPY 2": the word(s), a blank, the count.
void append_command_complete(byte_queue& out, std::string_view words, std::uint64_t count);
void append_empty_query(byte_queue& out);
void append_parse_complete(byte_queue& out);
void append_bind_complete(byte_queue& out);
void append_close_complete(byte_queue& out);
void append_no_data(byte_queue& out);
void append_portal_suspended(byte_queue& out);
void append_copy_in(byte_queue& out, std::uint16_t columns, bool binary);
void append_copy_out(byte_queue& out, std::uint16_t columns, bool binary);
void append_copy_data(byte_queue& out, bytes_view data);
void append_copy_done(byte_queue& out);

// One DataRow: null() or begin_field() ... end_field() for each column, then end(). A row that is
// not ended is taken back by the destructor.
class data_row {
public:
    data_row(byte_queue& out, std::uint16_t columns);
    data_row(const data_row&) = delete;
    data_row& operator=(const data_row&) = delete;
    ~data_row();

    void null();
    // The field's bytes are what is appended to the queue in between.
    void begin_field();
    void end_field() noexcept;
    void end() noexcept;

private:
    byte_queue& out_;
    std::size_t start_;
    std::size_t field_ = 0;
    bool ended_ = false;
};

}  // namespace sluice::pg
