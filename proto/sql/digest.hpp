// proto/sql/digest.hpp: what statements are counted by: a number of their words and operators.
//
// Equal for texts that differ in constants, parameters, blanks and comments only. Unequal ones
// share a digest by a chance of 2^-64.
//
// Layer: proto. Pure, allocates nothing; token by token, so that whoever reads a text for another
// reason has its digest by the way.
#pragma once

#include <cstdint>
#include <cstring>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

constexpr bool is_constant(token_kind kind) noexcept
{
    switch (kind) {
        case token_kind::string:
        case token_kind::escape_string:
        case token_kind::unicode_string:
        case token_kind::bit_string:
        case token_kind::dollar_string:
        case token_kind::number:
        case token_kind::parameter:
            return true;
        default:
            return false;
    }
}

class statement_digest {
public:
    void add(const token& next) noexcept
    {
        if (next.kind == token_kind::semicolon || next.kind == token_kind::end)
            return;
        // One kind for all constants: a number and a parameter are the same place.
        if (is_constant(next.kind)) {
            mix(static_cast<std::uint64_t>(token_kind::number));
            return;
        }
        mix(static_cast<std::uint64_t>(next.kind) | next.text.size() << 8);
        const char* at = next.text.data();
        std::size_t left = next.text.size();
        for (; left > 8; at += 8, left -= 8)
            mix(load<std::uint64_t>(at));
        mix(tail(at, left));
    }

    // Never zero.
    std::uint64_t value() const noexcept { return value_ | 1; }

private:
    template <typename Word>
    static Word load(const char* at) noexcept
    {
        Word word;
        std::memcpy(&word, at, sizeof word);
        return word;
    }
    // Up to eight bytes, of a length that is known: loads that may overlap instead of a loop.
    static std::uint64_t tail(const char* at, std::size_t size) noexcept
    {
        if (size >= 4)
            return std::uint64_t{load<std::uint32_t>(at)} << 32 |
                   load<std::uint32_t>(at + size - 4);
        if (size == 0)
            return 0;
        const auto byte = [at](std::size_t i) {
            return std::uint64_t{static_cast<unsigned char>(at[i])};
        };
        return byte(0) << 16 | byte(size / 2) << 8 | byte(size - 1);
    }
    void mix(std::uint64_t with) noexcept
    {
        value_ = (value_ ^ with) * 0x9e3779b97f4a7c15u;
        value_ ^= value_ >> 32;
    }

    std::uint64_t value_ = 1;
};

}  // namespace sluice::sql
