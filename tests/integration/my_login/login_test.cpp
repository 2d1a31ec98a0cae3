// tests/integration/my_login/login_test.cpp: MySQL clients log in, choose a database, change their
// user, kill each other.
#include <csignal>
#include <future>
#include <set>
#include <thread>
#include <vector>

#include "integration/my_login/gateway.hpp"
#include "proto/mysql/constants.hpp"
#include "proto/mysql/passwords.hpp"

namespace sluice::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace mysql;

constexpr char quit = 1;
constexpr char init_db = 2;
constexpr char query = 3;
constexpr char process_kill = 12;
constexpr char ping = 14;
constexpr char change_user = 17;

constexpr const char* plugins[] = {"mysql_native_password", "caching_sha2_password"};

TEST_F(MyLogin, TheGreetingIsHonest)
{
    auto client = connect();
    const auto& said = client.greet();
    EXPECT_EQ(said.version, "8.0.36-test");
    EXPECT_EQ(said.nonce.size(), 20u);
    EXPECT_EQ(said.plugin, "caching_sha2_password");
    EXPECT_TRUE(said.capabilities & capability::protocol_41);
    EXPECT_TRUE(said.capabilities & capability::deprecate_eof);
    for (const auto never :
         {capability::compress, capability::zstd, capability::query_attributes, capability::ssl})
        EXPECT_FALSE(said.capabilities & never) << std::hex << never;
}

TEST_F(MyLogin, ConnectionIdsAreUnique)
{
    std::vector<raw_client> clients;
    std::set<std::uint32_t> ids;
    for (int i = 0; i < 50; ++i) {
        clients.push_back(connect());
        EXPECT_TRUE(ids.insert(clients.back().greet().id).second);
    }
}

TEST_F(MyLogin, EveryVerifierWithEveryPlugin)
{
    for (const auto* name : {"app", "native", "sha2"}) {
        for (const auto* plugin : plugins) {
            auto client = connect();
            const auto said = client.log_in({.user = name, .password = "secret", .plugin = plugin});
            EXPECT_TRUE(said.is_ok()) << name << ' ' << plugin << ' ' << said.message();
            EXPECT_TRUE(client.command(ping).is_ok());
        }
    }
}

TEST_F(MyLogin, WrongPasswordsAndStrangersAreNotToldApart)
{
    for (const auto* plugin : plugins) {
        for (const auto* name : {"app", "native", "sha2", "nobody", ""}) {
            for (const auto* password : {"Secret", ""}) {
                auto client = connect();
                const auto said =
                    client.log_in({.user = name, .password = password, .plugin = plugin});
                EXPECT_EQ(said.number(), 1045) << name;
                EXPECT_EQ(said.sqlstate(), "28000");
                EXPECT_THAT(said.message(),
                            AllOf(HasSubstr("Access denied for user '" + std::string(name)),
                                  HasSubstr(*password ? "YES" : "NO")));
                EXPECT_EQ(client.until_closed(), "");
            }
        }
    }
}

TEST_F(MyLogin, UnknownDatabasesAreRefusedOnceAuthenticated)
{
    auto client = connect();
    const auto said = client.log_in({.user = "app", .password = "secret", .database = "nowhere"});
    EXPECT_EQ(said.number(), 1049);
    EXPECT_EQ(said.sqlstate(), "42000");
    auto stranger = connect();
    EXPECT_EQ(stranger.log_in({.user = "app", .password = "x", .database = "nowhere"}).number(),
              1045);
    auto forbidden = connect();
    EXPECT_EQ(forbidden.log_in({.user = "only", .password = "secret", .database = "two"}).number(),
              1044);
}

