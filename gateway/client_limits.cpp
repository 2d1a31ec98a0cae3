// gateway/client_limits.cpp: counting clients.
#include "gateway/client_limits.hpp"

namespace sluice::gateway {
namespace {

void count_down(std::unordered_map<std::string, std::size_t>& counts, const std::string& name)
{
    const auto found = counts.find(name);
    if (found != counts.end() && --found->second == 0)
        counts.erase(found);
}

}  // namespace

client_limits::ticket::~ticket()
{
    if (owner_)
        owner_->leave(database_, user_);
}

client_limits::refusal client_limits::enter(std::string_view database,
                                            std::size_t database_max,
                                            std::string_view user,
                                            std::size_t user_max,
                                            ticket& into)
{
    std::string database_name(database);
    std::string user_name(user);
    const std::scoped_lock lock(mutex_);
    const auto reached = [](const auto& counts, const std::string& name, std::size_t max) {
        const auto found = counts.find(name);
        return max > 0 && found != counts.end() && found->second >= max;
    };
    if (reached(databases_, database_name, database_max))
        return refusal::database;
    if (reached(users_, user_name, user_max))
        return refusal::user;
    ++databases_[database_name];
    ++users_[user_name];
    into = ticket(*this, std::move(database_name), std::move(user_name));
    return refusal::none;
}

void client_limits::leave(const std::string& database, const std::string& user) noexcept
{
    const std::scoped_lock lock(mutex_);
    count_down(databases_, database);
    count_down(users_, user);
}

std::size_t client_limits::clients_of_database(const std::string& name) const
{
    const std::scoped_lock lock(mutex_);
    const auto found = databases_.find(name);
    return found == databases_.end() ? 0 : found->second;
}

std::size_t client_limits::clients_of_user(const std::string& name) const
{
    const std::scoped_lock lock(mutex_);
    const auto found = users_.find(name);
    return found == users_.end() ? 0 : found->second;
}

}  // namespace sluice::gateway
