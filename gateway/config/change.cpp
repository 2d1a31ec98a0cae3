// gateway/config/change.cpp: one setting of a loaded configuration changed by its name.
#include "gateway/config/change.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gateway/config/diff.hpp"
#include "gateway/config/keys.hpp"
#include "gateway/config/near.hpp"
#include "gateway/config/sections.hpp"

namespace sluice::gateway {
namespace {

constexpr std::string_view by_file = "Change it in the configuration's file and say RELOAD.";

// PgBouncer's settings that are called something else here (pgbouncer.5), and ours that people
// leave the section out of.
constexpr std::pair<std::string_view, std::string_view> known_as[] = {
    {"default_pool_size", "databases.NAME.pool.size"},
    {"max_db_connections", "databases.NAME.pool.size"},
    {"min_pool_size", "databases.NAME.pool.min"},
    {"pool_mode", "databases.NAME.pool.mode"},
    {"query_wait_timeout", "databases.NAME.pool.queue_timeout"},
    {"server_idle_timeout", "databases.NAME.pool.idle_timeout"},
    {"server_lifetime", "databases.NAME.pool.lifetime"},
    {"server_connect_timeout", "databases.NAME.pool.connect_timeout"},
    {"server_check_delay", "databases.NAME.pool.probe_after"},
    {"max_prepared_statements", "databases.NAME.pool.max_prepared"},
    {"query_timeout", "databases.NAME.statement_timeout"},
    {"statement_timeout", "databases.NAME.statement_timeout"},
    {"transaction_timeout", "databases.NAME.transaction_timeout"},
    {"idle_transaction_timeout", "databases.NAME.idle_transaction_timeout"},
    {"queue_timeout", "databases.NAME.pool.queue_timeout or tenants.NAME.queue_timeout"},
    {"max_user_connections", "users.NAME.max_clients"},
    {"max_client_conn", "gateway.max_clients"},
    {"client_login_timeout", "gateway.login_timeout"},
    {"verbose", "gateway.log.level"},
};

struct place {
    std::string_view section;  // as all_keys() has it
    void* values = nullptr;    // of the section
    std::string key;
    database* of = nullptr;  // the database that it belongs to
};

constexpr std::string_view changed_sections[] = {"gateway",
                                                 "gateway.tcp_keepalive",
                                                 "gateway.log",
                                                 "databases.NAME",
                                                 "databases.NAME (sqlite)",
                                                 "databases.NAME.pool",
                                                 "users.NAME",
                                                 "tenants",
                                                 "tenants.NAME"};

const key* find_key(std::string_view section, std::string_view name)
{
    for (const auto& each : keys_of(section)) {
        if (each.name == name)
            return &each;
    }
    return nullptr;
}

template <class Map>
change_refused unknown_name(std::string_view section, const std::string& name, const Map& in)
{
    std::vector<std::string_view> names;
    for (const auto& [each, entry] : in)
        names.push_back(each);
    return {"there is no [" + std::string(section) + "." + name + "]" + did_you_mean(name, names),
            "Names with dots, dashes or blanks go in double quotes."};
}

change_refused unknown(const setting& wanted)
{
    for (const auto& [theirs, ours] : known_as) {
        if (wanted.path.size() == 1 && wanted.path.front() == theirs)
            return {"\"" + wanted.name() + "\" is " + std::string(ours) + " here",
                    "SET names a setting by its place in the configuration's file."};
    }
    return {"there is no setting \"" + wanted.name() + "\"",
            "SHOW CONFIG lists the settings, and which of them can be changed."};
}

class finder {
public:
    finder(config& in, const setting& wanted) : in_(in), wanted_(wanted), path_(wanted.path) {}

    place found;
    change_refused refused;

