// What a reload says that it has changed.
#include "gateway/config/diff.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::gateway {
namespace {

config example()
{
    config made;
    made.file = "sluice.toml";
    made.listen.postgres = {{"127.0.0.1", 6432, ""}};
    database app;
    app.name = "app";
    app.postgres.parameters = {{"host", "db1"}, {"user", "app"}};
    app.postgres.password = secret("swordfish");
    made.databases["app"] = app;
    database shop;
    shop.name = "shop";
    shop.engine = engine::mysql;
    shop.mysql.host = "db2";
    made.databases["shop"] = shop;
    database notes;
    notes.name = "notes";
    notes.engine = engine::sqlite;
    notes.sqlite.file = "/srv/notes.db";
    made.databases["notes"] = notes;
    user alice;
    alice.name = "alice";
    alice.passwords = {secret("swordfish")};
    made.users["alice"] = alice;
    return made;
}

// The one change that `edit` makes.
template <class Edit>
config_change only(Edit edit)
{
    const config before = example();
    config after = before;
    edit(after);
    const auto found = differences(before, after);
    EXPECT_EQ(found.size(), 1u);
    return found.empty() ? config_change{} : found.front();
}

TEST(ConfigDiff, TheSameFileIsNoChange)
{
    EXPECT_TRUE(differences(example(), example()).empty());
}

TEST(ConfigDiff, ValuesAreWrittenAsInTheFile)
{
    EXPECT_EQ(only([](config& c) { c.databases["app"].pool.size = 30; }),
              (config_change{"databases.app.pool.size: 20 \u2192 30", false}));
    EXPECT_EQ(only([](config& c) { c.databases["app"].pool.queue_timeout = duration(500); }),
              (config_change{"databases.app.pool.queue_timeout: 30s \u2192 500ms", false}));
    EXPECT_EQ(only([](config& c) { c.gateway.log.level = log_level::debug; }),
              (config_change{"gateway.log.level: info \u2192 debug", false}));
    EXPECT_EQ(
        only([](config& c) {
            c.listen.postgres.push_back({"", 7000, ""});
        }),
        (config_change{"listen.postgres: 127.0.0.1:6432 \u2192 127.0.0.1:6432, *:7000", false}));
    EXPECT_EQ(only([](config& c) { c.databases["shop"].mysql.host = "db3"; }),
              (config_change{"databases.shop.host: db2 \u2192 db3", false}));
    EXPECT_EQ(only([](config& c) { c.databases["app"].postgres.parameters[0].second = "db9"; }),
              (config_change{"databases.app.host: db1 \u2192 db9", false}));
    EXPECT_EQ(only([](config& c) { c.users["alice"].databases = {"app"}; }),
              (config_change{"users.alice.databases: (all) \u2192 app", false}));
    EXPECT_EQ(only([](config& c) { c.listen.unix_socket_mode = 0770; }),
              (config_change{"listen.unix_socket_mode: 0777 \u2192 0770", false}));
}

TEST(ConfigDiff, WhatComesAndGoes)
{
    EXPECT_EQ(only([](config& c) { c.databases.erase("shop"); }),
              (config_change{"databases.shop: removed", false}));
    EXPECT_EQ(only([](config& c) { c.users["bob"].name = "bob"; }),
              (config_change{"users.bob: added", false}));
    EXPECT_EQ(only([](config& c) { c.tenants.named["acme"].weight = 4; }),
              (config_change{"tenants.acme: added", false}));
}

TEST(ConfigDiff, NoSecretIsShown)
{
    EXPECT_EQ(only([](config& c) { c.databases["app"].postgres.password = secret("hunter2"); }),
              (config_change{"databases.app.password: changed", false}));
    EXPECT_EQ(only([](config& c) { c.databases["shop"].mysql.password = secret("hunter2"); }),
              (config_change{"databases.shop.password: changed", false}));
    EXPECT_EQ(only([](config& c) { c.users["alice"].passwords = {secret("hunter2")}; }),
              (config_change{"users.alice.password: changed", false}));
    EXPECT_EQ(only([](config& c) {
                  c.databases["app"].postgres.parameters.push_back({"sslpassword", "hunter2"});
              }),
              (config_change{"databases.app.sslpassword: changed", false}));
}

TEST(ConfigDiff, WhatNeedsARestartStaysInEffectAsItWas)
{
    const config before = example();
    config after = before;
    after.gateway.workers = 7;
    after.gateway.log.queue = 99;
    after.listen.mysql_version = "8.4.0";
    after.auth.rsa_key_file = "other.pem";
    after.databases["notes"].sqlite.readers = 9;
    after.databases["shop"].engine = engine::postgres;
    after.databases["app"].pool.size = 5;
    const auto found = differences(before, after);
    EXPECT_EQ(std::count_if(found.begin(), found.end(), [](auto& each) { return each.restart; }),
              6);
    const auto now = effective(before, after);
    const auto left = differences(before, now);
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left.front().text, "databases.app.pool.size: 20 \u2192 5");
}

TEST(ConfigDiff, WhatChangesConnections)
{
    const database before = example().databases.at("app");
    database after = before;
    after.pool.size = 1;
    after.max_clients = 3;
    EXPECT_FALSE(connects_differently(before, after));
    after.postgres.parameters.push_back({"sslmode", "require"});
    EXPECT_TRUE(connects_differently(before, after));
}

}  // namespace
}  // namespace sluice::gateway
