// proto/core/bytes.hpp: views of bytes and big-endian integers in them.
//
// Layer: proto. PostgreSQL's integers are big-endian, MySQL's little-endian.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace sluice {

using bytes_view = std::span<const std::byte>;

inline bytes_view as_bytes(std::string_view text) noexcept
{
    return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string_view as_text(bytes_view bytes) noexcept
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A zero-terminated text without its zero; all of it where the zero is not there yet.
inline std::string_view up_to_zero(bytes_view bytes) noexcept
{
    const auto text = as_text(bytes);
    return text.substr(0, text.find('\0'));
}

template <std::unsigned_integral T>
constexpr T byte_swapped(T value) noexcept
{
    if constexpr (sizeof(T) == 1)
        return value;
    else if constexpr (sizeof(T) == 2)
        return __builtin_bswap16(value);
    else if constexpr (sizeof(T) == 4)
        return __builtin_bswap32(value);
    else
        return __builtin_bswap64(value);
}

// The caller has checked that sizeof(T) bytes are there.
template <std::unsigned_integral T>
T load_be(const std::byte* from) noexcept
{
    T value;
    std::memcpy(&value, from, sizeof value);
    return std::endian::native == std::endian::little ? byte_swapped(value) : value;
}

template <std::unsigned_integral T>
void store_be(std::byte* to, T value) noexcept
{
    if constexpr (std::endian::native == std::endian::little)
        value = byte_swapped(value);
    std::memcpy(to, &value, sizeof value);
}

template <std::unsigned_integral T>
T load_le(const std::byte* from) noexcept
{
    T value;
    std::memcpy(&value, from, sizeof value);
    return std::endian::native == std::endian::little ? value : byte_swapped(value);
}

template <std::unsigned_integral T>
void store_le(std::byte* to, T value) noexcept
{
    if constexpr (std::endian::native == std::endian::big)
        value = byte_swapped(value);
    std::memcpy(to, &value, sizeof value);
}

}  // namespace sluice
