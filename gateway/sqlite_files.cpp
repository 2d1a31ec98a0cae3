// gateway/sqlite_files.cpp: opening and closing the SQLite files.
#include "gateway/sqlite_files.hpp"

#include <algorithm>
#include <limits>

namespace sluice::gateway {
namespace {

// Statements that a file works on at once: enough for writes to share their flushes, few enough for
// a tenant's share to be felt.
constexpr std::size_t places = 128;

int as_int(std::size_t bytes)
{
    return static_cast<int>(std::min<std::size_t>(bytes, std::numeric_limits<std::int32_t>::max()));
}

sqlite::options options_of(const database& entry)
{
    sqlite::options options;
    options.path = entry.sqlite.file;
    options.readers = entry.sqlite.readers;
    options.read_only = entry.sqlite.readonly;
    options.create = entry.sqlite.create;
    options.durable = entry.sqlite.durability == sqlite_durability::full
                          ? sqlite::durability::full
                          : sqlite::durability::normal;
    options.group_commit = entry.sqlite.group_commit;
    options.exclusive = entry.sqlite.exclusive;
    options.idle_transaction_timeout = entry.idle_transaction_timeout;
    options.queue_timeout = entry.pool.queue_timeout;
    if (entry.pool.max_queued > 0)
        options.max_queued = static_cast<std::size_t>(entry.pool.max_queued);
    options.file_bytes_max = static_cast<std::int64_t>(entry.sqlite.max_size);
    options.value_bytes_max = as_int(entry.sqlite.max_value);
    options.sql_bytes_max = as_int(entry.sqlite.max_sql);
    return options;
}

}  // namespace

std::string sqlite_files::open(const config& settings)
{
    sqlite::database::limit_memory(static_cast<std::int64_t>(settings.gateway.sqlite_memory));
    for (const auto& [name, entry] : settings.databases) {
        if (entry.engine != engine::sqlite)
            continue;
        sqlite::sql_error why;
        auto opened = sqlite::database::open(options_of(entry), why);
        if (!opened)
            return "databases." + name + ".file = \"" + entry.sqlite.file + "\": " + why.message;
        files_[name] = std::move(opened);
        limits_[name] = std::make_shared<live_limits>(
            entry.statement_timeout, entry.transaction_timeout, entry.idle_transaction_timeout);
    }
    return {};
}

std::shared_ptr<sqlite::database> sqlite_files::find(const std::string& name) const
{
    const auto found = files_.find(name);
    return found == files_.end() ? nullptr : found->second;
}

std::shared_ptr<live_limits> sqlite_files::limits(const std::string& name) const
{
    const auto found = limits_.find(name);
    return found == limits_.end() ? nullptr : found->second;
}

void sqlite_files::admit(const config& settings,
                         const std::vector<asio::io_context*>& loops,
                         const std::shared_ptr<pool::scheduler>& lock)
{
    for (const auto& [name, file] : files_) {
        const auto& pool = settings.find_database(name)->pool;
        pool::dispatcher::bounds within;
        if (pool.max_queued > 0)
            within.max_queued = static_cast<std::size_t>(pool.max_queued);
        within.queue_timeout =
            pool.queue_timeout.count() > 0 ? pool.queue_timeout : std::chrono::hours(24 * 365);
        places_[name] = pool::admission::create(places, within, loops, lock);
    }
}

std::shared_ptr<pool::admission> sqlite_files::places_of(const std::string& name) const
{
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : found->second;
}

void sqlite_files::for_each_places(
    const std::function<void(const std::string&, pool::admission&)>& look) const
{
    for (const auto& [name, each] : places_)
        look(name, *each);
}

void sqlite_files::sweep(std::size_t worker, std::chrono::steady_clock::time_point now)
{
    for (const auto& [name, each] : places_)
        each->sweep(worker, now);
}

void sqlite_files::close(std::chrono::milliseconds grace)
{
    for (auto& [name, file] : files_)
        file->close(grace);
    for (auto& [name, each] : places_)
        each->stop();
}

}  // namespace sluice::gateway
