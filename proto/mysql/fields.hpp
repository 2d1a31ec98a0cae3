// proto/mysql/fields.hpp: a cursor over the fields of MySQL's packets.
//
//   lenenc := n:u8 (< 0xfb) | 0xfc n:u16le | 0xfd n:u24le | 0xfe n:u64le
//   lenenc_string := length:lenenc byte[length]
//
// Layer: proto. 0xfb (NULL in a row) and 0xff begin no integer: reading them as one fails.
// Lifetime: returned views point into the bytes given to the constructor.
#pragma once

#include "proto/core/reader.hpp"

namespace sluice::mysql {

class field_reader : public reader {
public:
    using reader::reader;

    std::uint8_t u8() noexcept { return le<std::uint8_t>(); }
    std::uint16_t u16() noexcept { return le<std::uint16_t>(); }
    std::uint32_t u24() noexcept
    {
        const auto low = le<std::uint16_t>();
        return low | std::uint32_t{u8()} << 16;
    }
    std::uint32_t u32() noexcept { return le<std::uint32_t>(); }
    std::uint64_t u64() noexcept { return le<std::uint64_t>(); }

    std::uint64_t lenenc() noexcept
    {
        const auto first = u8();
        if (first < 0xfb)
            return first;
        switch (first) {
            case 0xfc:
                return u16();
            case 0xfd:
                return u24();
            case 0xfe:
                return u64();
            default:
                set_failed();
                return 0;
        }
    }

    std::string_view lenenc_string() noexcept { return as_text(lenenc_bytes()); }
    bytes_view lenenc_bytes() noexcept
    {
        const auto length = lenenc();
        if (length > rest().size())
            set_failed();
        return take(static_cast<std::size_t>(length));
    }

    // In a row: steps over a NULL if one is here.
    bool null() noexcept
    {
        if (rest().empty() || rest()[0] != std::byte{0xfb})
            return false;
        take(1);
        return true;
    }

    std::string_view text(std::size_t count) noexcept { return as_text(take(count)); }
    std::string_view text_to_end() noexcept { return as_text(take(rest().size())); }
};

}  // namespace sluice::mysql