TEST_F(MyLogin, WithoutADatabaseSimpleCommandsAreAnswered)
{
    auto client = logged_in("undecided");
    EXPECT_TRUE(client.command(ping).is_ok());
    EXPECT_THAT(client.command(9).payload, HasSubstr("Sluice"));  // COM_STATISTICS
    EXPECT_TRUE(client.command(31).is_ok());                      // COM_RESET_CONNECTION
    EXPECT_FALSE(client.command(27, std::string(2, '\0')).is_error());
    const auto none = client.command(query, "SELECT 1");
    EXPECT_EQ(none.number(), 1046);
    EXPECT_EQ(none.sqlstate(), "3D000");
    EXPECT_THAT(none.message(), HasSubstr("default_database"));
    EXPECT_EQ(client.command(init_db, "nowhere").number(), 1049);
    EXPECT_EQ(client.command(query, "use `nowhere`;").number(), 1049);
    EXPECT_TRUE(client.command(ping).is_ok()) << "still there";

    EXPECT_EQ(client.command(query, "  SHOW\tDATABASES ;").payload, "\x01");
    std::string listed;
    for (int i = 0; i < 5; ++i)  // column, EOF, two rows, EOF
        listed += client.receive()->payload;
    EXPECT_THAT(listed, AllOf(HasSubstr("Database"), HasSubstr("\4more"), HasSubstr("\5notes")));
    client.send(framed(0, std::string(1, quit)));
    EXPECT_EQ(client.until_closed(), "");
}

