// tests/unit/gateway_config/mysql_test.cpp: databases with engine = "mysql", and who listens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gateway/config/load.hpp"

namespace sluice::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MysqlConfig : public ::testing::Test {
protected:
    MysqlConfig()
    {
        char pattern[] = "/tmp/sluice-config-XXXXXX";
        folder_ = mkdtemp(pattern);
    }
    ~MysqlConfig() override { std::filesystem::remove_all(folder_); }

    // `database`: what stands in [databases.shop].
    load_result load(const std::string& database, const std::string& more = {})
    {
        std::ofstream(folder_ + "/c.toml")
            << "[listen]\nmysql = [\"127.0.0.1:6033\", \"unix:my.sock\"]\n"
               "[users.alice]\npassword = \"a\"\n[databases.shop]\nengine = \"mysql\"\n"
            << database << '\n'
            << more;
        auto made = load_config(folder_ + "/c.toml");
        for (auto* list : {&made.errors, &made.warnings}) {
            for (auto& line : *list) {
                if (line.starts_with(folder_))
                    line.erase(0, folder_.size() + 1);
            }
        }
        return made;
    }
    mysql_config good(const std::string& database)
    {
        const auto made = load(database);
        EXPECT_THAT(made.errors, IsEmpty());
        EXPECT_THAT(made.warnings, IsEmpty());
        return made.settings.databases.at("shop").mysql;
    }

    std::string folder_;
};

TEST_F(MysqlConfig, PartsAndDefaults)
{
    const auto made = good("host = \"db3\"\nuser = \"shop\"\npassword = \"p\"");
    EXPECT_EQ(made.host, "db3");
    EXPECT_EQ(made.port, 3306);
    EXPECT_EQ(made.user, "shop");
    EXPECT_EQ(made.password.reveal(), "p");
    EXPECT_EQ(made.dbname, "shop");
    EXPECT_EQ(made.charset, "utf8mb4");
    EXPECT_EQ(made.tls.mode, mysql_tls_mode::preferred);

    const auto whole = load("host = \"db3\"\nuser = \"shop\"").settings;
    ASSERT_EQ(whole.listen.mysql.size(), 2u);
    EXPECT_EQ(whole.listen.mysql[0].text(), "127.0.0.1:6033");
    EXPECT_TRUE(whole.listen.mysql[1].is_unix());
    EXPECT_EQ(whole.databases.at("shop").engine, engine::mysql);

    const auto local =
        good("socket = \"s.sock\"\nuser = \"u\"\ndbname = \"d\"\ncharset = \"latin1\"");
    EXPECT_EQ(local.socket, folder_ + "/s.sock");
    EXPECT_EQ(local.dbname, "d");
    EXPECT_EQ(local.charset, "latin1");
    EXPECT_EQ(local.collation, 8);
}

TEST_F(MysqlConfig, AUrlSaysTheSame)
{
    std::ofstream(folder_ + "/ca.pem") << "x";
    const auto made = good(
        "url = \"mysql://us%40er:p%3Aw%2F@[::1]:3307/my%20db?charset=latin1&"
        "ssl-mode=verify_ca&ssl-ca=ca.pem\"");
    EXPECT_EQ(made.host, "::1");
    EXPECT_EQ(made.port, 3307);
    EXPECT_EQ(made.user, "us@er");
    EXPECT_EQ(made.password.reveal(), "p:w/");
    EXPECT_EQ(made.dbname, "my db");
    EXPECT_EQ(made.charset, "latin1");
    EXPECT_EQ(made.tls.mode, mysql_tls_mode::verify_ca);
    EXPECT_EQ(made.tls.ca_file, folder_ + "/ca.pem");

    const auto brief = good("url = \"mariadb://root@localhost\"");
    EXPECT_EQ(brief.host, "localhost");
    EXPECT_EQ(brief.port, 3306);
    EXPECT_EQ(brief.dbname, "shop");
    EXPECT_EQ(good("url = \"mysql://u@/d?socket=/run/s\"").socket, "/run/s");
}

