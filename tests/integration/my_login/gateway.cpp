// tests/integration/my_login/gateway.cpp: the shared gateway.
#include "integration/my_login/gateway.hpp"

#include <memory>
#include <stdexcept>

#include "gateway/auth/my_verifiers.hpp"
#include "proto/mysql/constants.hpp"
#include "proto/pg/scram.hpp"

namespace sluice::test {
namespace {

class processes : public ::testing::Environment {
public:
    void TearDown() override { gateway.reset(); }
    std::unique_ptr<gateway_process> gateway;
};
processes* const all = static_cast<processes*>(::testing::AddGlobalTestEnvironment(new processes));

std::string user(const std::string& name, const std::string& password)
{
    return "[users." + name + "]\npassword = \"" + password + "\"\n";
}

std::string database(const std::string& name)
{
    return "[databases." + name +
           "]\nengine = \"mysql\"\nurl = \"mysql://u@127.0.0.1:1/d\"\npool = { connect_timeout = "
           "\"1s\" }\n";
}

}  // namespace

std::string configuration(const std::string& auth,
                          const std::string& more,
                          std::chrono::seconds login)
{
    const auto scram =
        pg::format_scram_verifier(pg::make_scram_verifier("secret", "0123456789abcdef", 4096));
    return "[gateway]\nworkers = 2\nlogin_timeout = \"" + std::to_string(login.count()) + "s\"\n" +
           more + "\n[auth]\nmethod = \"" + auth + "\"\n" + database("one") + database("two") +
           user("app", "secret") + user("other", "secret") +
           user("native", mysql::format_native_verifier(mysql::native_stage2("secret"))) +
           user("sha2", gateway::format_sha2_verifier(mysql::sha2_stage2("secret"))) +
           user("scram", scram) + user("only", "secret") + "databases = [\"one\"]\n" +
           "[databases.notes]\nengine = \"sqlite\"\nfile = \"notes.db\"\n" +
           "[databases.more]\nengine = \"sqlite\"\nfile = \"more.db\"\n" +
           user("undecided", "secret") + "databases = [\"notes\", \"more\"]\n";
}

gateway_process& shared_gateway()
{
    if (!all->gateway)
        all->gateway = std::make_unique<gateway_process>(
            SLUICE_BINARY,
            configuration("password"),
            std::nullopt,
            support::gateway_listen{true, "mysql_version = \"8.0.36-test\"\n"});
    return *all->gateway;
}

::testing::AssertionResult serves(gateway_process& gateway)
{
    try {
        raw_client client(gateway.mysql_port());
        const auto said = client.log_in({.user = "app", .password = "secret"});
        if (!said.is_ok())
            return ::testing::AssertionFailure() << said.message();
        const auto pong = client.command(static_cast<char>(mysql::command::ping));
        if (!pong.is_ok())
            return ::testing::AssertionFailure() << pong.message();
    } catch (const std::exception& failed) {
        return ::testing::AssertionFailure() << failed.what();
    }
    return ::testing::AssertionSuccess();
}

void MyLogin::TearDown()
{
    ASSERT_TRUE(gateway_.running()) << gateway_.log();
    EXPECT_TRUE(serves(gateway_));
    const auto log = gateway_.log();
    EXPECT_THAT(log, Not(::testing::HasSubstr("Sanitizer")));
    EXPECT_THAT(log, Not(::testing::HasSubstr("runtime error")));
    EXPECT_THAT(log, Not(::testing::HasSubstr("secret")));
}

raw_client MyLogin::logged_in(const std::string& name) const
{
    auto client = connect();
    const auto said = client.log_in({.user = name, .password = "secret"});
    if (!said.is_ok())
        throw std::runtime_error("login refused: " + said.message());
    return client;
}

}  // namespace sluice::test
