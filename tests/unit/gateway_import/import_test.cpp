// tests/unit/gateway_import/import_test.cpp: pgbouncer.ini in, TOML out, and what is said of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gateway/cli/import_command.hpp"
#include "gateway/config/load.hpp"
#include "gateway/import/ini.hpp"
#include "gateway/import/pgbouncer.hpp"
#include "gateway/import/pgbouncer_settings.hpp"
#include "gateway/import/toml_text.hpp"

namespace sluice::gateway::importing {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

class Import : public testing::Test {
protected:
    void SetUp() override
    {
        char name[] = "/tmp/sluice_import_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder = std::string(name) + "/";
        write("users.txt", "\"alice\" \"s3cret\"\n; comment\n\"bob\" \"a\"\"b\" and more\n");
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    void write(const std::string& name, const std::string& text)
    {
        std::filesystem::create_directories(std::filesystem::path(folder + name).parent_path());
        std::ofstream(folder + name) << text;
    }

    // Imports, and loads what came out.
    config load(const std::string& text)
    {
        write("pgbouncer.ini", text);
        made = import_pgbouncer(folder + "pgbouncer.ini");
        for (auto* lines : {&made.errors, &made.notes}) {
            for (auto& line : *lines) {
                while (line.find(folder) != std::string::npos)
                    line.erase(line.find(folder), folder.size());
            }
        }
        EXPECT_THAT(made.errors, IsEmpty());
        write("sluice.toml", made.toml);
        auto loaded = load_config(folder + "sluice.toml");
        EXPECT_THAT(loaded.errors, IsEmpty()) << made.toml;
        return loaded.settings;
    }
    config with(const std::string& text)
    {
        return load(
            "[databases]\napp = host=db1\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            "unix_socket_dir =\nauth_file = users.txt\n" +
            text);
    }
    std::vector<std::string> errors_of(const std::string& text)
    {
        write("pgbouncer.ini", text);
        auto errors = import_pgbouncer(folder + "pgbouncer.ini").errors;
        for (auto& line : errors) {
            while (line.find(folder) != std::string::npos)
                line.erase(line.find(folder), folder.size());
        }
        return errors;
    }

    std::string folder;
    import_result made;
};

TEST_F(Import, PgBouncersDefaultsAreKept)
{
    const auto is = with("");
    EXPECT_EQ(is.listen.postgres.at(0).text(), "127.0.0.1:6432");
    EXPECT_EQ(is.gateway.max_clients, 100u);
    EXPECT_EQ(is.gateway.login_timeout, duration{60'000});
    EXPECT_EQ(is.auth.method, auth_method::md5);
    const auto& pool = is.databases.at("app").pool;
    EXPECT_EQ(pool.mode, pool_mode::session);
    EXPECT_EQ(pool.size, 20);
    EXPECT_EQ(pool.queue_timeout, duration{120'000});
    EXPECT_EQ(pool.connect_timeout, duration{15'000});
    EXPECT_EQ(pool.lifetime, duration{3'600'000});
    EXPECT_EQ(pool.idle_timeout, duration{600'000});
    EXPECT_THAT(made.notes, IsEmpty());
    EXPECT_THAT(made.toml, HasSubstr("# Everything has a counterpart.\n"));
}

TEST_F(Import, UsersLogInToDatabasesAsThemselves)
{
    const auto is = with("");
    const auto& bob = is.users.at("bob");
    EXPECT_THAT(bob.passwords, ElementsAre(secret("a\"b")));
    EXPECT_EQ(bob.backend_user, "bob");
    EXPECT_EQ(bob.backend_password, secret("a\"b"));
    EXPECT_EQ(is.databases.at("app").postgres.parameter("user"), "");
}

TEST_F(Import, ADatabaseWithItsOwnUserNeedsNoBackendUsers)
{
    const auto is = load(
        "[databases]\nshop = host=db1,db2 port=5433 user=joe password='it''s ${X}' dbname=store\n"
        "[pgbouncer]\nauth_type=scram-sha-256\nauth_file=users.txt\nunix_socket_dir=/run/x\n");
    const auto& shop = is.databases.at("shop");
    EXPECT_EQ(shop.postgres.parameter("host"), "db1,db2");
    EXPECT_EQ(shop.postgres.parameter("port"), "5433");
    EXPECT_EQ(shop.postgres.parameter("user"), "joe");
    EXPECT_EQ(shop.postgres.parameter("dbname"), "store");
    EXPECT_EQ(shop.postgres.password, secret("it's ${X}"));
    EXPECT_EQ(is.users.at("alice").backend_user, "");
    EXPECT_EQ(is.listen.postgres.at(0).text(), "unix:/run/x/.s.PGSQL.6432");
    EXPECT_EQ(is.auth.method, auth_method::scram_sha_256);
}

TEST_F(Import, IncludedFilesQuotedNamesAndTheStar)
{
    write("conf/more.ini", "\"my \"\"db\"\"\" = host=/run/pg\n%include deeper.ini\n");
    write("conf/deeper.ini", "* = host=db9\n");
    const auto is = load(
        "; comment\n[Databases]\n%include conf/more.ini\n# another\n[pgbouncer]\n"
        "auth_file = users.txt\nlisten_addr = *, ::1\nlisten_port=7000\nunix_socket_dir=\n");
    EXPECT_EQ(is.databases.at("my \"db\"").postgres.parameter("host"), "/run/pg");
    EXPECT_EQ(is.databases.at("*").postgres.parameter("host"), "db9");
    ASSERT_EQ(is.listen.postgres.size(), 2u);
    EXPECT_EQ(is.listen.postgres[0].text(), "*:7000");
    EXPECT_EQ(is.listen.postgres[1].text(), "[::1]:7000");
}

TEST_F(Import, PoolsLimitsAndTimes)
{
    const auto is = load(
        "[databases]\n"
        "a = host=h user=u pool_size=7 min_pool_size=9 pool_mode=statement max_db_connections=5\n"
        "b = host=h user=u server_lifetime=60\n"
        "[users]\nalice = pool_mode=transaction max_user_connections=3 query_timeout=2\n"
        "[pgbouncer]\nauth_file = users.txt\nlisten_addr=127.0.0.1\nunix_socket_dir=\n"
        "pool_mode=transaction\ndefault_pool_size=33\nmin_pool_size=2\nquery_wait_timeout=0.5\n"
        "server_idle_timeout=120\nserver_check_delay=10\nmax_prepared_statements=50\n"
        "client_idle_timeout=90\nidle_transaction_timeout=15\nquery_timeout=30\n"
        "max_packet_size=1048576\ntcp_keepidle=30\ntcp_keepcnt=7\nverbose=2\nlogfile=p.log\n"
        "max_client_conn=5\nlisten_backlog=99\nunix_socket_mode=0770\n");
    const auto& a = is.databases.at("a").pool;
    EXPECT_EQ(a.size, 5);
    EXPECT_EQ(a.min, 5);
    EXPECT_EQ(a.mode, pool_mode::statement);
    const auto& b = is.databases.at("b").pool;
    EXPECT_EQ(b.size, 33);
    EXPECT_EQ(b.min, 2);
    EXPECT_EQ(b.mode, pool_mode::transaction);
    EXPECT_EQ(b.lifetime, duration{60'000});
    EXPECT_EQ(b.queue_timeout, duration{500});
    EXPECT_EQ(b.idle_timeout, duration{120'000});
    EXPECT_EQ(b.probe_after, duration{10'000});
    EXPECT_EQ(b.max_prepared, 50);
    EXPECT_EQ(is.gateway.client_idle_timeout, duration{90'000});
    EXPECT_EQ(is.gateway.max_message, mebibyte);
    EXPECT_EQ(is.gateway.tcp_keepalive.idle, std::chrono::seconds{30});
    EXPECT_EQ(is.gateway.tcp_keepalive.count, 7);
    EXPECT_EQ(is.gateway.log.level, log_level::debug);
    EXPECT_EQ(is.gateway.log.file, folder + "p.log");
    EXPECT_EQ(is.gateway.max_clients, 5u);
    EXPECT_EQ(is.listen.backlog, 99);
    EXPECT_EQ(is.listen.unix_socket_mode, 0770u);
    EXPECT_EQ(is.users.at("alice").pool_mode, pool_mode::transaction);
    EXPECT_EQ(is.tenants.key, tenant_key::user);
    EXPECT_EQ(is.tenants.named.at("alice").max_concurrent, 3);
    EXPECT_EQ(is.tenants.named.at("alice").statement_timeout, duration{2000});
    EXPECT_EQ(is.tenants.named.at("default").statement_timeout, duration{30'000});
    EXPECT_EQ(is.tenants.named.at("default").idle_transaction_timeout, duration{15'000});
}

TEST_F(Import, TlsBothWays)
{
    for (const auto* name : {"c.pem", "k.pem", "ca.pem", "server.pem"})
        write(name, "x");
    const auto is = with(
        "client_tls_sslmode=verify-full\nclient_tls_cert_file=c.pem\nclient_tls_key_file=k.pem\n"
        "client_tls_ca_file=ca.pem\nserver_tls_sslmode=verify-ca\nserver_tls_ca_file=server.pem\n");
    EXPECT_EQ(is.listen.tls.mode, tls_mode::verify);
    EXPECT_EQ(is.listen.tls.cert_file, folder + "c.pem");
    EXPECT_EQ(is.listen.tls.ca_file, folder + "ca.pem");
    const auto& app = is.databases.at("app").postgres;
    EXPECT_EQ(app.parameter("sslmode"), "verify-ca");
    EXPECT_EQ(app.parameter("sslrootcert"), folder + "server.pem");
    EXPECT_EQ(app.parameter("host"), "db1");
}

TEST_F(Import, SettingsOfServerConnectionsGoIntoTheUrl)
{
    const auto is = load(
        "[databases]\nx = host=h client_encoding=LATIN1 timezone='Europe/Berlin' "
        "datestyle='ISO, DMY'\n[pgbouncer]\nauth_type=trust\nlisten_addr=localhost\n"
        "unix_socket_dir=\n");
    EXPECT_EQ(is.databases.at("x").postgres.parameter("client_encoding"), "LATIN1");
    EXPECT_EQ(is.databases.at("x").postgres.parameter("options"),
              "-c datestyle=ISO,\\ DMY -c timezone=Europe/Berlin");
    EXPECT_EQ(is.auth.method, auth_method::trust);
}

TEST_F(Import, TrustStaysOnThisMachine)
{
    const auto is = load(
        "[databases]\nx = host=h\n[pgbouncer]\nauth_type=trust\nlisten_addr=*,127.0.0.1\n"
        "unix_socket_dir=\n");
    ASSERT_EQ(is.listen.postgres.size(), 1u);
    EXPECT_THAT(made.notes,
                Contains(StartsWith("pgbouncer.ini:5: listen_addr: * is left out: auth_type")));
}

TEST_F(Import, WhatHasNoCounterpartIsNamedWithItsPlace)
{
    with(
        "reserve_pool_size = 5\nserver_round_robin = 1\nserver_reset_query = DISCARD ALL\n"
        "auth_query = SELECT 1\nno_such_setting = 1\nmax_prepared_statements = 0\n"
        "[peers]\n1 = host=x\n");
    EXPECT_THAT(made.notes,
                Contains("pgbouncer.ini:7: reserve_pool_size: has no counterpart; there is no "
                         "reserve; add it to pool.size, whose connections are opened only when "
                         "they are needed"));
    EXPECT_THAT(made.notes, Contains(StartsWith("pgbouncer.ini:8: server_round_robin: has no")));
    EXPECT_THAT(made.notes, Contains(StartsWith("pgbouncer.ini:10: auth_query: has no")));
    EXPECT_THAT(made.notes, Contains(StartsWith("pgbouncer.ini:11: no_such_setting: is no")));
    EXPECT_THAT(made.notes, Contains(StartsWith("pgbouncer.ini:14: 1: one process serves")));
    EXPECT_THAT(made.notes, Not(Contains(HasSubstr("server_reset_query"))));
    for (const auto& line : made.notes)
        EXPECT_THAT(made.toml, HasSubstr("#   ")) << line;
}

TEST_F(Import, HashesAndMissingPasswords)
{
    write("users.txt",
          "\"m\" \"md545f2603610af569b6155c45067268c6b\"\n\"none\" \"\"\n\"p\" \"plain\"\n");
    const auto is = with("auth_type = scram-sha-256\n");
    EXPECT_EQ(is.users.count("none"), 0u);
    EXPECT_TRUE(is.users.at("m").backend_password.empty());
    EXPECT_THAT(made.notes, Contains(StartsWith("users.txt:1: m: an md5 hash serves")));
    EXPECT_THAT(made.notes, Contains(StartsWith("users.txt:1: m: a hash cannot log in")));
    EXPECT_THAT(made.notes, Contains(StartsWith("users.txt:2: none: has no password")));
    for (const auto& line : made.notes)
        EXPECT_THAT(line, Not(HasSubstr("plain")));
}

TEST_F(Import, WhoMaySteerOrLook)
{
    const auto settings = load(R"(
[databases]
app = host=db1 user=app
[pgbouncer]
auth_type = scram-sha-256
auth_file = users.txt
admin_users = alice, root
stats_users =  bob ,,alice
)");
    EXPECT_TRUE(settings.users.at("alice").admin);
    EXPECT_TRUE(settings.users.at("alice").stats);
    EXPECT_FALSE(settings.users.at("bob").admin);
    EXPECT_TRUE(settings.users.at("bob").stats);
    EXPECT_FALSE(settings.users.contains("root"));
    EXPECT_THAT(made.notes, Contains(HasSubstr("root is not in auth_file")));
    const auto trusted = load(R"(
[databases]
app = host=db1
[pgbouncer]
listen_addr = 127.0.0.1
auth_type = trust
admin_users = root
)");
    EXPECT_TRUE(trusted.users.at("root").admin);
    EXPECT_EQ(trusted.users.at("root").backend_user, "root");
}

TEST_F(Import, WithoutUsersNobodyCanLogIn)
{
    const auto is = load(
        "[databases]\nx = host=h\n[pgbouncer]\nlisten_addr=127.0.0.1\nunix_socket_dir=\n"
        "auth_user = pooler\n");
    EXPECT_EQ(is.users.size(), 1u);
    EXPECT_EQ(is.users.at("nobody").passwords.at(0).reveal().size(), 32u);
    EXPECT_THAT(made.notes, Contains(HasSubstr("auth_user: has no counterpart")));
}

TEST_F(Import, EveryMistakeIsAnErrorWithItsPlace)
{
    EXPECT_THAT(errors_of("[databases]\na b c\nx = host\n[pgbouncer\n%exclude x\n\"open = 1\n"),
                ElementsAre("pgbouncer.ini:2: a line reads key = value",
                            "pgbouncer.ini:4: a section reads [name]",
                            "pgbouncer.ini:5: after % only `%include FILE` is known",
                            "pgbouncer.ini:6: a quote is not closed"));
    EXPECT_THAT(errors_of("x = 1\n"),
                ElementsAre("pgbouncer.ini:1: stands before the first [section]"));
    EXPECT_THAT(
        errors_of("[databases]\nx = host\ny = host=h pool_size=many pool_mode=none\n"
                  "z = password='open\n[pgbouncer]\nserver_lifetime = soon\nauth_file = gone\n"),
        testing::IsSupersetOf(
            {"pgbouncer.ini:2: the connection string reads key=value key='value' ..",
             "pgbouncer.ini:3: pool_mode = none is none of PgBouncer's",
             "pgbouncer.ini:4: the connection string reads key=value key='value' ..",
             "pgbouncer.ini:6: server_lifetime is a number of seconds",
             "pgbouncer.ini:7: auth_file: cannot read gone: No such file or directory"}));
    EXPECT_THAT(errors_of("[pgbouncer]\nlisten_port = 70000\n"),
                Contains("pgbouncer.ini:2: listen_port is from 1 to 65535"));
    write("loop.ini", "%include loop.ini\n");
    EXPECT_THAT(errors_of("%include loop.ini\n"),
                ElementsAre("loop.ini:1: files include each other more than 10 deep"));
    EXPECT_THAT(errors_of("%include none.ini\n"),
                ElementsAre(StartsWith("pgbouncer.ini:1: cannot read none.ini: ")));
    EXPECT_THAT(import_pgbouncer(folder + "none").errors, ElementsAre(StartsWith("cannot read")));
}

// Bytes of any kind make an error or a file that loads; never a crash.
TEST_F(Import, AnyBytesAreAnsweredSomehow)
{
    const std::string whole =
        "[databases]\nx = host='a b' port=1 password='q''q' timezone=\x01\n%include users.txt\n"
        "[users]\nalice = max_user_connections=3\n[pgbouncer]\nlisten_addr=*\nauth_file=users.txt\n"
        "unix_socket_mode=9\nlisten_port=abc\n";
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        write("pgbouncer.ini", whole.substr(0, size));
        const auto prefix = import_pgbouncer(folder + "pgbouncer.ini");
        EXPECT_TRUE(!prefix.errors.empty() || !prefix.toml.empty());
    }
}

TEST_F(Import, TheCommandWritesAPrivateFileOnce)
{
    with("");
    std::ostringstream out;
    std::ostringstream err;
    const auto target = folder + "made.toml";
    EXPECT_EQ(run_import_command({folder + "pgbouncer.ini", target}, out, err), 0) << err.str();
    EXPECT_THAT(err.str(), HasSubstr("made.toml: written\n"));
    EXPECT_EQ(out.str(), "");
    const auto mode = std::filesystem::status(target).permissions();
    EXPECT_EQ(static_cast<unsigned>(mode) & 0777u, 0600u);
    EXPECT_EQ(run_import_command({folder + "pgbouncer.ini", target}, out, err), 1);
    EXPECT_THAT(err.str(), HasSubstr("File exists; choose another name"));
    EXPECT_EQ(run_import_command({folder + "pgbouncer.ini", ""}, out, err), 0);
    EXPECT_EQ(out.str(), made.toml);
}

TEST(ImportText, TomlStringsAreReadBackUnchanged)
{
    EXPECT_EQ(toml_string("a\"b\\c\n${d} $e"), "\"a\\\"b\\\\c\\u000a$${d} $e\"");
    EXPECT_EQ(toml_key("my-db_1"), "my-db_1");
    EXPECT_EQ(toml_key("my ${db}"), "\"my ${db}\"");
    EXPECT_EQ(toml_key(""), "\"\"");
}

TEST(ImportText, ConnectionStrings)
{
    const auto parsed = parse_connection_string(" host = a  PORT=1 password='it''s' dbname='' ");
    ASSERT_TRUE(parsed);
    EXPECT_THAT(
        *parsed,
        ElementsAre(
            Pair("host", "a"), Pair("port", "1"), Pair("password", "it's"), Pair("dbname", "")));
    EXPECT_TRUE(parse_connection_string("")->empty());
    EXPECT_FALSE(parse_connection_string("a b=c"));
    EXPECT_FALSE(parse_connection_string("a='b"));
}

TEST(ImportText, EverySettingSaysWhatBecomesOfIt)
{
    const auto* reserve = find_pgbouncer_setting("reserve_pool_size");
    ASSERT_NE(reserve, nullptr);
    EXPECT_EQ(reserve->becomes, fate::missing);
    EXPECT_FALSE(reserve->advice.empty());
    EXPECT_EQ(find_pgbouncer_setting("reserve"), nullptr);
}

}  // namespace
}  // namespace sluice::gateway::importing