TEST_F(MyLogin, OversizedAndMalformedCommandsBeforeADatabaseAreRefused)
{
    for (const auto& [bytes, number] : {std::pair(header(0xffffff, 0), 1153),
                                        std::pair(header(70'000, 0), 1153),
                                        std::pair(framed(3, "\x0e"), 1835),
                                        std::pair(framed(0, ""), 1835)}) {
        auto client = logged_in("undecided");
        client.send(bytes);
        const auto said = client.receive();
        ASSERT_TRUE(said);
        EXPECT_EQ(said->number(), number);
        EXPECT_EQ(client.until_closed(), "");
    }
}

TEST_F(MyLogin, WhereAMysqlServerWillDoNoneNeedsToBeChosen)
{
    auto client = logged_in();
    EXPECT_TRUE(client.command(ping).is_ok());
    const auto said = client.command(query, "SELECT 1");
    EXPECT_EQ(said.number(), 1105) << "there is no server";
    EXPECT_EQ(said.sqlstate(), "08001");
    EXPECT_TRUE(client.command(init_db, "two").is_ok()) << "another database, another lane";
    EXPECT_THAT(client.command(query, "SELECT 1").message(), HasSubstr("\"two\""));
}

TEST_F(MyLogin, ChangeUserLogsInAgain)
{
    auto client = logged_in();
    const auto change = [&](const std::string& name, const std::string& password) {
        // An empty answer, no database, utf8mb4, the plugin.
        const auto flags = std::string("\0\0\0\x2d\0", 5) + "mysql_native_password" + '\0';
        client.send(framed(0, change_user + name + flags));
        // Asked again, with a new nonce.
        const auto asked = client.receive();
        EXPECT_TRUE(asked);
        EXPECT_EQ(asked->payload[0], '\xfe');
        const auto end = asked->payload.find('\0', 1);
        const auto plugin = asked->payload.substr(1, end - 1);
        const auto nonce = asked->payload.substr(end + 1, nonce_size);
        const bool native = plugin == native_plugin;
        const auto sha1 = native_answer(password, as_bytes(nonce));
        const auto sha2 = sha2_answer(password, as_bytes(nonce));
        client.send(framed(2, native ? as_text(sha1) : as_text(sha2)));
        auto said = client.receive();
        if (said && said->payload == "\x01\x03")
            said = client.receive();
        return said.value_or(packet{});
    };
    EXPECT_TRUE(change("other", "secret").is_ok());
    EXPECT_TRUE(client.command(ping).is_ok());
    EXPECT_TRUE(change("app", "secret").is_ok());
    EXPECT_EQ(change("other", "wrong").number(), 1045);
    EXPECT_EQ(client.until_closed(), "");
}

TEST_F(MyLogin, KillClosesAConnectionOfTheSameUserAlone)
{
    auto killer = logged_in();
    auto victim = logged_in();
    auto stranger = logged_in("other");
    EXPECT_EQ(killer.command(process_kill, le32(stranger.server().id)).number(), 1095);
    EXPECT_EQ(killer.command(process_kill, le32(0xfffffff0)).number(), 1094);
    EXPECT_TRUE(killer.command(process_kill, le32(victim.server().id)).is_ok());
    const auto last = victim.receive();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->number(), 1317);
    EXPECT_EQ(victim.until_closed(), "");
    EXPECT_TRUE(stranger.command(ping).is_ok());
    EXPECT_TRUE(killer.command(ping).is_ok());
    EXPECT_EQ(killer.command(process_kill, le32(victim.server().id)).number(), 1094);
}

TEST(MyLimits, ClientsPastTheLimitAreToldInPlaceOfTheGreeting)
{
    gateway_process gateway(SLUICE_BINARY,
                            configuration("trust", "max_clients = 5"),
                            std::nullopt,
                            support::gateway_listen{.mysql = true});
    std::vector<raw_client> clients;
    for (int i = 0; i < 5; ++i) {
        clients.emplace_back(gateway.mysql_port());
        clients.back().greet();
    }
    raw_client one_more(gateway.mysql_port());
    const auto said = one_more.receive();
    ASSERT_TRUE(said);
    EXPECT_EQ(said->sequence, 0);
    EXPECT_EQ(said->number(), 1040);
    EXPECT_EQ(said->sqlstate(), "08004");
    EXPECT_THAT(said->message(), HasSubstr("gateway.max_clients = 5"));
    EXPECT_EQ(one_more.until_closed(), "");
}

TEST(MyLimits, NobodyIsAskedWhereTrustSaysSo)
{
    gateway_process gateway(SLUICE_BINARY,
                            configuration("trust"),
                            std::nullopt,
                            support::gateway_listen{.mysql = true});
    for (const auto* plugin : plugins) {
        for (const auto* password : {"", "whatever"}) {
            raw_client client(gateway.mysql_port());
            const auto said =
                client.log_in({.user = "anybody", .password = password, .plugin = plugin});
            EXPECT_TRUE(said.is_ok()) << said.message();
            EXPECT_TRUE(client.command(ping).is_ok());
        }
    }
}

TEST(MyLimits, IdleClientsAreToldAndClosed)
{
    gateway_process gateway(SLUICE_BINARY,
                            configuration("trust", "client_idle_timeout = \"2s\""),
                            std::nullopt,
                            support::gateway_listen{.mysql = true});
    const auto begun = steady::now();
    raw_client idle(gateway.mysql_port());
    raw_client busy(gateway.mysql_port());
    ASSERT_TRUE(idle.log_in({.user = "app", .password = ""}).is_ok());
    ASSERT_TRUE(busy.log_in({.user = "app", .password = ""}).is_ok());
    // The other one is never idle for so long, and stays.
    auto told = std::async(std::launch::async, [&] { return idle.receive(); });
    do
        ASSERT_TRUE(busy.command(ping).is_ok());
    while (told.wait_for(100ms) == std::future_status::timeout);
    const auto said = told.get();
    EXPECT_GE(steady::now() - begun, 1900ms);
    ASSERT_TRUE(said);
    EXPECT_EQ(said->number(), 4031);
    EXPECT_EQ(said->sequence, 1);
    EXPECT_EQ(idle.until_closed(), "");
}

TEST(MyLimits, ASilentClientIsIdleFromItsLoginOn)
{
    gateway_process gateway(
        SLUICE_BINARY,
        configuration("trust", "client_idle_timeout = \"1h\"", short_login_timeout),
        std::nullopt,
        support::gateway_listen{.mysql = true});
    raw_client silent(gateway.mysql_port());
    ASSERT_TRUE(silent.log_in({.user = "app", .password = ""}).is_ok());
    raw_client stranger(gateway.mysql_port());
    stranger.until_closed();  // the login timeout
    std::this_thread::sleep_for(1500ms);
    EXPECT_TRUE(silent.command(ping).is_ok());
}

TEST(MyLimits, ADrainTellsClients)
{
    gateway_process gateway(SLUICE_BINARY,
                            configuration("trust"),
                            std::nullopt,
                            support::gateway_listen{.mysql = true});
    raw_client client(gateway.mysql_port());
    ASSERT_TRUE(client.log_in({.user = "app", .password = ""}).is_ok());
    gateway.signal(SIGTERM);
    const auto said = client.receive();
    ASSERT_TRUE(said);
    EXPECT_EQ(said->number(), 1053);
    EXPECT_EQ(client.until_closed(), "");
    EXPECT_EQ(gateway.wait(60s), 0);
}

}  // namespace
}  // namespace sluice::test
