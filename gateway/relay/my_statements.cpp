// gateway/relay/my_statements.cpp: interning prepared statements; a backend's cache of them.
#include "gateway/relay/my_statements.hpp"

#include <algorithm>
#include <functional>

#include "proto/core/bytes.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t execute_head = 10;  // command, id, flags, iterations

}  // namespace

my_statement_ref my_statement_table::intern(std::string_view text,
                                            const session_settings& context,
                                            sql::mysql_mode mode)
{
    std::string key(text);
    for (const auto& [name, value] : context.entries()) {
        key += '\0';
        key += name;
        key += '\0';
        key += value;
    }
    const std::scoped_lock lock(mutex_);
    const auto found = known_.find(key);
    if (found != known_.end())
        return found->second;
    if (known_.size() >= collect_at_)
        collect();
    auto made = std::make_shared<my_statement>();
    made->id = next_id_++;
    made->text = text;
    made->context = context;
    const auto* charset = context.find("character_set_client");
    made->effects = my_effects_of(text, mode, charset ? *charset : std::string());
    known_.emplace(std::move(key), made);
    return made;
}

my_statement_ref my_statement_table::make_another(const my_statement& like)
{
    auto made = std::make_shared<my_statement>(like);
    const std::scoped_lock lock(mutex_);
    made->id = next_id_++;
    return made;
}

// Forgets what no client has prepared any more. Backends forget theirs by least recent use; ids
// are never used twice, so a text that comes back simply is a new statement.
void my_statement_table::collect()
{
    std::erase_if(known_, [](const auto& entry) { return entry.second.use_count() == 1; });
    collect_at_ = std::max<std::size_t>(1024, known_.size() * 2);
}

std::size_t my_statement_table::size() const
{
    const std::scoped_lock lock(mutex_);
    return known_.size();
}

types_mark mark_of(std::string_view types) noexcept
{
    return types.empty() ? 0 : std::hash<std::string_view>{}(types) | 1;
}

my_prepared_cache::entry* my_prepared_cache::use(std::uint64_t statement)
{
    const auto found = index_.find(statement);
    if (found == index_.end())
        return nullptr;
    if (std::next(found->second) != order_.end())
        order_.splice(order_.end(), order_, found->second);
    return &*found->second;
}

std::optional<std::uint32_t> my_prepared_cache::add(std::uint64_t statement,
                                                    std::uint32_t backend_id)
{
    if (entry* known = use(statement)) {
        const auto replaced = known->backend_id;
        *known = {statement, backend_id, 0};
        return replaced;
    }
    index_.emplace(statement, order_.insert(order_.end(), {statement, backend_id, 0}));
    return std::nullopt;
}

void my_prepared_cache::remove(std::uint64_t statement)
{
    const auto found = index_.find(statement);
    if (found == index_.end())
        return;
    order_.erase(found->second);
    index_.erase(found);
}

void my_prepared_cache::clear()
{
    order_.clear();
    index_.clear();
}

std::size_t execute_prefix(std::uint16_t parameters) noexcept
{
    const std::size_t n = parameters;
    return n == 0 ? execute_head : execute_head + (n + 7) / 8 + 1 + 2 * n;
}

my_execute parse_execute(bytes_view payload, std::uint16_t parameters) noexcept
{
    my_execute found;
    if (payload.size() < execute_head) {
        found.complete = false;
        return found;
    }
    found.id = load_le<std::uint32_t>(payload.data() + 1);
    found.flags = static_cast<std::uint8_t>(payload[5]);
    if (parameters == 0)
        return found;
    const std::size_t flag_at = execute_head + (std::size_t{parameters} + 7) / 8;
    found.types_at = flag_at + 1;
    if (payload.size() < found.types_at) {
        found.complete = false;
        return found;
    }
    found.names_types = payload[flag_at] == std::byte{1};
    found.complete =
        !found.names_types || payload.size() >= found.types_at + 2 * std::size_t{parameters};
    return found;
}

}  // namespace sluice::gateway
