// proto/sql/word_table.hpp: a set of words, in lower case, made when the program is compiled.
//
// Layer: proto. Words of up to eight letters are compared as one integer.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "proto/sql/key_words.hpp"

namespace sluice::sql {

template <std::size_t N>
class word_table {
public:
    consteval explicit word_table(const std::array<std::string_view, N>& words)
    {
        for (const auto word : words) {
            if (word.size() <= 8)
                keys_[short_++] = key_of(word);
            else
                words_[long_++] = word;
            longest_ = std::max(longest_, word.size());
        }
        std::sort(keys_.data(), keys_.data() + short_);
        std::sort(words_.data(), words_.data() + long_);
        if (longest_ > longest_max)
            throw "a word is too long";
    }

    bool contains(std::string_view word) const noexcept
    {
        if (word.size() <= 8)
            return std::binary_search(keys_.data(), keys_.data() + short_, key_of(word));
        if (word.size() > longest_)
            return false;
        std::array<char, longest_max> lower;
        std::transform(word.begin(), word.end(), lower.begin(), lower_ascii);
        const std::string_view wanted(lower.data(), word.size());
        return std::binary_search(words_.data(), words_.data() + long_, wanted);
    }

private:
    static constexpr std::size_t longest_max = 48;

    std::array<std::uint64_t, N> keys_{};
    std::array<std::string_view, N> words_{};
    std::size_t short_ = 0;
    std::size_t long_ = 0;
    std::size_t longest_ = 0;
};

template <std::size_t N>
word_table(const std::array<std::string_view, N>&) -> word_table<N>;

}  // namespace sluice::sql
