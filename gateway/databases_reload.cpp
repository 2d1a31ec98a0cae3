// gateway/databases_reload.cpp: what a reload means for the pools that are there.
#include <algorithm>

#include "gateway/config/diff.hpp"
#include "gateway/databases.hpp"
#include "gateway/generation.hpp"

namespace sluice::gateway {
namespace {

// The clients' sessions begin in these; there is no telling them that they changed.
bool is_another_database(const database& before, const database& after)
{
    if (before.name != after.name || before.engine != after.engine)
        return true;
    return before.engine == engine::mysql && (before.mysql.dbname != after.mysql.dbname ||
                                              before.mysql.charset != after.mysql.charset);
}

// A user for whom the gateway logs in as `backend_user`; null: none.
const user* user_behind(const config& settings, const std::string& backend_user)
{
    const auto found =
        std::find_if(settings.users.begin(), settings.users.end(), [&](const auto& each) {
            return each.second.backend_user == backend_user;
        });
    return found == settings.users.end() ? nullptr : &found->second;
}

bool mode_is_used(const config& settings, const database& entry, pool_mode mode)
{
    return entry.pool.mode == mode ||
           std::any_of(settings.users.begin(), settings.users.end(), [&](const auto& each) {
               return each.second.pool_mode == mode;
           });
}

}  // namespace

std::set<std::string> database_table::apply(const generation& rules)
{
    std::set<std::string> to_leave;
    const std::scoped_lock lock(mutex_);
    for (auto at = slots_.begin(); at != slots_.end();) {
        slot& each = at->second;
        if (each.closing || update(rules, each)) {
            ++at;
            continue;
        }
        to_leave.insert(each.from.name);
        retired_.push_back(std::move(each));
        at = slots_.erase(at);
    }
    return to_leave;
}

// False: it is to be retired.
bool database_table::update(const generation& rules, slot& each)
{
    origin& from = each.from;
    const database* now = rules.settings.find_database(from.name);
    if (!now || is_another_database(from.entry, *now))
        return false;
    const user* who = nullptr;
    if (!from.backend_user.empty())
        who = user_behind(rules.settings, from.backend_user);
    // Nobody comes to it any more; who is there may stay.
    if ((!from.backend_user.empty() && !who) || !mode_is_used(rules.settings, *now, from.mode)) {
        each.forgettable = true;
        return true;
    }
    each.forgettable = now->name == "*";
    const bool other_password = who && !(who->backend_password == from.backend_password);
    const bool reconnect = other_password || connects_differently(from.entry, *now);
    // Also what only new connections see: files of certificates may have been replaced.
    from.change(rules, *now, who);
    const bool other_limits = !(each.database->settings() == now->pool);
    each.database->set_settings(*now);
    if (other_limits)
        each.database->pool().set_limits(limits_of(now->pool));
    if (reconnect)
        each.database->pool().reconnect();
    from.entry = *now;
    if (who)
        from.backend_password = who->backend_password;
    return true;
}

}  // namespace sluice::gateway
