// gateway/tenants/table.cpp: finding, making and forgetting tenants.
#include "gateway/tenants/table.hpp"

namespace sluice::gateway {
namespace {

constexpr std::string_view default_name = "default";

}  // namespace

pool::tenant_limits limits_of(const tenant& settings)
{
    pool::tenant_limits made;
    made.max_clients = settings.max_clients;
    made.max_concurrent = static_cast<std::size_t>(settings.max_concurrent);
    made.min_reserved = static_cast<std::size_t>(settings.min_reserved);
    made.max_queued = static_cast<std::size_t>(settings.max_queued);
    made.queue_timeout = settings.queue_timeout;
    made.max_rate = settings.max_rate;
    made.burst = static_cast<std::uint32_t>(settings.burst);
    made.target_delay = settings.target_delay;
    made.statement_timeout = settings.statement_timeout;
    made.transaction_timeout = settings.transaction_timeout;
    made.idle_transaction_timeout = settings.idle_transaction_timeout;
    made.max_buffer = settings.max_buffer;
    made.weight = static_cast<std::uint32_t>(settings.weight);
    made.priority = static_cast<pool::priority>(settings.priority);
    made.dry_run = settings.dry_run;
    return made;
}

tenant_table::tenant_table(const tenants_config& settings)
{
    read(settings);
}

void tenant_table::read(const tenants_config& settings)
{
    listed_.clear();
    default_ = std::make_shared<const pool::tenant_limits>();
    for (const auto& [name, each] : settings.named) {
        auto made = std::make_shared<const pool::tenant_limits>(limits_of(each));
        if (name == default_name)
            default_ = std::move(made);
        else
            listed_.emplace(name, std::move(made));
    }
}

const tenant_table::shared_limits& tenant_table::limits_for(const std::string& name) const
{
    const auto found = listed_.find(name);
    return found == listed_.end() ? default_ : found->second;
}

std::shared_ptr<pool::tenant> tenant_table::find(std::string_view name)
{
    const std::scoped_lock lock(mutex_);
    auto found = entries_.find(name);
    if (found == entries_.end() && !listed_.contains(name) && unlisted_ >= max_unlisted) {
        name = default_name;
        found = entries_.find(name);
    }
    if (found == entries_.end()) {
        const std::string key(name);
        entry fresh;
        fresh.listed = listed_.contains(key);
        fresh.tenant = std::make_shared<pool::tenant>(key, limits_for(key));
        unlisted_ += !fresh.listed;
        found = entries_.emplace(key, std::move(fresh)).first;
    }
    found->second.used = std::chrono::steady_clock::now();
    return found->second.tenant;
}

void tenant_table::apply(const tenants_config& settings)
{
    const std::scoped_lock lock(mutex_);
    read(settings);
    unlisted_ = 0;
    for (auto& [name, each] : entries_) {
        each.listed = listed_.contains(name);
        unlisted_ += !each.listed;
        each.tenant->replace_limits(limits_for(name));
    }
}

std::string tenant_table::section_of(std::string_view name) const
{
    const std::scoped_lock lock(mutex_);
    return "[tenants." + std::string(listed_.contains(name) ? name : default_name) + "]";
}

void tenant_table::sweep(std::chrono::steady_clock::time_point now)
{
    const std::scoped_lock lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end();) {
        entry& each = at->second;
        if (each.tenant.use_count() > 1)
            each.used = now;
        if (each.listed || now - each.used < forget_after) {
            ++at;
            continue;
        }
        --unlisted_;
        at = entries_.erase(at);
    }
}

std::size_t tenant_table::size() const
{
    const std::scoped_lock lock(mutex_);
    return entries_.size();
}

void tenant_table::for_each(
    const std::function<void(const std::shared_ptr<pool::tenant>&)>& visit) const
{
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, each] : entries_)
        visit(each.tenant);
}

}  // namespace sluice::gateway
