// gateway/relay/parsed_texts.cpp: finding a text by its bytes.
#include "gateway/relay/parsed_texts.hpp"

#include <cstring>

#include "proto/sql/classify.hpp"

namespace sluice::gateway {
namespace {

std::uint64_t hash_of(bytes_view bytes) noexcept
{
    std::uint64_t hash = bytes.size();
    const auto mix = [&hash](std::uint64_t part) {
        hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    };
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
        std::uint64_t part;
        std::memcpy(&part, bytes.data(), 8);
        mix(part);
    }
    std::uint64_t part = 0;
    std::memcpy(&part, bytes.data(), bytes.size());
    mix(part);
    return hash;
}

void read(parsed_text& into, bytes_view definition)
{
    into.definition = as_text(definition);
    const auto traits = sql::classify_postgres(into.definition.c_str());
    into.digest = traits.digest;
    into.only_reads = traits.only_reads;
    into.plain = traits.self_contained;
    into.seen = 0;
    into.prepared.reset();
}

}  // namespace

const parsed_text& parsed_texts::look(bytes_view definition)
{
    auto& slot = slots_[hash_of(definition) & (size - 1)];
    if (!slot)
        slot = std::make_unique<parsed_text>();
    parsed_text& found = *slot;
    if (found.definition != as_text(definition))
        read(found, definition);
    if (found.seen < often && ++found.seen == often && found.plain)
        found.prepared = table_.intern(definition);
    return found;
}

}  // namespace sluice::gateway
