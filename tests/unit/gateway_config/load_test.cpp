// tests/unit/gateway_config/load_test.cpp: good files, and what is said about each kind of bad one.
#include "gateway/config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gateway/config/keys.hpp"
#include "gateway/config/near.hpp"

namespace sluice::gateway {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A whole good file; tests add to it or take away.
constexpr const char* listen = "[listen]\npostgres = [\"127.0.0.1:6432\"]\n";
constexpr const char* app = "[databases.app]\nengine = \"postgres\"\nhost = \"db1\"\n";
constexpr const char* alice = "[users.alice]\npassword = \"pw\"\n";

class Load : public testing::Test {
protected:
    void SetUp() override
    {
        char name[] = "/tmp/sluice_config_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder = std::string(name) + "/";
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    void write(const std::string& name, const std::string& text)
    {
        std::ofstream(folder + name) << text;
    }
    load_result load(const std::string& text)
    {
        write("c.toml", text);
        auto made = load_config(folder + "c.toml");
        for (auto* lines : {&made.errors, &made.warnings}) {
            for (auto& line : *lines) {
                if (line.starts_with(folder))
                    line.erase(0, folder.size());
            }
        }
        return made;
    }
    load_result with(const std::string& text)
    {
        return load(std::string(listen) + app + alice + text);
    }

    std::string folder;
};

TEST_F(Load, AGoodFileHasItsValuesAndDefaults)
{
    const auto made = with(
        "backend_user = \"bob\"\nbackend_password = \"b\"\n"
        "[gateway]\nworkers = 3\ndrain_timeout = \"2m\"\nmax_message = \"16MiB\"\n"
        "[databases.app.pool]\nmode = \"session\"\nsize = 7\n"
        "[databases.notes]\nengine = \"sqlite\"\nfile = \"n.db\"\n");
    ASSERT_THAT(made.errors, IsEmpty());
    EXPECT_EQ(made.settings.gateway.workers, 3);
    EXPECT_EQ(made.settings.gateway.drain_timeout, duration{120'000});
    EXPECT_EQ(made.settings.gateway.max_message, 16 * mebibyte);
    const auto& db = made.settings.databases.at("app");
    EXPECT_EQ(db.pool.mode, pool_mode::session);
    EXPECT_EQ(db.pool.size, 7);
    EXPECT_EQ(db.pool.queue_timeout, duration{30'000});
    EXPECT_EQ(db.postgres.parameter("dbname"), "app");
    EXPECT_EQ(made.settings.databases.at("notes").sqlite.file,
              std::filesystem::canonical(folder).string() + "/n.db");
    EXPECT_EQ(made.settings.users.at("alice").backend_password.reveal(), "b");
}

TEST_F(Load, EveryErrorIsNamedAtOnceWithItsPlace)
{
    const auto made = load(
        "[gateway]\nwrokers = 2\ndrain_timeout = 5\n[listen]\n"
        "mysql = [\"here\"]\npostgres = [\"nope\"]\n"
        "[databases.m]\nengine = \"mysqll\"\n"
        "[users.a]\ndatabases = [\"x\"]\n");
    EXPECT_THAT(
        made.errors,
        ElementsAre(
            "c.toml:2:1: unknown key \"wrokers\" in [gateway]; valid: workers, drain_timeout, "
            "max_clients, login_timeout, max_message, client_idle_timeout, "
            "sqlite_memory, sqlite_folder, control_socket, "
            "tcp_keepalive, log; "
            "did you mean \"workers\"?",
            "c.toml:3:17: drain_timeout = 5 is not valid; valid: a duration such as \"5s\", from "
            "\"0s\" to \"1d\"",
            "c.toml:5:10: listen.mysql: \"here\" is not an address; valid: \"host:port\", "
            "\"[v6]:port\", \"*:port\" or \"unix:/path\" of at most 107 characters",
            "c.toml:6:13: listen.postgres: \"nope\" is not an address; valid: \"host:port\", "
            "\"[v6]:port\", \"*:port\" or \"unix:/path\" of at most 107 characters",
            "c.toml:8:10: engine = \"mysqll\" is not valid; valid: \"postgres\", \"mysql\", "
            "\"sqlite\"; did you mean \"mysql\"?",
            "c.toml:9:8: user \"a\" has no password; set password (sluice password a makes one) "
            "or password_file",
            "c.toml:10:14: user \"a\": there is no [databases.x]"));
}

TEST_F(Load, WhatIsMissingIsNamed)
{
    EXPECT_THAT(
        load("").errors,
        ElementsAre(
            HasSubstr("nothing to listen on"), HasSubstr("no databases"), HasSubstr("no users")));
    EXPECT_THAT(load_config(folder + "none.toml").errors,
                ElementsAre(HasSubstr("none.toml: No such file or directory")));
    EXPECT_THAT(load("[gateway\n").errors, ElementsAre(HasSubstr("c.toml:1:9: not valid TOML: ")));
    EXPECT_THAT(with("[databases.n]\nengine = \"sqlite\"\n").errors,
                ElementsAre("c.toml:8:1: [databases.n] needs file"));
    EXPECT_THAT(with("[databases.n]\nengine = \"postgres\"\n").errors,
                ElementsAre("c.toml:8:1: [databases.n] needs url, or host"));
}

TEST_F(Load, TrustIsForLoopbackOnly)
{
    const std::string trust = std::string(app) + "[auth]\nmethod = \"trust\"\n";
    EXPECT_THAT(load(std::string(listen) + trust).errors, IsEmpty());
    EXPECT_THAT(load("[listen]\npostgres = [\"unix:s\", \"[::1]:1\"]\n" + trust).errors, IsEmpty());
    for (const auto* open : {"*:1", "10.0.0.1:1", "127.evil.example:1"})
        EXPECT_THAT(load("[listen]\npostgres = [\"" + std::string(open) + "\"]\n" + trust).errors,
                    ElementsAre(HasSubstr("trust is for loopback addresses")))
            << open;
}

TEST_F(Load, NoMessageHoldsASecret)
{
    ::setenv("SLUICE_TEST_SECRET", "hunter2", 1);
    for (const auto* url : {"postgresql://u:hunter2@h:port/d",
                            "postgresql://u:hunter2@[x/d",
                            "password=hunter2 hunter2",
                            "postgresql://u:hunter2%zz@h/d",
                            "${SLUICE_TEST_SECRET}",
                            "postgresql://u@h/d?hunter2"}) {
        const auto made = load(std::string(listen) + alice +
                               "[databases.x]\nengine = \"postgres\"\nurl = '" + url + "'\n");
        EXPECT_FALSE(made.errors.empty()) << url;
        EXPECT_THAT(made.errors, Each(Not(HasSubstr("hunter2")))) << url;
    }
    EXPECT_THAT(with("[gateway.log]\nlevel = \"${SLUICE_TEST_SECRET}\"\n").errors,
                ElementsAre(HasSubstr("level = \"${SLUICE_TEST_SECRET}\" is not valid")));
}

TEST_F(Load, SecretsComeFromTheEnvironmentAndFromFiles)
{
    ::setenv("SLUICE_TEST_SECRET", "from env", 1);
    write("pw", "from file\n");
    const auto made = with(
        "[users.b]\npassword = \"${SLUICE_TEST_SECRET}\"\n"
        "[users.c]\npassword_file = \"pw\"\n"
        "[users.d]\npassword = [\"$${x}\", \"SCRAM-SHA-256$4096:a$b:c\"]\n");
    ASSERT_THAT(made.errors, IsEmpty());
    EXPECT_EQ(made.settings.users.at("b").passwords.at(0).reveal(), "from env");
    EXPECT_EQ(made.settings.users.at("c").passwords.at(0).reveal(), "from file");
    EXPECT_EQ(made.settings.users.at("d").passwords.at(0).reveal(), "${x}");
    EXPECT_EQ(made.settings.users.at("d").passwords.at(1).reveal(), "SCRAM-SHA-256$4096:a$b:c");
    EXPECT_THAT(with("[users.b]\npassword_file = \"none\"\n").errors,
                Contains(HasSubstr("c.toml:9:17: password_file: cannot read ")));
}

TEST_F(Load, IncludedFilesAreJoinedAndBlamedByTheirOwnNames)
{
    std::filesystem::create_directory(folder + "conf.d");
    write("conf.d/a.toml", "[databases.n]\nengine = \"sqlite\"\nfile = \"n.db\"\n");
    auto made = load("include = [\"conf.d/*.toml\"]\n" + std::string(listen) + app + alice);
    ASSERT_THAT(made.errors, IsEmpty());
    EXPECT_THAT(made.settings.databases.at("n").sqlite.file, HasSubstr("/conf.d/n.db"));
    write("conf.d/b.toml", "[gateway]\nworkers = -1\n[users.alice]\npassword = \"again\"\n");
    made = load("include = [\"conf.d/*.toml\"]\n" + std::string(listen) + app + alice);
    EXPECT_THAT(made.errors,
                ElementsAre(HasSubstr("conf.d/b.toml:2:11: workers = -1 is not valid"),
                            HasSubstr("conf.d/b.toml:4:1: \"password\" is already set at ")));
    EXPECT_THAT(load("include = \"c.toml\"\n").errors,
                Contains(HasSubstr("include goes in circles")));
}

TEST_F(Load, OneSqliteFileBelongsToOneDatabase)
{
    const auto made = with(
        "[databases.n]\nengine = \"sqlite\"\nfile = \"n.db\"\n"
        "[databases.o]\nengine = \"sqlite\"\nfile = \"./n.db\"\n");
    EXPECT_THAT(made.errors, ElementsAre(HasSubstr("c.toml:11:12: [databases.o] has the same")));
}

TEST_F(Load, TenantsHaveLimits)
{
    const auto made = with(
        "[tenants]\nkey = \"user\"\n[tenants.default]\nmax_rate = 1.5\n"
        "min_reserved = 2\ntarget_delay = \"20ms\"\ndry_run = true\n"
        "[databases.app.pool]\nmultiplex = true\n");
    EXPECT_THAT(made.errors, IsEmpty());
    EXPECT_THAT(made.warnings, IsEmpty());
    const auto& limits = made.settings.tenants.named.at("default");
    EXPECT_EQ(limits.max_rate, 1.5);
    EXPECT_EQ(limits.min_reserved, 2);
    EXPECT_EQ(limits.target_delay, duration(20));
    EXPECT_TRUE(limits.dry_run);
}

TEST_F(Load, TheExampleShowsTheDefaults)
{
    ::setenv("SLUICE_APP_PASSWORD", "pw", 1);
    std::ifstream in(SLUICE_SOURCE "/deploy/sluice.toml");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    ASSERT_FALSE(text.empty());
    const auto made = load(text);
    EXPECT_THAT(made.errors, IsEmpty());
    EXPECT_THAT(made.warnings, IsEmpty());
}

TEST_F(Load, HttpIsNeverOpenByDefault)
{
    const auto http = [this](const std::string& lines) {
        return load("[listen]\npostgres = [\"127.0.0.1:6432\"]\n" + lines + "\n" + app + alice);
    };
    EXPECT_THAT(http("http = \"127.0.0.1:9632\"").errors, IsEmpty());
    EXPECT_THAT(http("http = \"[::1]:9632\"").warnings, IsEmpty());
    const auto open = http("http = \"10.0.0.1:9632\"").errors;
    EXPECT_THAT(open, ElementsAre(HasSubstr("c.toml:3:8: ")));
    EXPECT_THAT(open, Contains(HasSubstr("http_token")));
    EXPECT_THAT(http("http = \"*:9632\"").errors, ElementsAre(HasSubstr("http_token")));
    EXPECT_THAT(http("http = \"*:9632\"\nhttp_token = \"0123456789abcdef\"").errors, IsEmpty());
    EXPECT_THAT(http("http = \"*:9632\"\nhttp_token = \"short\"").errors,
                ElementsAre(HasSubstr("too short")));
    EXPECT_THAT(http("http = \"unix:/run/http\"").errors, ElementsAre(HasSubstr("host:port")));
    write("token", "0123456789abcdef\n");
    const auto file = http("http = \"*:9632\"\nhttp_token_file = \"token\"");
    EXPECT_THAT(file.errors, IsEmpty());
    EXPECT_EQ(file.settings.listen.http_token.reveal(), "0123456789abcdef");
}

TEST(Units, AreReadWholeOrNotAtAll)
{
    EXPECT_EQ(parse_duration_ms("100ms"), 100);
    EXPECT_EQ(parse_duration_ms("1h"), 3'600'000);
    EXPECT_EQ(parse_size("16MiB"), 16 << 20);
    for (const auto* bad : {"",
                            "5",
                            "s",
                            "-5s",
                            "5 s",
                            "5sec",
                            "99999999999999999999s",
                            "9223372036854775807d",
                            "1.5s"})
        EXPECT_EQ(parse_duration_ms(bad), std::nullopt) << bad;
}

TEST(Near, FindsTheWordThatWasMeant)
{
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
    const std::string_view known[] = {"workers", "log"};
    EXPECT_EQ(did_you_mean("worker", known), "; did you mean \"workers\"?");
    EXPECT_EQ(did_you_mean("zebra", known), "");
}

}  // namespace
}  // namespace sluice::gateway
