// gateway/databases_mysql.cpp: the pools of MySQL and MariaDB servers.
#include "gateway/context.hpp"
#include "gateway/databases.hpp"
#include "gateway/relay/my_opener.hpp"

namespace sluice::gateway {

std::shared_ptr<my_database> database_table::mysql(const generation& rules,
                                                   const database& entry,
                                                   const std::string& name,
                                                   const user* who,
                                                   std::uint32_t capabilities)
{
    const auto mode = who && who->pool_mode ? *who->pool_mode : entry.pool.mode;
    const std::string backend_user = who ? who->backend_user : std::string();
    // A zero byte is in no name.
    std::string key = name;
    key += '\0';
    key += backend_user;
    key += '\0';
    key += std::to_string(static_cast<int>(mode));
    key += '\0';
    key += std::to_string(capabilities & my_pool_flags);
    const auto plan_of = [name, capabilities](
                             const generation& by, const database& of, const user* as) {
        my_opener::plan plan;
        plan.connect = by.mysql_backends.options_for(of, name, as, capabilities);
        plan.timeout = of.pool.connect_timeout;
        plan.options.max_prepared = static_cast<std::size_t>(of.pool.max_prepared);
        plan.options.cancel_timeout = of.pool.cancel_timeout;
        plan.options.probe_timeout = of.pool.connect_timeout;
        return plan;
    };
    const auto make = [&](origin& from) {
        auto plan = plan_of(rules, entry, who);
        auto made = std::make_shared<my_database>(entry, mode, plan.connect.database);
        auto source = std::make_unique<my_opener>(shared_, std::move(plan));
        from.change = [opener = source.get(), plan_of](
                          const generation& by, const database& of, const user* as) {
            opener->change(plan_of(by, of, as));
        };
        const std::string label = backend_user.empty() ? name : name + "/" + backend_user;
        auto& counted = shared_.counts.pool(label, name, "mysql", backend_user);
        made->set_counted_in(counted);
        source->count_in(counted);
        made->set_pool(pool::shared_pool::create(
            label, limits_of(entry.pool), std::move(source), loops(), shared_.scheduling));
        return made;
    };
    // The names of a gateway's databases are unique, so this one's engine is MySQL.
    return std::static_pointer_cast<my_database>(find_or_make(key, entry, name, who, make));
}

}  // namespace sluice::gateway
