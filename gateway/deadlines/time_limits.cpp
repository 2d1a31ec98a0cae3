// gateway/deadlines/time_limits.cpp: the smaller limit wins, and says whose it is.
#include "gateway/deadlines/time_limits.hpp"

#include <algorithm>

#include "gateway/tenants/table.hpp"

namespace sluice::gateway {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, time_limit_count> settings{
    "statement_timeout", "transaction_timeout", "idle_transaction_timeout"};
constexpr std::array<time_limit, time_limit_count> all{
    time_limit::statement, time_limit::transaction, time_limit::idle_transaction};

milliseconds limit_of(const pool::tenant_limits& limits, time_limit which) noexcept
{
    switch (which) {
        case time_limit::statement:
            return limits.statement_timeout;
        case time_limit::transaction:
            return limits.transaction_timeout;
        case time_limit::idle_transaction:
            break;
    }
    return limits.idle_transaction_timeout;
}

}  // namespace

const std::string_view after_timeout_hint =
    "Roll back and run the transaction again, or raise the limit.";

client_limits_in_force::limit client_limits_in_force::get(time_limit which) const noexcept
{
    const auto database = database_ ? database_->get(which) : milliseconds(0);
    const auto tenant = tenant_ ? limit_of(tenant_->limits(), which) : milliseconds(0);
    if (tenant.count() > 0 && (database.count() == 0 || tenant < database))
        return {tenant, true};
    return {database, false};
}

milliseconds client_limits_in_force::smallest() const noexcept
{
    milliseconds least{0};
    for (const auto which : all) {
        const auto value = get(which).value;
        if (value.count() > 0 && (least.count() == 0 || value < least))
            least = value;
    }
    return least;
}

std::string client_limits_in_force::message(time_limit which) const
{
    const auto found = get(which);
    std::string text(rule_for(error_of(which)).message);
    text += " (";
    if (found.tenants) {
        const auto section = tenants_->section_of(tenant_->name());
        text.append(section, 1, section.size() - 2);  // without brackets
    } else {
        text += "databases." + database_name_;
    }
    text += ".";
    text += settings[static_cast<std::size_t>(which)];
    text += " = ";
    text += std::to_string(found.value.count());
    text += " ms)";
    return text;
}

client_error error_of(time_limit which) noexcept
{
    switch (which) {
        case time_limit::statement:
            return client_error::statement_timeout;
        case time_limit::transaction:
            return client_error::transaction_timeout;
        case time_limit::idle_transaction:
            break;
    }
    return client_error::idle_transaction_timeout;
}

std::optional<time_limit> overdue(const client_stamps& stamps,
                                  const client_limits_in_force& limits,
                                  std::chrono::steady_clock::time_point now) noexcept
{
    const auto past = [&](time_limit which, client_stamps::time_point since) {
        const auto most = limits.get(which).value;
        return most.count() > 0 && now - since >= most;
    };
    if (stamps.running && past(time_limit::statement, stamps.since))
        return time_limit::statement;
    if ((stamps.running || stamps.in_transaction) &&
        past(time_limit::transaction, stamps.transaction))
        return time_limit::transaction;
    if (!stamps.running && stamps.in_transaction &&
        past(time_limit::idle_transaction, stamps.since))
        return time_limit::idle_transaction;
    return std::nullopt;
}

}  // namespace sluice::gateway
