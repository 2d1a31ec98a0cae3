// tests/unit/gateway_auth/user_store_test.cpp: credentials of known and unknown users.
#include "gateway/auth/user_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <thread>

#include "proto/pg/md5.hpp"
#include "unit/proto_pg/login_client.hpp"
#include "unit/proto_pg/scram_client.hpp"

namespace sluice::gateway {
namespace {

using test::password_packet;
using test::sasl_initial;
using test::scram_client;
using test::startup_packet_of;
using test::talk;

constexpr const char* process_secret = "of this process";

using user_map = std::map<std::string, user>;

void add(user_map& users, const std::string& name, const std::vector<std::string>& passwords)
{
    user one;
    one.name = name;
    for (const auto& password : passwords)
        one.passwords.emplace_back(password);
    users.emplace(name, one);
}

user_store store_of(const user_map& users, auth_method method = auth_method::scram_sha_256)
{
    user_store store(users, method, process_secret);
    store.prepare();
    return store;
}

std::string verifier_text(const std::string& password, const std::string& salt = "0123456789abcdef")
{
    return pg::format_scram_verifier(pg::make_scram_verifier(password, salt, 4096));
}

bool scram_login(const user_store& store, const std::string& user, const std::string& password)
{
    talk t({.method = pg::auth_method::scram_sha_256});
    t.say(startup_packet_of({{"user", user}}));
    t.login.supply(store.credentials_for(t.login.user()), t.out);
    scram_client client(password);
    t.say(sasl_initial(pg::scram_mechanism, client.first()));
    return t.say(password_packet(client.final(t.sasl_challenge()))) ==
           pg::login_action::authenticated;
}

TEST(UserStore, PlainTextAndVerifiersLetIn)
{
    user_map users;
    add(users, "plain", {"secret"});
    add(users, "scram", {verifier_text("secret")});
    const auto store = store_of(users);
    EXPECT_TRUE(store.warnings().empty());
    for (const char* name : {"plain", "scram"}) {
        EXPECT_TRUE(scram_login(store, name, "secret")) << name;
        EXPECT_FALSE(scram_login(store, name, "Secret")) << name;
        EXPECT_FALSE(scram_login(store, name, "")) << name;
    }
    EXPECT_FALSE(scram_login(store, "nobody", "secret"));
    EXPECT_FALSE(scram_login(store, "nobody", ""));
}

TEST(UserStore, EachPasswordOfARotationLetsIn)
{
    user_map users;
    add(users, "plain", {"old", "new"});
    add(users, "mixed", {verifier_text("old"), "new"});
    add(users, "mixed back", {"new", verifier_text("old")});
    add(users, "two verifiers", {verifier_text("old"), verifier_text("new")});
    const auto store = store_of(users);
    EXPECT_TRUE(store.warnings().empty());
    for (const auto& [name, from] : users) {
        EXPECT_TRUE(scram_login(store, name, "old")) << name;
        EXPECT_TRUE(scram_login(store, name, "new")) << name;
        EXPECT_FALSE(scram_login(store, name, "other")) << name;
    }
}

TEST(UserStore, VerifiersWithAnotherSaltAreNamedInAWarning)
{
    user_map users;
    add(users, "alice", {verifier_text("old"), verifier_text("new", "another salt 123"), "plain"});
    const auto store = store_of(users);
    ASSERT_EQ(store.warnings().size(), 1u);
    EXPECT_NE(store.warnings()[0].find("users.alice"), std::string::npos);
    EXPECT_NE(store.warnings()[0].find("salt"), std::string::npos);
    EXPECT_TRUE(scram_login(store, "alice", "old"));
    EXPECT_TRUE(scram_login(store, "alice", "plain"));
    EXPECT_FALSE(scram_login(store, "alice", "new"));
}

TEST(UserStore, UnknownUsersLookLikeKnownOnes)
{
    user_map users;
    add(users, "a", {"secret"});
    const auto store = store_of(users);
    const auto known = store.credentials_for("a");
    const auto mock = store.credentials_for("b");
    EXPECT_TRUE(known.known);
    EXPECT_FALSE(mock.known);
    ASSERT_EQ(mock.scram.size(), 1u);
    EXPECT_EQ(mock.scram[0].iterations, known.scram[0].iterations);
    EXPECT_EQ(mock.scram[0].salt.size(), known.scram[0].salt.size());
    // Asked again, and by another store of this process (a reload): the same salt.
    EXPECT_EQ(mock.scram[0].salt, store.credentials_for("b").scram[0].salt);
    const auto reloaded = store_of(users);
    EXPECT_EQ(mock.scram[0].salt, reloaded.credentials_for("b").scram[0].salt);
    EXPECT_EQ(known.scram[0].salt, reloaded.credentials_for("a").scram[0].salt);
    EXPECT_NE(make_auth_secret(), make_auth_secret());
}

TEST(UserStore, MocksFollowTheIterationsOfMostVerifiers)
{
    user_map users;
    const auto strong =
        pg::format_scram_verifier(pg::make_scram_verifier("x", std::string(24, 's'), 10000));
    add(users, "a", {strong});
    add(users, "b", {strong});
    add(users, "c", {"plain"});
    const auto mock = store_of(users).credentials_for("nobody");
    EXPECT_EQ(mock.scram[0].iterations, 10000u);
    EXPECT_EQ(mock.scram[0].salt.size(), 24u);
}

TEST(UserStore, Md5OnlyWhereConfigured)
{
    user_map users;
    add(users, "alice", {pg::make_md5_verifier("secret", "alice")});
    add(users, "bob", {"secret"});
    const auto scram = store_of(users);
    EXPECT_TRUE(scram.credentials_for("alice").md5.empty());
    EXPECT_TRUE(scram.credentials_for("bob").md5.empty());
    EXPECT_TRUE(scram.credentials_for("nobody").md5.empty());
    EXPECT_EQ(scram.credentials_for("alice").scram.size(), 1u) << "a mock: asked like any other";
    EXPECT_FALSE(scram_login(scram, "alice", "secret"));
    EXPECT_EQ(scram.warnings().size(), 2u);

    const auto md5 = store_of(users, auth_method::md5);
    EXPECT_TRUE(md5.warnings().empty());
    for (const char* name : {"alice", "bob"}) {
        ASSERT_EQ(md5.credentials_for(name).md5.size(), 1u);
        EXPECT_EQ(md5.credentials_for(name).md5[0], pg::make_md5_verifier("secret", name));
    }
    EXPECT_EQ(md5.credentials_for("nobody").md5.size(), 1u);
    EXPECT_TRUE(scram_login(md5, "bob", "secret"));
}

TEST(UserStore, PasswordsThatCanNeverBeUsedAreWarnedAboutAndNotQuoted)
{
    const std::string damaged = verifier_text("secret") + "damage";
    user_map users;
    add(users, "empty", {""});
    add(users, "damaged", {damaged});
    add(users, "none", {});
    const auto store = store_of(users);
    EXPECT_EQ(store.warnings().size(), 5u);
    for (const auto& warning : store.warnings())
        EXPECT_EQ(warning.find("damage\""), std::string::npos);
    EXPECT_FALSE(scram_login(store, "empty", ""));
    EXPECT_FALSE(scram_login(store, "damaged", damaged));
    EXPECT_FALSE(scram_login(store, "none", ""));
    EXPECT_TRUE(password_problem("plain").empty());
    EXPECT_TRUE(password_problem(verifier_text("x")).empty());
    EXPECT_FALSE(password_problem(std::string_view("a\0b", 3)).empty());
}

double cpu_seconds()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// CPU seconds of a login. Best of several, for busy machines.
struct login_cost {
    double gateway = 1;
    double client = 1;  // its PBKDF2: what the gateway must not spend
};

login_cost cost_of_login(const user_store& store,
                         const std::string& user,
                         const std::string& password)
{
    scram_client client(password);
    const auto hello = startup_packet_of({{"user", user}});
    const auto initial = sasl_initial(pg::scram_mechanism, client.first());
    login_cost best;
    for (int i = 0; i < 40; ++i) {
        talk t({.method = pg::auth_method::scram_sha_256});
        const auto before = cpu_seconds();
        t.say(hello);
        t.login.supply(store.credentials_for(t.login.user()), t.out);
        t.say(initial);
        const auto between = cpu_seconds();
        const auto final = password_packet(client.final(t.sasl_challenge()));
        const auto after = cpu_seconds();
        t.say(final);
        best.gateway = std::min(best.gateway, between - before + cpu_seconds() - after);
        best.client = std::min(best.client, after - between);
    }
    return best;
}

TEST(UserStore, ALoginCostsLessThanItsBudgetAndTheSameForUnknownUsers)
{
    user_map users;
    add(users, "alice", {"secret"});
    add(users, "bob", {verifier_text("secret")});
    const auto store = store_of(users);
    // A busy machine makes everything cost more for a while; what really differs does so each time.
    // Its budget: 0.4 ms, or a part of what a slower machine needs for a PBKDF2.
    double right = 1;
    double budget = 0.0004;
    double wrong = 1;
    double verifier = 1;
    double unknown = 1;
    const auto unlike = [&] {
        return std::max({wrong, verifier, unknown}) >= 1.5 * std::min({wrong, verifier, unknown});
    };
    for (int i = 0; i < 40 && (right >= budget || unlike()); ++i) {
        const auto cost = cost_of_login(store, "alice", "secret");
        right = std::min(right, cost.gateway);
        budget = std::max(0.0004, cost.client / 4);
        wrong = std::min(wrong, cost_of_login(store, "alice", "wrong").gateway);
        verifier = std::min(verifier, cost_of_login(store, "bob", "wrong").gateway);
        unknown = std::min(unknown, cost_of_login(store, "carol", "wrong").gateway);
    }
    EXPECT_LT(right, budget);
    EXPECT_FALSE(unlike()) << wrong << ' ' << verifier << ' ' << unknown;
}

// For TSan: workers read one store at once.
TEST(UserStore, ManyThreadsMayAsk)
{
    user_map users;
    add(users, "alice", {"secret"});
    user_store store(users, auth_method::scram_sha_256, process_secret);
    std::thread([&] { store.prepare(); }).join();
    std::atomic<int> in = 0;
    std::vector<std::thread> workers;
    for (int i = 0; i < 4; ++i) {
        workers.emplace_back([&] {
            for (int login = 0; login < 5; ++login)
                in += scram_login(store, "alice", "secret");
        });
    }
    for (auto& worker : workers)
        worker.join();
    EXPECT_EQ(in.load(), 20);
}

}  // namespace
}  // namespace sluice::gateway
