// proto/pg/requests.hpp: what a PostgreSQL client asks after login, decoded to views.
//
//   Query        := 'Q' text:cstring
//   Parse        := 'P' statement:cstring text:cstring count:u16be oid:u32be[count]
//   Bind         := 'B' portal:cstring statement:cstring
//                       count:u16be format:u16be[count]
//                       count:u16be (length:i32be byte[length])[count]
//                       count:u16be format:u16be[count]
//   Describe     := 'D' what:u8 name:cstring            what: 'S' or 'P'
//   Close        := 'C' what:u8 name:cstring
//   Execute      := 'E' portal:cstring max_rows:u32be
//   FunctionCall := 'F' function:u32be formats arguments result_format:u16be   (as in Bind)
//   CopyData     := 'd' byte[]
//   CopyDone     := 'c'
//   CopyFail     := 'f' reason:cstring
//
// Layer: proto. Pure functions over a message's body (proto/pg/frame.hpp). Everything is checked
// before it is returned: a count never promises more than is there.
// Lifetime: views point into the body.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/core/bytes.hpp"
#include "proto/core/result.hpp"

namespace sluice::pg {

// Big-endian integers in a message.
template <std::unsigned_integral T>
class be_list {
public:
    be_list() noexcept = default;
    explicit be_list(bytes_view bytes) noexcept : bytes_(bytes) {}
    std::size_t size() const noexcept { return bytes_.size() / sizeof(T); }
    bool empty() const noexcept { return bytes_.empty(); }
    T operator[](std::size_t i) const noexcept { return load_be<T>(bytes_.data() + i * sizeof(T)); }

private:
    bytes_view bytes_;
};

// Format codes as in Bind: none means text for all, one holds for all, else one for each.
class format_list {
public:
    format_list() noexcept = default;
    explicit format_list(be_list<std::uint16_t> codes) noexcept : codes_(codes) {}
    std::size_t size() const noexcept { return codes_.size(); }
    bool fits(std::size_t fields) const noexcept { return size() <= 1 || size() == fields; }
    std::uint16_t operator[](std::size_t field) const noexcept
    {
        if (codes_.empty())
            return 0;
        return codes_[codes_.size() == 1 ? 0 : field];
    }
    bool only_known() const noexcept;  // every code is 0 or 1

private:
    be_list<std::uint16_t> codes_;
};

// The parameters of a Bind, read in order.
class parameter_list {
public:
    parameter_list() noexcept = default;
    // `fields` has been checked to hold `count` of them.
    parameter_list(bytes_view fields, std::size_t count) noexcept : rest_(fields), left_(count) {}
    std::size_t left() const noexcept { return left_; }
    // nullopt: NULL. Call only while left() > 0.
    std::optional<bytes_view> next() noexcept;

private:
    bytes_view rest_;
    std::size_t left_ = 0;
};

struct parse_request {
    std::string_view statement;
    std::string_view text;
    be_list<std::uint32_t> types;
};

struct bind_request {
    std::string_view portal;
    std::string_view statement;
    format_list parameter_formats;
    parameter_list parameters;
    format_list result_formats;
};

enum class target : char { statement = 'S', portal = 'P' };

struct named_request {  // Describe, Close
    target what = target::statement;
    std::string_view name;
};

struct execute_request {
    std::string_view portal;
    std::int64_t max_rows = 0;  // 0: all
};

struct function_call {
    std::uint32_t function = 0;
    format_list argument_formats;
    parameter_list arguments;
    std::uint16_t result_format = 0;
};

result<std::string_view> decode_query(bytes_view body) noexcept;
result<parse_request> decode_parse(bytes_view body) noexcept;
result<bind_request> decode_bind(bytes_view body) noexcept;
result<named_request> decode_named(bytes_view body) noexcept;
result<execute_request> decode_execute(bytes_view body) noexcept;
result<function_call> decode_function_call(bytes_view body) noexcept;
result<std::string_view> decode_copy_fail(bytes_view body) noexcept;

}  // namespace sluice::pg
