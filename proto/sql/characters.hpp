// proto/sql/characters.hpp: what kind of token each byte begins or continues.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::sql::characters {

enum bits : std::uint8_t {
    blank = 1,
    letter = 2,  // begins a word: letters, _ and every byte from 0x80
    digit = 4,
    dollar = 8,
    operator_ = 16,  // PostgreSQL's op_chars
    prefix = 32,     // letter that may begin a string: B E N U X
    slow = 64,       // / and -: may begin a comment
    single = 128,    // ( ) , ; are tokens by themselves
};

constexpr std::array<std::uint8_t, 256> make_table()
{
    std::array<std::uint8_t, 256> made{};
    const auto mark = [&made](std::string_view chars, unsigned bit) {
        for (const char c : chars)
            made[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(bit);
    };
    mark(" \t\n\r\f\v", blank);
    mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", letter);
    for (std::size_t c = 0x80; c < 0x100; ++c)
        made[c] = letter;
    mark("0123456789", digit);
    mark("$", dollar);
    mark("~!@#^&|`?+-*/%<>=", operator_);
    mark("BENUXbenux", prefix);
    mark("/-", slow);
    mark("(),;", single);
    return made;
}

inline constexpr auto table = make_table();

inline bool is(char c, unsigned bit) noexcept
{
    return (table[static_cast<unsigned char>(c)] & bit) != 0;
}

}  // namespace sluice::sql::characters
