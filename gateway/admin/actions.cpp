// gateway/admin/actions.cpp: pausing, disabling, reconnecting and killing.
#include "gateway/admin/actions.hpp"

#include "gateway/context.hpp"
#include "gateway/log/log.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway::admin {
namespace {

std::string shown(const std::string& database)
{
    return database.empty() ? "(all)" : database;
}

}  // namespace

bool actions::known(const std::string& database) const
{
    return database.empty() || shared_.settings()->find_database(database) != nullptr;
}

void actions::pause(const std::string& database)
{
    log::info("database paused", {{"database", shown(database)}});
    const std::scoped_lock order(one_by_one_);
    {
        const std::scoped_lock lock(mutex_);
        if (database.empty())
            all_paused_ = true;
        else
            paused_.insert(database);
    }
    apply(database);
}

void actions::resume(const std::string& database)
{
    log::info("database resumed", {{"database", shown(database)}});
    const std::scoped_lock order(one_by_one_);
    {
        const std::scoped_lock lock(mutex_);
        if (database.empty()) {
            all_paused_ = false;
            paused_.clear();
        } else if (all_paused_) {
            // The others stay as they are.
            all_paused_ = false;
            const auto settings = shared_.settings();
            for (const auto& [name, entry] : settings->databases)
                paused_.insert(name);
            for (const auto& name : shared_.databases.names())
                paused_.insert(name);
            paused_.erase(database);
        } else {
            paused_.erase(database);
        }
    }
    apply(database);
}

void actions::take_back(const std::string& database)
{
    if (!database.empty())
        return resume(database);
    log::info("pause taken back", {{"database", shown(database)}});
    const std::scoped_lock order(one_by_one_);
    {
        const std::scoped_lock lock(mutex_);
        all_paused_ = false;
    }
    apply(database);
}

// Pools and gates that come to be later ask paused() themselves.
void actions::apply(const std::string& database)
{
    shared_.databases.for_each([&](const std::string& name, relay_database& each) {
        if (!database.empty() && name != database)
            return;
        const bool stop = paused(name);
        if (stop && !each.pool().paused())
            each.pool().pause();
        else if (!stop && each.pool().paused())
            each.pool().resume();
    });
    std::map<std::string, gate*> gates;
    {
        const std::scoped_lock lock(mutex_);
        for (const auto& [name, each] : gates_)
            gates.emplace(name, each.get());
    }
    for (const auto& [name, each] : gates) {
        if (!database.empty() && name != database)
            continue;
        if (!paused(name))
            each->open();
        else
            each->close();
    }
}

std::size_t actions::busy(const std::string& database) const
{
    std::size_t sum = 0;
    shared_.databases.for_each([&](const std::string& name, relay_database& each) {
        if (database.empty() || name == database)
            sum += each.pool().open();
    });
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, each] : gates_) {
        if (database.empty() || name == database)
            sum += each->inside();
    }
    return sum;
}

bool actions::paused_locked(const std::string& database) const
{
    return all_paused_ || (!database.empty() && paused_.contains(database));
}

bool actions::paused(const std::string& database) const
{
    const std::scoped_lock lock(mutex_);
    return paused_locked(database);
}

void actions::set_disabled(const std::string& database, bool disabled)
{
    log::info(disabled ? "database disabled" : "database enabled", {{"database", shown(database)}});
    const std::scoped_lock lock(mutex_);
    if (disabled)
        disabled_.insert(database);
    else
        disabled_.erase(database);
}

bool actions::disabled(const std::string& database) const
{
    const std::scoped_lock lock(mutex_);
    return disabled_.contains(database);
}

void actions::reconnect(const std::string& database)
{
    log::info("connections are replaced", {{"database", shown(database)}});
    shared_.databases.for_each([&](const std::string& name, relay_database& each) {
        if (database.empty() || name == database)
            each.pool().reconnect();
    });
}

std::size_t actions::outdated(const std::string& database) const
{
    std::size_t sum = 0;
    shared_.databases.for_each([&](const std::string& name, relay_database& each) {
        if (database.empty() || name == database)
            sum += each.pool().outdated();
    });
    return sum;
}

void actions::kill(const std::string& database)
{
    log::warn("clients of a database killed", {{"database", shown(database)}});
    pause(database);
    for (const auto& each : shared_.workers)
        each->post_kill_clients(database);
}

void actions::kill_client(std::uint64_t id, std::function<void(bool)> done)
{
    // A client's id names its worker.
    worker& where = *shared_.workers[id % shared_.workers.size()];
    where.post_kill_client(id, std::move(done));
}

gate& actions::gate_of(const std::string& database)
{
    const std::scoped_lock lock(mutex_);
    auto& found = gates_[database];
    if (!found) {
        found = std::make_unique<gate>(shared_.workers.size());
        if (paused_locked(database))
            found->close();
    }
    return *found;
}

}  // namespace sluice::gateway::admin
