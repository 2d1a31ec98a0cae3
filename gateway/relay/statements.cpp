// gateway/relay/statements.cpp: interning prepared statements; a backend's cache of them.
#include "gateway/relay/statements.hpp"

#include <algorithm>

namespace sluice::gateway {

statement_ref statement_table::intern(bytes_view definition)
{
    const std::scoped_lock lock(mutex_);
    const auto found = by_definition_.find(as_text(definition));
    if (found != by_definition_.end())
        return found->second;
    if (by_definition_.size() >= collect_at_)
        collect();
    auto made = std::make_shared<statement>();
    made->id = next_id_++;
    made->backend_name = "sluice_" + std::to_string(made->id);
    made->definition = as_text(definition);
    const std::string_view text(made->definition.c_str());  // up to the zero
    const auto traits = sql::classify_postgres(text);
    made->effects = effects_of(traits);
    made->digest = traits.digest;
    made->only_reads = traits.only_reads;
    by_definition_.emplace(made->definition, made);
    return made;
}

// Forgets what no client has prepared any more. Backends forget theirs by least recent use; ids
// are never used twice, so a text that comes back simply is a new statement.
void statement_table::collect()
{
    std::erase_if(by_definition_, [](const auto& entry) { return entry.second.use_count() == 1; });
    collect_at_ = std::max<std::size_t>(1024, by_definition_.size() * 2);
}

std::size_t statement_table::size() const
{
    const std::scoped_lock lock(mutex_);
    return by_definition_.size();
}

bool prepared_cache::use(std::uint64_t id)
{
    const auto found = index_.find(id);
    if (found == index_.end())
        return false;
    if (std::next(found->second) != order_.end())
        order_.splice(order_.end(), order_, found->second);
    return true;
}

void prepared_cache::add(std::uint64_t id)
{
    if (!use(id))
        index_.emplace(id, order_.insert(order_.end(), id));
}

void prepared_cache::remove(std::uint64_t id)
{
    const auto found = index_.find(id);
    if (found == index_.end())
        return;
    order_.erase(found->second);
    index_.erase(found);
}

void prepared_cache::clear()
{
    order_.clear();
    index_.clear();
}

}  // namespace sluice::gateway
