// gateway/sqlite_files.cpp: opening and closing the SQLite files.
#include "gateway/sqlite_files.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "gateway/translate/translated_texts.hpp"

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

sqlite_files::sqlite_files() = default;
sqlite_files::~sqlite_files() = default;

std::string sqlite_files::open(const config& settings, bool after_another)
{
    sqlite::database::limit_memory(static_cast<std::int64_t>(settings.gateway.sqlite_memory));
    for (const auto& [name, entry] : settings.databases) {
        if (entry.engine != engine::sqlite)
            continue;
        sqlite::sql_error why;
        auto options = options_of(entry);
        options.after_another = after_another;
        auto opened = sqlite::database::open(options, why);
        if (!opened)
            return "databases." + name + ".file = \"" + entry.sqlite.file + "\": " + why.message;
        files_[name] = std::move(opened);
    }
    return {};
}

sqlite_files::file_map sqlite_files::all() const
{
    const std::scoped_lock lock(mutex_);
    return files_;
}

std::string sqlite_files::share()
{
    {
        const std::scoped_lock lock(mutex_);
        if (reloading_)
            return "a reload is under way; try again";
        if (std::exchange(sharing_, true))
            return "another process is taking over";
    }
    auto why_not = share_all();
    if (!why_not.empty())
        stop_sharing();
    return why_not;
}

std::string sqlite_files::share_all()
{
    const auto files = all();
    for (const auto& [name, file] : files) {
        if (file->exclusive())
            return "databases." + name +
                   ".exclusive = true: no other process may open the file, so it cannot be handed "
                   "over; stop this process, then start the other";
    }
    for (const auto& [name, file] : files) {
        if (!file->share())
            return "databases." + name +
                   ": the process before that one still has clients, and this file; try again when "
                   "it has ended (after gateway.drain_timeout at the latest)";
    }
    return {};
}

void sqlite_files::stop_sharing()
{
    for (const auto& [name, file] : all())
        file->stop_sharing();
    const std::scoped_lock lock(mutex_);
    sharing_ = false;
}

std::string sqlite_files::prepare(const config& settings)
{
    {
        const std::scoped_lock lock(mutex_);
        if (sharing_)
            return "another process is taking over: it reads the file by itself";
        reloading_ = true;
    }
    file_map opened;
    for (const auto& [name, entry] : settings.databases) {
        if (entry.engine != engine::sqlite || find(name))
            continue;
        sqlite::sql_error why;
        auto file = sqlite::database::open(options_of(entry), why);
        if (!file)
            return "databases." + name + ".file = \"" + entry.sqlite.file + "\": " + why.message;
        opened[name] = std::move(file);
    }
    const std::scoped_lock lock(mutex_);
    prepared_ = std::move(opened);
    return {};
}

void sqlite_files::forget_prepared()
{
    file_map gone;
    const std::scoped_lock lock(mutex_);
    reloading_ = false;
    gone.swap(prepared_);
}

std::map<std::string, std::shared_ptr<sqlite::database>> sqlite_files::commit(
    const config& settings)
{
    sqlite::database::limit_memory(static_cast<std::int64_t>(settings.gateway.sqlite_memory));
    file_map removed;
    const std::scoped_lock lock(mutex_);
    for (auto at = files_.begin(); at != files_.end();) {
        const auto found = settings.databases.find(at->first);
        if (found != settings.databases.end() && found->second.engine == engine::sqlite)
            ++at;
        else
            removed.insert(files_.extract(at++));
    }
    files_.merge(prepared_);
    prepared_.clear();
    for (const auto& [name, file] : files_)
        admit_one(name, settings.databases.at(name));
    reloading_ = false;
    return removed;
}

std::shared_ptr<sqlite::database> sqlite_files::find(const std::string& name) const
{
    const std::scoped_lock lock(mutex_);
    const auto found = files_.find(name);
    return found == files_.end() ? nullptr : found->second;
}

std::shared_ptr<live_limits> sqlite_files::limits(const std::string& name) const
{
    const std::scoped_lock lock(mutex_);
    const auto found = limits_.find(name);
    return found == limits_.end() ? nullptr : found->second;
}

void sqlite_files::admit(const config& settings,
                         std::vector<asio::io_context*> loops,
                         std::shared_ptr<pool::scheduler> lock)
{
    const std::scoped_lock held(mutex_);
    loops_ = std::move(loops);
    lock_ = std::move(lock);
    while (texts_.size() < loops_.size())
        texts_.push_back(std::make_unique<translated_texts>());
    for (const auto& [name, file] : files_)
        admit_one(name, settings.databases.at(name));
}

void sqlite_files::admit_one(const std::string& name, const database& entry)
{
    auto& limits = limits_[name];
    if (!limits)
        limits = std::make_shared<live_limits>();
    limits->set(entry.statement_timeout, entry.transaction_timeout, entry.idle_transaction_timeout);
    pool::dispatcher::bounds within;
    if (entry.pool.max_queued > 0)
        within.max_queued = static_cast<std::size_t>(entry.pool.max_queued);
    within.queue_timeout = entry.pool.queue_timeout.count() > 0 ? entry.pool.queue_timeout
                                                                : std::chrono::hours(24 * 365);
    if (auto& made = places_[name])
        made->line().set_bounds(within);
    else
        made = pool::admission::create(places, within, loops_, lock_);
}

translated_texts* sqlite_files::texts_of(std::size_t worker) const
{
    const std::scoped_lock lock(mutex_);
    return worker < texts_.size() ? texts_[worker].get() : nullptr;
}

sqlite_files::places_map sqlite_files::all_places() const
{
    const std::scoped_lock lock(mutex_);
    return places_;
}

std::shared_ptr<pool::admission> sqlite_files::places_of(const std::string& name) const
{
    const std::scoped_lock lock(mutex_);
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : found->second;
}

void sqlite_files::for_each_places(
    const std::function<void(const std::string&, pool::admission&)>& look) const
{
    for (const auto& [name, each] : all_places())
        look(name, *each);
}

void sqlite_files::sweep(std::size_t worker, std::chrono::steady_clock::time_point now)
{
    for (const auto& [name, each] : all_places())
        each->sweep(worker, now);
}

void sqlite_files::close(std::chrono::milliseconds grace)
{
    for (const auto& [name, file] : all())
        file->close(grace);
    for (const auto& [name, each] : all_places())
        each->stop();
}

}  // namespace sluice::gateway
