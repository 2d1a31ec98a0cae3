// proto/pg/message_writer.hpp: one PostgreSQL message appended to a byte_queue, its length filled
// in at the end.
//
// Layer: proto. Lives on the stack while one message is written; the queue must not be consumed
// meanwhile and outlives it.
#pragma once

#include "proto/core/byte_queue.hpp"

namespace sluice::pg {

class message_writer {
public:
    message_writer(byte_queue& out, char type) : out_(out), start_(out.size())
    {
        out_.append_byte(type);
        out_.append_be(std::uint32_t{0});
    }
    message_writer(const message_writer&) = delete;
    message_writer& operator=(const message_writer&) = delete;
    ~message_writer()
    {
        const auto length = out_.size() - start_ - 1;
        store_be(out_.mutable_data() + start_ + 1, static_cast<std::uint32_t>(length));
    }

    void u8(char value) { out_.append_byte(value); }
    void u16(std::uint16_t value) { out_.append_be(value); }
    void u32(std::uint32_t value) { out_.append_be(value); }
    void bytes(bytes_view value) { out_.append(value); }
    // A zero byte inside would end the field early and shift all that follows: cut there.
    void cstring(std::string_view value) { out_.append_cstring(value.substr(0, value.find('\0'))); }

private:
    byte_queue& out_;
    std::size_t start_;
};

}  // namespace sluice::pg
