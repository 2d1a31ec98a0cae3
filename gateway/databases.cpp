// gateway/databases.cpp: making, finding and forgetting pools.
#include "gateway/databases.hpp"

#include <limits>

#include "gateway/context.hpp"
#include "gateway/relay/pg_opener.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

using std::chrono::milliseconds;

// Zero means "no limit" in the configuration.
constexpr milliseconds for_ever = std::chrono::hours(24 * 365);

milliseconds or_for_ever(duration configured) noexcept
{
    return configured.count() == 0 ? for_ever : configured;
}

}  // namespace

pool::limits limits_of(const pool_config& settings)
{
    pool::limits limits;
    limits.size = static_cast<std::size_t>(settings.size);
    limits.min = static_cast<std::size_t>(settings.min);
    limits.find_size = settings.find_size;
    limits.max_queued = settings.max_queued > 0 ? static_cast<std::size_t>(settings.max_queued)
                                                : std::numeric_limits<std::size_t>::max();
    limits.max_connecting = static_cast<std::size_t>(settings.max_connecting);
    limits.queue_timeout = or_for_ever(settings.queue_timeout);
    limits.connect_timeout = settings.connect_timeout;
    limits.idle_timeout = or_for_ever(settings.idle_timeout);
    limits.lifetime = or_for_ever(settings.lifetime);
    limits.probe_after = or_for_ever(settings.probe_after);
    return limits;
}

namespace {

pg::connect_options connect_options_of(const database& entry,
                                       const std::string& name,
                                       const user* who)
{
    pg::connect_options options;
    options.overrides = entry.postgres.parameters;
    const auto set = [&](const std::string& key, const std::string& value) {
        std::erase_if(options.overrides, [&](const auto& each) { return each.first == key; });
        options.overrides.emplace_back(key, value);
    };
    if (entry.name == "*")
        set("dbname", name);
    if (!entry.postgres.password.empty())
        set("password", entry.postgres.password.reveal());
    if (who && !who->backend_user.empty()) {
        set("user", who->backend_user);
        if (!who->backend_password.empty())
            set("password", who->backend_password.reveal());
    }
    return options;
}

}  // namespace

std::shared_ptr<relay_database> database_table::find_or_make(
    const std::string& key,
    const database& entry,
    const std::string& name,
    const user* who,
    const std::function<std::shared_ptr<relay_database>(origin&)>& make)
{
    const std::scoped_lock lock(mutex_);
    auto& found = slots_[key];
    if (found.database && found.closing)
        retired_.push_back(std::exchange(found, {}));
    if (!found.database) {
        found.from.name = name;
        found.from.entry = entry;
        found.from.mode = who && who->pool_mode ? *who->pool_mode : entry.pool.mode;
        if (who) {
            found.from.backend_user = who->backend_user;
            found.from.backend_password = who->backend_password;
        }
        found.database = make(found.from);
        found.forgettable = entry.name == "*";
        if (shared_.operations.paused(name))
            found.database->pool().pause();
    }
    found.used = std::chrono::steady_clock::now();
    return found.database;
}

std::vector<asio::io_context*> database_table::loops() const
{
    std::vector<asio::io_context*> all;
    for (const auto& each : shared_.workers)
        all.push_back(&each->io());
    return all;
}