    bool find()
    {
        const auto& first = path_.empty() ? std::string() : path_.front();
        if (path_.size() == 1)
            return of_the_process(first);
        if (first == "gateway" || first == "log")
            return gateway(first == "log" ? 0 : 1);
        if (first == "databases" && path_.size() > 2)
            return of_database();
        if (first == "users" && path_.size() == 3)
            return of_user();
        if (first == "tenants")
            return of_tenant();
        if (first == "listen" || first == "auth") {
            refused = {"\"" + wanted_.name() + "\" cannot be changed here", std::string(by_file)};
            return false;
        }
        refused = unknown(wanted_);
        return false;
    }

private:
    bool at(std::string_view section, void* values, const std::string& key)
    {
        found.section = section;
        found.values = values;
        found.key = key;
        if (find_key(section, key))
            return true;
        std::vector<std::string_view> names;
        for (const auto& each : keys_of(section))
            names.push_back(each.name);
        refused = unknown(wanted_);
        refused.message += did_you_mean(key, names);
        return false;
    }
    // One word alone: a setting of the whole process.
    bool of_the_process(const std::string& key)
    {
        if (key == "log_level")
            return at("gateway.log", &in_.gateway.log, "level");
        if (find_key("gateway", key))
            return at("gateway", &in_.gateway, key);
        if (find_key("gateway.log", key))
            return at("gateway.log", &in_.gateway.log, key);
        refused = unknown(wanted_);
        return false;
    }
    bool gateway(std::size_t from)
    {
        const auto left = path_.size() - from;
        const auto& key = path_.back();
        if (left == 1)
            return at("gateway", &in_.gateway, key);
        if (left == 2 && path_[from] == "log")
            return at("gateway.log", &in_.gateway.log, key);
        if (left == 2 && path_[from] == "tcp_keepalive")
            return at("gateway.tcp_keepalive", &in_.gateway.tcp_keepalive, key);
        refused = unknown(wanted_);
        return false;
    }
    bool of_database()
    {
        const auto named = in_.databases.find(path_[1]);
        if (named == in_.databases.end()) {
            refused = unknown_name("databases", path_[1], in_.databases);
            return false;
        }
        database& entry = named->second;
        found.of = &entry;
        const auto& key = path_.back();
        if (path_.size() == 4 && path_[2] == "pool")
            return at("databases.NAME.pool", &entry.pool, key);
        if (path_.size() == 3 && entry.engine == engine::sqlite &&
            find_key("databases.NAME (sqlite)", key))
            return at("databases.NAME (sqlite)", &entry.sqlite, key);
        if (path_.size() == 3)
            return at("databases.NAME", &entry, key);
        refused = unknown(wanted_);
        return false;
    }
    bool of_user()
    {
        const auto named = in_.users.find(path_[1]);
        if (named != in_.users.end())
            return at("users.NAME", &named->second, path_[2]);
        refused = unknown_name("users", path_[1], in_.users);
        return false;
    }
    bool of_tenant()
    {
        if (path_.size() == 2)
            return at("tenants", &in_.tenants, path_[1]);
        if (path_.size() == 3 && find_key("tenants.NAME", path_[2])) {
            // A tenant without a table has the limits of the default's: it gets a table with those.
            const auto usual = in_.tenants.named.find("default");
            tenant fresh = usual == in_.tenants.named.end() ? tenant() : usual->second;
            fresh.name = path_[1];
            auto& entry = in_.tenants.named.try_emplace(path_[1], std::move(fresh)).first->second;
            return at("tenants.NAME", &entry, path_[2]);
        }
        refused = unknown(wanted_);
        return false;
    }

    config& in_;
    const setting& wanted_;
    const std::vector<std::string>& path_;
};

template <class Number>
bool whole(const std::string& text, Number& into)
{
    const char* last = text.data() + text.size();
    const auto [end, ec] = std::from_chars(text.data(), last, into);
    return ec == std::errc{} && end == last && !text.empty();
}

// What the file's reader would have made of it.
node node_of(const key& wanted, const std::string& value)
{
    node made;
    made.at.file = std::make_shared<const std::string>("SET");
    made.text = value;
    made.written = value;
    made.kind = node_kind::text;
    switch (wanted.type) {
        case key_type::boolean:
            for (const std::string_view yes : {"true", "on", "yes", "1"})
                made.boolean = made.boolean || value == yes;
            for (const std::string_view word :
                 {"true", "on", "yes", "1", "false", "off", "no", "0"})
                made.kind = value == word ? node_kind::boolean : made.kind;
            break;
        case key_type::real:
        case key_type::integer:
        case key_type::time:
        case key_type::size:
            if (whole(value, made.integer))
                made.kind = node_kind::integer;
            else if (wanted.type == key_type::real && whole(value, made.real))
                made.kind = node_kind::real;
            break;
        default:
            break;
    }
    return made;
}

change_refused store(const place& where, const key& wanted, const std::string& value)
{
    pool_config* pool = where.section == "databases.NAME.pool" ? &where.of->pool : nullptr;
    if (pool && wanted.name == "size" && value == "auto") {
        pool->find_size = true;
    } else {
        problems found;
        const auto made = read_scalar(wanted, node_of(wanted, value), found);
        if (!made)
            return {found.error_texts().front(), {}};
        wanted.store(where.values, *made);
        if (pool && wanted.name == "size")
            pool->find_size = false;
        if (pool && wanted.name == "max" && !pool->find_size)
            return {std::string(pool_max_alone), {}};
    }
    if (!pool)
        return {};
    if (pool->find_size)
        pool->size = pool->max;
    return {pool->min > pool->size ? pool_min_too_large(*pool) : std::string(), {}};
}

}  // namespace

std::string setting::name() const
{
    std::string all;
    for (const auto& each : path)
        all += (all.empty() ? "" : ".") + each;
    return all;
}

takes_effect effect_of(std::string_view section, const key& which, engine of)
{
    const bool file = of == engine::sqlite &&
                      (section == "databases.NAME (sqlite)" || section == "databases.NAME.pool");
    if (file || needs_restart(section, which.name))
        return takes_effect::by_restart;
    const bool known =
        std::find(std::begin(changed_sections), std::end(changed_sections), section) !=
        std::end(changed_sections);
    const bool plain = which.store && which.type != key_type::text && which.type != key_type::path;
    return known && plain ? takes_effect::by_set : takes_effect::by_reload;
}

change_refused change(config& in, const setting& wanted)
{
    config made = in;
    finder look(made, wanted);
    if (!look.find())
        return look.refused;
    const auto& where = look.found;
    const key& which = *find_key(where.section, where.key);
    switch (effect_of(where.section, which, where.of ? where.of->engine : engine::postgres)) {
        case takes_effect::by_restart:
            return {"\"" + wanted.name() + "\" cannot be changed without a restart",
                    "Change it in the configuration's file and restart; sluice --takeover does so "
                    "without dropping anybody."};
        case takes_effect::by_reload:
            return {"\"" + wanted.name() + "\" cannot be changed here", std::string(by_file)};
        case takes_effect::by_set:
            break;
    }
    if (auto why = store(where, which, wanted.value); !why.message.empty())
        return why;
    in = std::move(made);
    return {};
}

}  // namespace sluice::gateway