TEST_F(MysqlConfig, WhatIsWrongIsNamedWithItsPlace)
{
    EXPECT_THAT(load("").errors,
                ElementsAre("c.toml:5:1: [databases.shop] needs url, host or socket",
                            "c.toml:5:1: [databases.shop] needs user: who the gateway logs in as"));
    EXPECT_THAT(load("host = \"h\"\nuser = \"u\"\nport = 70000").errors,
                ElementsAre("c.toml:9:8: port = 70000 is not valid; valid: an integer from 1 to "
                            "65535"));
    EXPECT_THAT(load("host = \"h\"\nuser = \"u\"\nsocket = \"s\"").errors,
                ElementsAre("c.toml:7:1: host and socket are both set; keep one"));
    EXPECT_THAT(load("host = \"h\"\nuser = \"u\"\nfile = \"x\"").errors,
                ElementsAre("c.toml:9:1: file is not for engine = \"mysql\""));
    EXPECT_THAT(load("host = \"h\"\nuser = \"u\"\ncharset = \"utf8; DROP\"").errors,
                ElementsAre(HasSubstr("9:11: charset is not one that connections can use")));
    EXPECT_THAT(load("host = \"h\"\nuser = \"u\"\ntls = { mode = \"verify\" }").errors,
                ElementsAre("c.toml:9:16: mode = \"verify\" is not valid; valid: \"disabled\", "
                            "\"preferred\", \"required\", \"verify_ca\", \"verify_identity\""));
    EXPECT_THAT(load("host = \"h\"\nuser = \"u\"\ntls = { ca_file = \"none.pem\" }").errors,
                ElementsAre(HasSubstr("tls.ca_file: cannot read ")));
    EXPECT_THAT(load("host = \"h\"\nuser = \"u\"\ntls = { cert_file = \"c.toml\" }").errors,
                ElementsAre(HasSubstr("belong together")));
    EXPECT_THAT(load("socket = \"s\"\nuser = \"u\"\ntls = { mode = \"required\" }").errors,
                ElementsAre(HasSubstr("a Unix socket has no TLS")));
}

TEST_F(MysqlConfig, AWrongUrlIsNotQuoted)
{
    for (const auto* url : {"secret",
                            "postgresql://u:secret@h/d",
                            "mysql://u:secret%@h",
                            "mysql://u:secret%0@h",
                            "mysql://u:secret@h:0",
                            "mysql://u:secret@h:x",
                            "mysql://u:secret@[::1/d",
                            "mysql://u:secret@h/d?ssl-mode=secret",
                            "mysql://u:secret@h/d?secret=1",
                            "mysql://:secret@h/d"}) {
        const auto made = load("url = \"" + std::string(url) + "\"");
        EXPECT_FALSE(made.errors.empty()) << url;
        for (const auto& line : made.errors)
            EXPECT_EQ(line.find("secret"), std::string::npos) << line;
    }
    EXPECT_THAT(load("url = \"mysql://u:p@h\"\npassword = \"q\"").errors,
                ElementsAre(HasSubstr("keep one")));
    EXPECT_THAT(load("url = \"mysql://u@h\"\nhost = \"h\"").errors,
                ElementsAre("c.toml:8:1: host and url are both set; say it in the url"));
}

TEST_F(MysqlConfig, AnyOtherName)
{
    const std::string shop = "host = \"h\"\nuser = \"u\"";
    const auto made =
        load(shop, "[databases.\"*\"]\nengine = \"mysql\"\nhost = \"h\"\nuser = \"u\"\n");
    EXPECT_THAT(made.errors, IsEmpty());
    EXPECT_EQ(made.settings.find_database("other")->mysql.dbname, "");
    EXPECT_THAT(
        load(shop, "[databases.\"*\"]\nengine = \"mysql\"\nurl = \"mysql://u@h/d\"\n").errors,
        ElementsAre(HasSubstr("leave dbname out")));
}

TEST_F(MysqlConfig, DefaultDatabasesExistAndMayBeUsed)
{
    const std::string shop = "host = \"h\"\nuser = \"u\"";
    const std::string bob = "[users.bob]\npassword = \"b\"\n";
    EXPECT_THAT(load(shop, bob + "default_database = \"shop\"\n").errors, IsEmpty());
    EXPECT_THAT(load(shop, bob + "default_database = \"sho\"\n").errors,
                ElementsAre("c.toml:11:20: user \"bob\": there is no [databases.sho]; did you mean "
                            "\"shop\"?"));
    EXPECT_THAT(load(shop,
                     bob + "default_database = \"shop\"\ndatabases = [\"n\"]\n" +
                         "[databases.n]\nengine = \"mysql\"\nhost = \"h\"\nuser = \"u\"\n")
                    .errors,
                ElementsAre(HasSubstr("default_database is not in its list of databases")));
}

TEST_F(MysqlConfig, WhoCannotBeReachedIsAWarning)
{
    EXPECT_THAT(
        load("host = \"h\"\nuser = \"u\"", "[databases.pg]\nengine = \"postgres\"\nhost = \"h\"\n")
            .warnings,
        ElementsAre("c.toml:9:12: [databases.pg] is for PostgreSQL clients, and "
                    "listen.postgres is not set"));
}

}  // namespace
}  // namespace sluice::gateway
