// gateway/statistics/registry.cpp: making places, within bounds.
#include "gateway/statistics/registry.hpp"

namespace sluice::gateway::statistics {

registry::registry(std::size_t workers)
{
    for (std::size_t i = 0; i < workers; ++i)
        workers_.push_back(std::make_unique<worker_place>());
}

database_entry& registry::database(const std::string& name, const std::string& engine)
{
    const bool full = databases_.size() >= databases_max && !databases_.contains(name);
    database_entry& entry = databases_[full ? std::string(other) : name];
    if (entry.workers.empty()) {
        entry.name = full ? other : name;
        entry.engine = engine;
        for (std::size_t i = 0; i < workers_.size(); ++i)
            entry.workers.push_back(std::make_unique<database_place>(sets_left_));
    }
    return entry;
}

pool_entry& registry::pool(const std::string& name,
                           const std::string& database_name,
                           const std::string& engine,
                           const std::string& user)
{
    const std::scoped_lock lock(mutex_);
    const bool full = pools_.size() >= pools_max && !pools_.contains(name);
    pool_entry& entry = pools_[full ? std::string(other) : name];
    if (entry.workers.empty()) {
        entry.name = full ? other : name;
        entry.user = full ? other : user;
        entry.database = &database(full ? std::string(other) : database_name, engine);
        for (std::size_t i = 0; i < workers_.size(); ++i)
            entry.workers.push_back(std::make_unique<pool_place>());
    }
    return entry;
}

traffic_entry& registry::place_of(pool_entry& of, const std::string& tenant)
{
    const bool known = tenants_.contains(tenant);
    const bool full = (!known && tenants_.size() >= tenants_max) ||
                      (traffics_.size() >= places_max && !traffics_.contains({&of, tenant}));
    const std::string name(full ? other : std::string_view(tenant));
    if (!full)
        ++tenants_[tenant];
    traffic_entry& entry = traffics_[{&of, name}];
    if (entry.workers.empty()) {
        entry.pool = &of;
        entry.tenant = name;
        for (std::size_t i = 0; i < workers_.size(); ++i)
            entry.workers.push_back(std::make_unique<traffic>());
    }
    return entry;
}

place registry::client(pool_entry& of, const std::string& tenant, std::size_t worker)
{
    const std::scoped_lock lock(mutex_);
    place found;
    found.traffic = place_of(of, tenant).workers[worker].get();
    found.database = of.database->workers[worker].get();
    found.pool = of.workers[worker].get();
    found.texts = &texts_;
    return found;
}

std::vector<const database_entry*> registry::databases() const
{
    const std::scoped_lock lock(mutex_);
    std::vector<const database_entry*> all;
    for (const auto& [name, each] : databases_)
        all.push_back(&each);
    return all;
}

std::vector<const pool_entry*> registry::pools() const
{
    const std::scoped_lock lock(mutex_);
    std::vector<const pool_entry*> all;
    for (const auto& [name, each] : pools_)
        all.push_back(&each);
    return all;
}

std::vector<const traffic_entry*> registry::traffics() const
{
    const std::scoped_lock lock(mutex_);
    std::vector<const traffic_entry*> all;
    for (const auto& [key, each] : traffics_)
        all.push_back(&each);
    return all;
}

traffic_totals read(const traffic_entry& from) noexcept
{
    traffic_totals all;
    for (const auto& each : from.workers)
        all += read(*each);
    return all;
}

}  // namespace sluice::gateway::statistics
