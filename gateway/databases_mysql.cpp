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
    const auto make = [&] {
        auto connect = rules.mysql_backends.options_for(entry, name, who, capabilities);
        auto made = std::make_shared<my_database>(entry, mode, connect.database);
        my_link_options options;
        options.max_prepared = static_cast<std::size_t>(entry.pool.max_prepared);
        options.cancel_timeout = entry.pool.cancel_timeout;
        options.probe_timeout = entry.pool.connect_timeout;
        auto source = std::make_unique<my_opener>(
            shared_, std::move(connect), entry.pool.connect_timeout, options);
        const std::string label = backend_user.empty() ? name : name + "/" + backend_user;
        auto& counted = shared_.counts.pool(label, name, "mysql", backend_user);
        made->set_counted_in(counted);
        source->count_in(counted);
        made->set_pool(pool::shared_pool::create(
            label, limits_of(entry.pool), std::move(source), loops(), shared_.scheduling));
        return made;
    };
    // The names of a gateway's databases are unique, so this one's engine is MySQL.
    return std::static_pointer_cast<my_database>(find_or_make(key, entry.name == "*", make));
}

}  // namespace sluice::gateway
