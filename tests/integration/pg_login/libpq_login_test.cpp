// tests/integration/pg_login/libpq_login_test.cpp: libpq logs in at the login machine; PostgreSQL
// and Sluice take each other's verifiers.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <memory>

#include "integration/pg_login/login_server.hpp"
#include "proto/pg/md5.hpp"
#include "support/pg_cluster.hpp"

namespace sluice::test {
namespace {

using gateway::user_store;

struct connection_delete {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
using connection = std::unique_ptr<PGconn, connection_delete>;

connection connect(const std::string& how)
{
    return connection(PQconnectdb(how.c_str()));
}

std::string seen(const connection& by, const char* name)
{
    const char* value = PQparameterStatus(by.get(), name);
    return value ? value : "(none)";
}

std::string problem(const connection& with)
{
    return PQerrorMessage(with.get());
}

user_store make_store(gateway::auth_method method)
{
    std::map<std::string, gateway::user> users;
    for (const char* name : {"alice", "bob"}) {
        gateway::user one;
        one.name = name;
        one.passwords.emplace_back("old secret");
        one.passwords.emplace_back("gr\xc3\xbc\xc3\x9f dich");  // not ASCII
        users.emplace(name, one);
    }
    user_store store(users, method, gateway::make_auth_secret());
    store.prepare();
    return store;
}

TEST(LibpqLogin, EveryMethod)
{
    const std::pair<pg::auth_method, gateway::auth_method> methods[] = {
        {pg::auth_method::scram_sha_256, gateway::auth_method::scram_sha_256},
        {pg::auth_method::md5, gateway::auth_method::md5},
        {pg::auth_method::cleartext, gateway::auth_method::scram_sha_256},
    };
    for (const auto& [method, stored] : methods) {
        const auto users = make_store(stored);
        login_server server(users, {.method = method});
        for (const char* password : {"'old secret'", "'gr\xc3\xbc\xc3\x9f dich'"}) {
            const auto in = connect(server.url(
                "alice", "dbname=app application_name=t password=" + std::string(password)));
            EXPECT_EQ(PQstatus(in.get()), CONNECTION_OK) << problem(in);
            EXPECT_EQ(seen(in, "seen_user"), "alice");
            EXPECT_EQ(seen(in, "seen_database"), "app");
            EXPECT_EQ(seen(in, "seen_application_name"), "t");
            EXPECT_EQ(PQbackendPID(in.get()), 7);
        }
        for (const char* who : {"alice", "nobody"}) {
            const auto out = connect(server.url(who, "password=wrong"));
            EXPECT_EQ(PQstatus(out.get()), CONNECTION_BAD);
            const auto expected =
                "FATAL:  password authentication failed for user \"" + std::string(who) + "\"";
            EXPECT_NE(problem(out).find(expected), std::string::npos) << problem(out);
        }
        const auto asked = connect(server.url("alice", "passfile=/nonexistent"));
        EXPECT_TRUE(PQconnectionNeedsPassword(asked.get()));
    }
}

TEST(LibpqLogin, TlsAndChannelBinding)
{
    const auto users = make_store(gateway::auth_method::scram_sha_256);
    login_server server(users,
                        {.method = pg::auth_method::scram_sha_256, .tls = pg::client_tls::require});
    const auto bound = connect(
        server.url("alice", "sslmode=require channel_binding=require password='old secret'"));
    EXPECT_EQ(PQstatus(bound.get()), CONNECTION_OK) << problem(bound);
    EXPECT_TRUE(PQsslInUse(bound.get()));
    const auto unbound =
        connect(server.url("bob", "sslmode=require channel_binding=disable password='old secret'"));
    EXPECT_EQ(PQstatus(unbound.get()), CONNECTION_OK) << problem(unbound);
    const auto plain = connect(server.url("alice", "sslmode=disable password='old secret'"));
    EXPECT_EQ(PQstatus(plain.get()), CONNECTION_BAD);
    EXPECT_NE(problem(plain).find("over TLS only"), std::string::npos) << problem(plain);
}

TEST(LibpqLogin, ACertificateThatCannotBeBoundToStillServes)
{
    const auto users = make_store(gateway::auth_method::scram_sha_256);
    login_server server(users, {.tls = pg::client_tls::require}, certificate_kind::ed25519);
    const auto in = connect(server.url("alice", "sslmode=require password='old secret'"));
    EXPECT_EQ(PQstatus(in.get()), CONNECTION_OK) << problem(in);
}

TEST(LibpqLogin, WithoutTlsAPreferringClientStaysPlain)
{
    const auto users = make_store(gateway::auth_method::scram_sha_256);
    login_server server(users, {.method = pg::auth_method::trust});
    const auto in = connect(server.url("alice", "sslmode=prefer options='-c search_path=x'"));
    EXPECT_EQ(PQstatus(in.get()), CONNECTION_OK) << problem(in);
    EXPECT_EQ(seen(in, "seen_options"), "-c search_path=x");
    EXPECT_EQ(seen(in, "seen_database"), "alice");
    auto strict = connect(server.url("alice", "sslmode=require"));
    EXPECT_NE(problem(strict).find("does not support SSL"), std::string::npos) << problem(strict);
    strict.reset();  // libpq keeps the socket until then, and the server has one client at a time
    const auto replication = connect(server.url("alice", "replication=database"));
    EXPECT_NE(problem(replication).find("replication connections are not supported"),
              std::string::npos);
}

TEST(Verifiers, PostgresAndSluiceTakeEachOthers)
{
    const support::pg_cluster cluster;
    const auto stored = [&](const std::string& role) {
        return cluster.query("select rolpassword from pg_authid where rolname = '" + role + "'");
    };
    const auto scram = pg::parse_scram_verifier(stored("app"));
    ASSERT_TRUE(scram) << stored("app");
    EXPECT_TRUE(pg::matches_scram_verifier(*scram, "secret"));
    EXPECT_EQ(stored("old"), pg::make_md5_verifier("secret", "old"));

    const auto ours =
        pg::format_scram_verifier(pg::make_scram_verifier("made here", "0123456789abcdef", 4096));
    cluster.query("alter role app password '" + ours + "'");
    EXPECT_EQ(stored("app"), ours) << "PostgreSQL knew it for a verifier";
    const auto in = connect(cluster.url("app") + "?password=made%20here");
    EXPECT_EQ(PQstatus(in.get()), CONNECTION_OK) << problem(in);
}

}  // namespace
}  // namespace sluice::test
