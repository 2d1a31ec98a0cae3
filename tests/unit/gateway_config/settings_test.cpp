// tests/unit/gateway_config/settings_test.cpp: the schema's defaults are the code's, and
// SETTINGS.md is what the schema says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>

#include "gateway/cli/settings_command.hpp"
#include "gateway/config/keys.hpp"

namespace sluice::gateway {
namespace {

using testing::HasSubstr;

const key* find_key(std::string_view section, std::string_view name)
{
    for (const auto& entry : keys_of(section)) {
        if (entry.name == name)
            return &entry;
    }
    return nullptr;
}

// What a key's value is when the file does not say; "" for nothing.
std::map<std::string_view, const void*> fresh_sections()
{
    static const gateway_config gateway;
    static const keepalive_config keepalive;
    static const log_config log;
    static const listen_config listen;
    static const tls_config tls;
    static const auth_config auth;
    static const database one_database;
    static const sqlite_config sqlite;
    static const mysql_tls_config mysql_tls;
    static const pool_config pool;
    static const user one_user;
    static const tenants_config tenants;
    static const tenant one_tenant;
    return {{"", nullptr},
            {"gateway", &gateway},
            {"gateway.tcp_keepalive", &keepalive},
            {"gateway.log", &log},
            {"listen", &listen},
            {"listen.tls", &tls},
            {"auth", &auth},
            {"databases.NAME", &one_database},
            {"databases.NAME (sqlite)", &sqlite},
            {"databases.NAME.tls", &mysql_tls},
            {"databases.NAME.pool", &pool},
            {"users.NAME", &one_user},
            {"tenants", &tenants},
            {"tenants.NAME", &one_tenant}};
}

TEST(Settings, DefaultsOfThePageAreThoseOfTheCode)
{
    const auto fresh = fresh_sections();
    for (const auto& [section, keys] : all_keys()) {
        const auto made = fresh.find(section);
        ASSERT_NE(made, fresh.end()) << "add [" << section << "] to this test";
        for (const auto& entry : keys) {
            if (!entry.load)
                continue;
            const auto value = entry.load(made->second);
            // "60s" is as good as "1m".
            const auto said = entry.type == key_type::time   ? parse_duration_ms(entry.fallback)
                              : entry.type == key_type::size ? parse_size(entry.fallback)
                                                             : std::nullopt;
            if (said) {
                EXPECT_EQ(std::get<std::int64_t>(value), *said) << section << '.' << entry.name;
            } else {
                EXPECT_EQ(written(entry, value), entry.fallback) << section << '.' << entry.name;
            }
        }
    }
}

TEST(Settings, EveryDefaultIsValid)
{
    for (const auto& [section, keys] : all_keys()) {
        for (const auto& entry : keys) {
            if (entry.type == key_type::special || entry.fallback.empty())
                continue;
            node value;
            value.at.file = std::make_shared<const std::string>("c.toml");
            value.text = value.written = std::string(entry.fallback);
            value.kind = node_kind::text;
            if (entry.type == key_type::integer || entry.type == key_type::real) {
                value.kind = node_kind::integer;
                value.integer = std::stoll(value.text);
            } else if (entry.type == key_type::boolean) {
                value.kind = node_kind::boolean;
            }
            problems found;
            EXPECT_TRUE(read_scalar(entry, value, found)) << section << '.' << entry.name;
        }
    }
}

// The keys that are read by hand.
TEST(Settings, DefaultsReadByHandAreThoseOfTheCode)
{
    EXPECT_EQ(find_key("auth", "method")->fallback, "password");
    EXPECT_EQ(auth_config{}.method, auth_method::scram_sha_256);
    EXPECT_EQ(find_key("databases.NAME", "charset")->fallback, mysql_config{}.charset);
    EXPECT_EQ(
        listen_config{}.unix_socket_mode,
        std::stoul(std::string(find_key("listen", "unix_socket_mode")->fallback), nullptr, 8));
    for (const auto& entry : keys_of("databases.NAME (sqlite)"))
        EXPECT_NE(find_key("databases.NAME", entry.name), nullptr) << entry.name;
    for (const auto& entry : keys_of("databases.NAME")) {
        if (entry.takes == told_elsewhere) {
            EXPECT_NE(find_key("databases.NAME (sqlite)", entry.name), nullptr) << entry.name;
        }
    }
}

TEST(Settings, ThePageIsWhatTheProgramPrints)
{
    std::ifstream in(SLUICE_SOURCE "/gateway/config/SETTINGS.md");
    std::stringstream page;
    page << in.rdbuf();
    std::ostringstream printed;
    print_settings_page(printed);
    EXPECT_EQ(page.str(), printed.str())
        << "run: build/release/sluice settings --markdown >gateway/config/SETTINGS.md";
    for (const auto& [section, keys] : all_keys()) {
        for (const auto& entry : keys) {
            EXPECT_THAT(printed.str(), HasSubstr("| `" + std::string(entry.name) + "` | "))
                << section;
        }
    }
}

TEST(Settings, AWordNarrowsTheList)
{
    std::ostringstream out;
    EXPECT_TRUE(print_settings("queue_timeout", out));
    EXPECT_THAT(out.str(),
                HasSubstr("[databases.NAME.pool]\n  queue_timeout = \"30s\"\n      how long one "
                          "waits; 0s: for ever\n      takes a duration such as \"5s\", from "
                          "\"0s\" to \"1d\"\n"));
    EXPECT_EQ(out.str().find("backlog"), std::string::npos);
    EXPECT_FALSE(print_settings("no such thing", out));
}

TEST(Settings, ValuesAreWrittenAsTheFileHasThem)
{
    const auto shown = [](std::string_view section, std::string_view name, const scalar& value) {
        return written(*find_key(section, name), value);
    };
    EXPECT_EQ(shown("databases.NAME.pool", "queue_timeout", scalar(std::int64_t{90'000})), "90s");
    EXPECT_EQ(shown("databases.NAME.pool", "queue_timeout", scalar(std::int64_t{0})), "0s");
    EXPECT_EQ(shown("databases.NAME.pool", "mode", scalar(std::int64_t{2})), "statement");
    EXPECT_EQ(shown("databases.NAME (sqlite)", "max_size", scalar(std::int64_t{0})), "0B");
    EXPECT_EQ(shown("gateway", "max_message", scalar(std::int64_t{16 << 20})), "16MiB");
    EXPECT_EQ(shown("tenants.NAME", "max_rate", scalar(2.5)), "2.5");
    EXPECT_EQ(shown("users.NAME", "pool_mode", scalar(std::string())), "");
    user fresh;
    const auto* mode = find_key("users.NAME", "pool_mode");
    fresh.pool_mode = pool_mode::session;
    EXPECT_EQ(written(*mode, mode->load(&fresh)), "session");
}

}  // namespace
}  // namespace sluice::gateway
