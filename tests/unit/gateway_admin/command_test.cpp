// What the console understands, and what it answers to drivers' own statements.
#include "gateway/admin/command.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sluice::gateway::admin {
namespace {

session_facts postgres()
{
    session_facts made;
    made.user = "root";
    made.database = "sluice";
    made.id = 7;
    return made;
}

session_facts mysql()
{
    auto made = postgres();
    made.protocol = client_protocol::mysql;
    made.server_version = "10.11.6-MariaDB";
    return made;
}

command said(std::string_view text)
{
    return parse_command(text, postgres());
}

TEST(ConsoleCommand, EveryTopicCanBeShownInAnyCase)
{
    for (const auto& each : all_topics()) {
        const auto made = said("ShOw " + std::string(each.name));
        EXPECT_EQ(made.what, each.what == topic::help ? verb::help : verb::show) << each.name;
        EXPECT_EQ(made.show, each.what) << each.name;
        EXPECT_FALSE(made.columns().empty()) << each.name;
        std::set<std::string> names;
        for (const auto& one : made.columns())
            EXPECT_TRUE(names.insert(one.name).second) << each.name << "." << one.name;
    }
}

TEST(ConsoleCommand, CommandsAndTheirObjects)
{
    struct line {
        std::string_view text;
        verb what;
        std::string_view object;
    };
    constexpr line lines[] = {
        {"pause", verb::pause, ""},
        {"PAUSE app;", verb::pause, "app"},
        {"PAUSE \"my app\"", verb::pause, "my app"},
        {"PAUSE my-app", verb::pause, "my-app"},
        {"PAUSE tenant.with.dots", verb::pause, "tenant.with.dots"},
        {"RESUME app", verb::resume, "app"},
        {"DISABLE app", verb::disable, "app"},
        {"ENABLE 'app'", verb::enable, "app"},
        {"RECONNECT", verb::reconnect, ""},
        {"KILL app", verb::kill, "app"},
        {"WAIT_CLOSE app", verb::wait_close, "app"},
        {"RELOAD", verb::reload, ""},
        {"SHUTDOWN", verb::shutdown, ""},
        {"HELP", verb::help, ""},
        {"SET log_level = debug", verb::set, "log_level"},
        {"SET gateway.log.level TO 'debug'", verb::set, "gateway.log.level"},
        {"SET log_level debug", verb::set, "log_level"},
        {"-- nothing\n", verb::empty, ""},
    };
    for (const auto& each : lines) {
        const auto made = said(each.text);
        EXPECT_EQ(made.what, each.what) << each.text << ": " << made.wrong.message;
        EXPECT_EQ(made.object, each.object) << each.text;
    }
    EXPECT_EQ(said("SET log_level = debug").value, "debug");
    EXPECT_TRUE(said("SHUTDOWN WAIT_FOR_CLIENTS").when_idle);
    EXPECT_TRUE(said("shutdown wait_for_servers").when_idle);
    EXPECT_FALSE(said("SHUTDOWN").when_idle);
}

TEST(ConsoleCommand, SettingsAreNamedByTheirPlace)
{
    using words = std::vector<std::string>;
    const struct {
        const char* text;
        words path;
        const char* value;
    } lines[] = {
        {"SET databases.app.pool.size = 20", {"databases", "app", "pool", "size"}, "20"},
        {"set Databases.\"My.App-1\".Pool.SIZE to '20';",
         {"databases", "My.App-1", "pool", "size"},
         "20"},
        {"SET tenants.Acme.max_rate 2.5", {"tenants", "Acme", "max_rate"}, "2.5"},
        {"SET tenants.KEY = user", {"tenants", "key"}, "user"},
        {"SET users.\"a b\".max_clients=3", {"users", "a b", "max_clients"}, "3"},
        {"SET GLOBAL gateway.drain_timeout = 10s", {"gateway", "drain_timeout"}, "10s"},
        {"SET max_clients = 5", {"max_clients"}, "5"},
    };
    for (const auto& each : lines) {
        const auto made = said(each.text);
        EXPECT_EQ(made.what, verb::set) << each.text << ": " << made.wrong.message;
        EXPECT_EQ(made.path, each.path) << each.text;
        EXPECT_EQ(made.value, each.value) << each.text;
    }
    EXPECT_EQ(said("SET databases.app.pool.size = 20").columns().size(), 2u);
    EXPECT_EQ(said("SET databases.app = ").what, verb::invalid);
}

TEST(ConsoleCommand, ClientsAreNamedByNumberOrPointer)
{
    EXPECT_EQ(said("KILL_CLIENT 42").client, 42u);
    EXPECT_EQ(said("KILL_CLIENT 0x2a").client, 42u);
    EXPECT_EQ(said("KILL_CLIENT '42'").client, 42u);
    for (const auto* text : {"KILL 42", "KILL CONNECTION 42", "kill hard connection 42"}) {
        EXPECT_EQ(parse_command(text, mysql()).what, verb::kill_client) << text;
        EXPECT_EQ(parse_command(text, mysql()).client, 42u) << text;
    }
    EXPECT_EQ(parse_command("KILL app", mysql()).what, verb::kill);
    // A statement of somebody's is not a client.
    EXPECT_EQ(parse_command("KILL QUERY 42", mysql()).what, verb::invalid);
    for (const auto* wrong : {"KILL_CLIENT", "KILL_CLIENT x", "KILL_CLIENT 1 2", "KILL_CLIENT -1"})
        EXPECT_EQ(said(wrong).what, verb::invalid) << wrong;
}

TEST(ConsoleCommand, WhatIsWrongIsSaidWithTheNearest)
{
    EXPECT_NE(said("PAUS app").wrong.message.find("did you mean \"PAUSE\""), std::string::npos);
    EXPECT_NE(said("SHOW POOL").wrong.message.find("did you mean \"POOLS\""), std::string::npos);
    EXPECT_NE(said("frobnicate").wrong.hint.find("SHOW HELP"), std::string::npos);
    for (const auto* wrong : {"KILL",
                              "DISABLE",
                              "PAUSE a b",
                              "SHUTDOWN now",
                              "RELOAD all",
                              "SHOW",
                              "SET",
                              "SET x",
                              "KILL \"\"",
                              "PAUSE ''",
                              "SELECT secret FROM t",
                              "SELECT user FROM t",
                              "SELECT version(1)",
                              "SELECT 'a' 'b' 'c'",
                              "DROP TABLE t",
                              "SHOW POOLS x"}) {
        EXPECT_EQ(said(wrong).what, verb::invalid) << wrong;
        EXPECT_FALSE(said(wrong).wrong.message.empty()) << wrong;
    }
}

TEST(ConsoleCommand, LookingIsNotChanging)
{
    for (const auto* looks :
         {"SHOW POOLS", "SELECT 1", "BEGIN", "SET application_name = 'x'", "HELP"})
        EXPECT_TRUE(said(looks).only_looks()) << looks;
    for (const auto* changes : {"PAUSE",
                                "RESUME",
                                "KILL app",
                                "KILL_CLIENT 1",
                                "RELOAD",
                                "SHUTDOWN",
                                "SET log_level = debug",
                                "DISABLE app",
                                "RECONNECT",
                                "WAIT_CLOSE"})
        EXPECT_FALSE(said(changes).only_looks()) << changes;
}

TEST(ConsoleCommand, DriversOwnStatementsAreAnswered)
{
    for (const auto* text : {"SET extra_float_digits = 3",
                             "SET application_name = 'x'",
                             "set client_encoding to 'UTF8'",
                             "RESET ALL",
                             "DISCARD ALL",
                             "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
                             "UNLISTEN *",
                             "SHOW standard_conforming_strings",
                             "SHOW TRANSACTION ISOLATION LEVEL",
                             "select pg_catalog.version()",
                             "SELECT current_schema()",
                             "SELECT pg_advisory_unlock_all()",
                             "CLOSE ALL"})
        EXPECT_EQ(said(text).what, verb::fixed) << text << ": " << said(text).wrong.message;
    for (const auto* text : {"SET NAMES utf8mb4",
                             "SET AUTOCOMMIT = 0",
                             "SELECT @@version_comment LIMIT 1",
                             "SET SESSION sql_mode='ANSI'",
                             "SHOW WARNINGS",
                             "SHOW TABLES",
                             "SHOW VARIABLES LIKE 'sql_mode'",
                             "SELECT DATABASE()",
                             "SET @@session.autocommit = OFF",
                             "SELECT @@max_allowed_packet, @@wait_timeout AS w"})
        EXPECT_EQ(parse_command(text, mysql()).what, verb::fixed) << text;
    const auto one = said("SELECT 1 AS one, 'two', version()");
    ASSERT_EQ(one.reply.columns.size(), 3u);
    EXPECT_EQ(one.reply.columns[0].name, "one");
    EXPECT_TRUE(one.reply.columns[0].number);
    EXPECT_EQ(std::get<std::string>(one.reply.rows[0][1]), "two");
    EXPECT_EQ(said("BEGIN").what, verb::begin);
    EXPECT_EQ(said("commit").reply.tag, "COMMIT");
    EXPECT_EQ(said("ROLLBACK").reply.tag, "ROLLBACK");
    EXPECT_EQ(parse_command("USE `app`", mysql()).object, "app");
    EXPECT_EQ(parse_command("SHOW DATABASES", mysql()).show, topic::databases);
}

}  // namespace
}  // namespace sluice::gateway::admin
