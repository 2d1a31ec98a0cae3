// gateway/relay/parsed_texts.cpp: finding a text by its bytes.
#include "gateway/relay/parsed_texts.hpp"

#include <functional>

#include "proto/sql/classify.hpp"

namespace sluice::gateway {
namespace {

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
    auto& slot = slots_[std::hash<std::string_view>{}(as_text(definition)) & (size - 1)];
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
