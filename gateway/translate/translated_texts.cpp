// gateway/translate/translated_texts.cpp: finding a text by its bytes.
#include "gateway/translate/translated_texts.hpp"

#include <functional>

namespace sluice::gateway {

bool translated_text::asks_for(const pg::be_list<std::uint32_t>& types) const noexcept
{
    if (types.size() != asked.size())
        return false;
    for (std::size_t i = 0; i < asked.size(); ++i)
        if (types[i] != asked[i])
            return false;
    return true;
}

translated_text* translated_texts::find(std::string_view text) noexcept
{
    auto& place = places_[std::hash<std::string_view>{}(text) & (size - 1)];
    return place.statement && place.statement->text == text ? &place : nullptr;
}

statement_ptr translated_texts::read(std::string_view text, std::size_t offset)
{
    if (text.size() > text_max)
        return read_statement(text, offset);
    const auto hash = std::hash<std::string_view>{}(text);
    auto& place = places_[hash & (size - 1)];
    if (place.statement && place.statement->text == text && place.statement->offset == offset)
        return place.statement;
    auto made = read_statement(text, offset);
    // Texts with values in them mostly come once, and shall not push out those that come often.
    if (place.hash == hash) {
        place.statement = made;
        place.prepared.reset();
    }
    place.hash = hash;
    return made;
}

}  // namespace sluice::gateway
