// gateway/learn_version.cpp: asks a MySQL server what it is.
#include "gateway/learn_version.hpp"

#include "gateway/context.hpp"
#include "gateway/log/log.hpp"

namespace sluice::gateway {

bool must_learn_version(const context& shared)
{
    const auto settings = shared.settings();
    if (settings->listen.mysql.empty() || shared.mysql_version.known())
        return false;
    for (const auto& [name, entry] : settings->databases) {
        if (entry.engine == engine::mysql)
            return true;
    }
    return false;
}

asio::awaitable<void> learn_mysql_version(context& shared,
                                          asio::io_context& loop,
                                          std::chrono::milliseconds timeout)
{
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const auto rules = shared.current();
    for (const auto& [name, entry] : rules->settings.databases) {
        if (entry.engine != engine::mysql || shared.mysql_version.known())
            continue;
        // Of [databases."*"] no database is known to exist: none is named.
        auto options = rules->mysql_backends.options_for(entry, {}, nullptr, 0);
        options.track_session = false;
        auto made = co_await mysql::connect(loop, shared.blocking, std::move(options), deadline);
        if (!made) {
            log::warn("the version of a MySQL server is not known yet",
                      {{"database", name}, {"why", made.message}});
            continue;
        }
        shared.mysql_version.learn(version_in_greeting(*made.connection));
        mysql::close(std::move(*made.connection));
    }
}

// MariaDB 10 puts MySQL's number first; drivers look at that as well.
std::string version_in_greeting(const mysql::opened& connection)
{
    const bool ten = connection.is_mariadb && connection.server_version.starts_with("10.");
    return (ten ? "5.5.5-" : "") + connection.server_version;
}

}  // namespace sluice::gateway
