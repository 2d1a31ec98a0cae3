// tests/unit/gateway_deadlines/time_limits_test.cpp: which limit holds, and which is over.
#include "gateway/deadlines/time_limits.hpp"

#include <gtest/gtest.h>

#include "gateway/tenants/table.hpp"

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;
using time_point = client_stamps::time_point;

struct owners {
    std::shared_ptr<live_limits> database = std::make_shared<live_limits>();
    tenants_config settings;
    tenant_table table{settings};
    client_limits_in_force both;

    explicit owners(pool::tenant_limits tenants = {})
    {
        both.set_database(database, "app");
        both.set_tenant(std::make_shared<pool::tenant>(
                            "acme", std::make_shared<const pool::tenant_limits>(tenants)),
                        table);
    }
};

TEST(TimeLimits, TheSmallerOneThatIsNotZeroWins)
{
    pool::tenant_limits tenants;
    tenants.statement_timeout = 500ms;
    owners of(tenants);
    EXPECT_EQ(of.both.get(time_limit::statement).value, 500ms);
    EXPECT_EQ(of.both.message(time_limit::statement),
              "canceling statement due to statement timeout "
              "(tenants.default.statement_timeout = 500 ms)");
    of.database->set(2s, 3s, 0ms);
    EXPECT_EQ(of.both.get(time_limit::statement).value, 500ms);
    EXPECT_EQ(of.both.get(time_limit::transaction).value, 3s);
    EXPECT_EQ(of.both.get(time_limit::idle_transaction).value, 0ms);
    EXPECT_EQ(of.both.smallest(), 500ms);
    of.database->set(200ms, 3s, 0ms);
    EXPECT_EQ(of.both.message(time_limit::statement),
              "canceling statement due to statement timeout "
              "(databases.app.statement_timeout = 200 ms)");
    EXPECT_EQ(of.both.message(time_limit::transaction),
              "transaction rolled back due to transaction timeout "
              "(databases.app.transaction_timeout = 3000 ms)");
}

TEST(TimeLimits, WithoutLimitsNothingIsOver)
{
    client_limits_in_force none;
    client_stamps stamps;
    stamps.running = stamps.in_transaction = true;
    EXPECT_FALSE(overdue(stamps, none, time_point(1000h)));
    EXPECT_EQ(none.smallest(), 0ms);
}

TEST(TimeLimits, EachCountsItsOwnTime)
{
    owners of;
    of.database->set(1s, 5s, 2s);
    const time_point now(100s);
    client_stamps stamps;
    stamps.running = true;
    stamps.since = stamps.transaction = now - 999ms;
    EXPECT_FALSE(overdue(stamps, of.both, now));
    stamps.since = now - 1s;
    EXPECT_EQ(overdue(stamps, of.both, now), time_limit::statement);
    // Within a transaction that is too old, short statements too.
    stamps.since = now;
    stamps.transaction = now - 5s;
    EXPECT_EQ(overdue(stamps, of.both, now), time_limit::transaction);
    // Idle: in a transaction only.
    stamps.running = false;
    stamps.since = now - 4s;
    stamps.transaction = now - 4s;
    EXPECT_FALSE(overdue(stamps, of.both, now));
    stamps.in_transaction = true;
    EXPECT_EQ(overdue(stamps, of.both, now), time_limit::idle_transaction);
    stamps.since = now - 1900ms;
    EXPECT_FALSE(overdue(stamps, of.both, now));
    stamps.transaction = now - 5s;
    EXPECT_EQ(overdue(stamps, of.both, now), time_limit::transaction);
}

}  // namespace
}  // namespace sluice::gateway
