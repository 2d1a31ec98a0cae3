// proto/sql/key_words.hpp: comparing words by one integer.
//
// Layer: proto. A word's key is its first eight letters in lower case, so a switch finds a key word
// without comparing strings. Words longer than eight letters share keys: compare those in full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::sql {

constexpr char lower_ascii(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

constexpr std::uint64_t key_of(std::string_view word) noexcept
{
    std::uint64_t key = 0;
    const std::size_t count = word.size() < 8 ? word.size() : 8;
    for (std::size_t i = 0; i < count; ++i)
        key = key << 8 | static_cast<unsigned char>(lower_ascii(word[i]));
    return key;
}

constexpr bool same_ignoring_case(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size())
        return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower_ascii(a[i]) != lower_ascii(b[i]))
            return false;
    return true;
}

namespace literals {
consteval std::uint64_t operator""_key(const char* word, std::size_t size)
{
    return key_of({word, size});
}
}  // namespace literals

}  // namespace sluice::sql
