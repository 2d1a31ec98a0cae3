// One setting changed by its name.
#include "gateway/config/change.hpp"

#include <gtest/gtest.h>

#include "gateway/config/diff.hpp"
#include "gateway/config/keys.hpp"

namespace sluice::gateway {
namespace {

config example()
{
    config made;
    database app;
    app.name = "app";
    made.databases["app"] = app;
    app.name = "my.app-1";
    made.databases["my.app-1"] = app;
    database notes;
    notes.name = "notes";
    notes.engine = engine::sqlite;
    made.databases["notes"] = notes;
    made.users["alice"].name = "alice";
    tenant usual;
    usual.name = "default";
    usual.max_queued = 7;
    usual.weight = 3;
    made.tenants.named["default"] = usual;
    return made;
}

struct outcome {
    config after;
    change_refused refused;
    std::string changes;  // as a reload says them
};

outcome set(std::vector<std::string> path, std::string value, config before = example())
{
    outcome made;
    made.after = before;
    made.refused = change(made.after, {std::move(path), std::move(value)});
    for (const auto& each : differences(before, made.after))
        made.changes += (made.changes.empty() ? "" : "; ") + each.text;
    return made;
}

TEST(ChangeOfASetting, EveryKindOfValueInEverySection)
{
    const struct {
        std::vector<std::string> path;
        const char* value;
        const char* change;
    } rows[] = {
        {{"gateway", "max_clients"}, "500", "gateway.max_clients: 10000 \u2192 500"},
        {{"max_clients"}, "500", "gateway.max_clients: 10000 \u2192 500"},
        {{"gateway", "max_message"}, "64KiB", "gateway.max_message: 1GiB \u2192 64KiB"},
        {{"drain_timeout"}, "5s", "gateway.drain_timeout: 30s \u2192 5s"},
        {{"gateway", "tcp_keepalive", "enabled"},
         "off",
         "gateway.tcp_keepalive.enabled: true \u2192 false"},
        {{"log_level"}, "debug", "gateway.log.level: info \u2192 debug"},
        {{"log", "level"}, "debug", "gateway.log.level: info \u2192 debug"},
        {{"slow_statement"}, "500ms", "gateway.log.slow_statement: 0s \u2192 500ms"},
        {{"databases", "app", "statement_timeout"},
         "2s",
         "databases.app.statement_timeout: 0s \u2192 2s"},
        {{"databases", "app", "pool", "size"}, "30", "databases.app.pool.size: 20 \u2192 30"},
        {{"databases", "my.app-1", "pool", "queue_timeout"},
         "1m",
         "databases.my.app-1.pool.queue_timeout: 30s \u2192 1m"},
        {{"databases", "app", "pool", "mode"},
         "session",
         "databases.app.pool.mode: transaction \u2192 session"},
        {{"databases", "app", "pool", "multiplex"},
         "false",
         "databases.app.pool.multiplex: true \u2192 false"},
        {{"databases", "notes", "statement_timeout"},
         "3s",
         "databases.notes.statement_timeout: 0s \u2192 3s"},
        {{"users", "alice", "max_clients"}, "5", "users.alice.max_clients: 0 \u2192 5"},
        {{"tenants", "default", "max_rate"}, "2.5", "tenants.default.max_rate: 0 \u2192 2.5"},
        {{"tenants", "default", "max_rate"}, "10", "tenants.default.max_rate: 0 \u2192 10"},
        {{"tenants", "default", "priority"},
         "high",
         "tenants.default.priority: normal \u2192 high"},
    };
    for (const auto& each : rows) {
        const auto made = set(each.path, each.value);
        EXPECT_EQ(made.refused.message, "") << each.change;
        EXPECT_EQ(made.changes, each.change);
    }
}

TEST(ChangeOfASetting, APoolMayFindItsSizeAndStop)
{
    auto made = set({"databases", "app", "pool", "size"}, "auto");
    EXPECT_EQ(made.changes, "databases.app.pool.size: 20 \u2192 auto");
    EXPECT_EQ(made.after.databases["app"].pool.size, 40);
    made = set({"databases", "app", "pool", "max"}, "60", made.after);
    EXPECT_EQ(made.after.databases["app"].pool.size, 60);
    made = set({"databases", "app", "pool", "size"}, "10", made.after);
    EXPECT_FALSE(made.after.databases["app"].pool.find_size);
    EXPECT_EQ(made.after.databases["app"].pool.size, 10);
}

TEST(ChangeOfASetting, ATenantWithoutATableGetsTheDefaultsLimits)
{
    auto made = set({"tenants", "acme", "max_rate"}, "50");
    EXPECT_EQ(made.refused.message, "");
    const auto& acme = made.after.tenants.named["acme"];
    EXPECT_EQ(acme.name, "acme");
    EXPECT_EQ(acme.max_rate, 50);
    EXPECT_EQ(acme.max_queued, 7);
    EXPECT_EQ(acme.weight, 3);
}

TEST(ChangeOfASetting, WhatIsWrongIsSaidAndChangesNothing)
{
    const struct {
        std::vector<std::string> path;
        const char* value;
        const char* message;
        const char* hint;
    } rows[] = {
        {{"databases", "app", "pool", "size"}, "0", "an integer from 1 to 10000", ""},
        {{"databases", "app", "pool", "size"}, "many", "size = \"many\" is not valid", ""},
        {{"databases", "app", "pool", "min"}, "21", "pool.min = 21 is more than pool.size", ""},
        {{"databases", "app", "pool", "max"}, "50", "pool.max is for", ""},
        {{"databases", "app", "pool", "queue_timeout"}, "10", "queue_timeout = 10", ""},
        {{"databases", "app", "pool", "sise"}, "3", "did you mean \"size\"", ""},
        {{"databases", "ap", "pool", "size"}, "3", "did you mean \"app\"", ""},
        {{"databases", "app", "host"}, "db2", "cannot be changed here", "RELOAD"},
        {{"databases", "app", "password"}, "x", "cannot be changed here", "RELOAD"},
        {{"databases", "app"}, "x", "there is no setting", "SHOW CONFIG"},
        {{"databases", "notes", "readers"}, "8", "without a restart", "restart"},
        {{"databases", "notes", "pool", "max_queued"}, "8", "without a restart", "restart"},
        {{"gateway", "workers"}, "3", "without a restart", "--takeover"},
        {{"gateway", "log", "queue"}, "100", "without a restart", "--takeover"},
        {{"gateway", "log", "file"}, "/tmp/x", "cannot be changed here", "RELOAD"},
        {{"gateway", "log", "level"}, "loud", "level = \"loud\"", ""},
        {{"gateway", "tcp_keepalive", "enabled"}, "maybe", "true or false", ""},
        {{"listen", "postgres"}, "x", "cannot be changed here", "RELOAD"},
        {{"listen", "backlog"}, "5", "cannot be changed here", "RELOAD"},
        {{"users", "bob", "max_clients"}, "5", "there is no [users.bob]", ""},
        {{"users", "alice", "password"}, "x", "cannot be changed here", "RELOAD"},
        {{"tenants", "acme", "size"}, "5", "there is no setting", ""},
        {{"default_pool_size"}, "5", "databases.NAME.pool.size", ""},
        {{"query_wait_timeout"}, "5", "databases.NAME.pool.queue_timeout", ""},
        {{"nothing"}, "5", "there is no setting \"nothing\"", "SHOW CONFIG"},
        {{}, "5", "there is no setting", ""},
    };
    for (const auto& each : rows) {
        const auto made = set(each.path, each.value);
        EXPECT_NE(made.refused.message.find(each.message), std::string::npos)
            << made.refused.message << " | " << each.message;
        EXPECT_NE(made.refused.hint.find(each.hint), std::string::npos) << made.refused.hint;
        EXPECT_EQ(made.changes, "") << each.message;
        EXPECT_FALSE(made.after.tenants.named.contains("acme"));
    }
}

TEST(ChangeOfASetting, WhatSetTakesIsWhatAReloadTakes)
{
    std::size_t by_set = 0;
    for (const auto& section : all_keys()) {
        for (const auto& each : section.keys) {
            const auto how = effect_of(section.section, each);
            by_set += how == takes_effect::by_set;
            EXPECT_EQ(how == takes_effect::by_restart, needs_restart(section.section, each.name));
            EXPECT_TRUE(how != takes_effect::by_set || each.store) << each.name;
        }
    }
    EXPECT_GE(by_set, 45u);
}

}  // namespace
}  // namespace sluice::gateway