std::shared_ptr<pg_database> database_table::postgres(const database& entry,
                                                      const std::string& name,
                                                      const user* who)
{
    const auto mode = who && who->pool_mode ? *who->pool_mode : entry.pool.mode;
    const std::string backend_user = who ? who->backend_user : std::string();
    // A zero byte is in no name.
    std::string key = name;
    key += '\0';
    key += backend_user;
    key += '\0';
    key += std::to_string(static_cast<int>(mode));
    const auto plan_of = [name, mode](const database& of, const user* as) {
        pg_opener::plan plan;
        plan.connect = connect_options_of(of, name, as);
        plan.timeout = of.pool.connect_timeout;
        plan.options.max_prepared = static_cast<std::size_t>(of.pool.max_prepared);
        plan.options.cancel_timeout = of.pool.cancel_timeout;
        plan.options.probe_timeout = of.pool.connect_timeout;
        plan.options.raw = mode == pool_mode::session;
        return plan;
    };
    const auto make = [&](origin& from) {
        auto made = std::make_shared<pg_database>(entry, mode);
        auto source = std::make_unique<pg_opener>(shared_, plan_of(entry, who));
        from.change = [opener = source.get(), plan_of](
                          const generation&, const database& of, const user* as) {
            opener->change(plan_of(of, as));
        };
        const std::string label = backend_user.empty() ? name : name + "/" + backend_user;
        auto& counted = shared_.counts.pool(label, name, "postgres", backend_user);
        made->set_counted_in(counted);
        source->count_in(counted);
        made->set_pool(pool::shared_pool::create(
            label, limits_of(entry.pool), std::move(source), loops(), shared_.scheduling));
        std::vector<latency_table*> latencies;
        for (const auto& each : shared_.workers)
            latencies.push_back(&each->statements().latencies);
        made->share_links(latencies);
        return made;
    };
    // The names of a gateway's databases are unique, so this one's engine is PostgreSQL.
    return std::static_pointer_cast<pg_database>(find_or_make(key, entry, name, who, make));
}

template <class Function>
void database_table::each_slot(Function call) const
{
    for (const auto& [key, each] : slots_)
        call(each);
    for (const auto& each : retired_)
        call(each);
}

void database_table::sweep(std::size_t worker, std::chrono::steady_clock::time_point now)
{
    std::vector<std::shared_ptr<relay_database>> all;
    {
        const std::scoped_lock lock(mutex_);
        if (worker == 0)
            forget_idle(now);
        each_slot([&](const slot& each) { all.push_back(each.database); });
    }
    for (const auto& each : all)
        each->pool().at(worker).sweep(now);
}

void database_table::forget_idle(std::chrono::steady_clock::time_point now)
{
    std::erase_if(retired_, [](slot& each) {
        if (each.database.use_count() > 1)
            return false;
        if (!std::exchange(each.closing, true))
            each.database->pool().close();
        return each.database->pool().open() == 0;
    });
    for (auto at = slots_.begin(); at != slots_.end();) {
        slot& each = at->second;
        if (!each.forgettable) {
            ++at;
            continue;
        }
        if (each.database.use_count() > 1)
            each.used = now;
        const bool stale = now - each.used >= or_for_ever(each.database->settings().idle_timeout);
        if (stale && !each.closing) {
            each.closing = true;
            each.database->pool().close();
        }
        at = each.closing && each.database->pool().open() == 0 ? slots_.erase(at) : std::next(at);
    }
}

std::vector<std::shared_ptr<relay_database>> database_table::all() const
{
    const std::scoped_lock lock(mutex_);
    std::vector<std::shared_ptr<relay_database>> found;
    for (const auto& [key, each] : slots_)
        found.push_back(each.database);
    return found;
}

void database_table::close_all()
{
    const std::scoped_lock lock(mutex_);
    each_slot([](const slot& each) { each.database->pool().close(); });
}

void database_table::for_each(
    const std::function<void(const std::string&, relay_database&)>& look) const
{
    const std::scoped_lock lock(mutex_);
    each_slot([&](const slot& each) { look(each.from.name, *each.database); });
}

std::set<std::string> database_table::names() const
{
    std::set<std::string> all;
    for_each([&](const std::string& name, relay_database&) { all.insert(name); });
    return all;
}

std::size_t database_table::open_backends() const
{
    const std::scoped_lock lock(mutex_);
    std::size_t open = 0;
    each_slot([&](const slot& each) { open += each.database->pool().open(); });
    return open;
}

}  // namespace sluice::gateway
