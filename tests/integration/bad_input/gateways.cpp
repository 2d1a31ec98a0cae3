// tests/integration/bad_input/gateways.cpp: shared gateways.
#include "integration/bad_input/gateways.hpp"

#include <memory>
#include <stdexcept>

#include "drivers/pg/libpq.hpp"

namespace sluice {
namespace {

class processes : public ::testing::Environment {
public:
    void TearDown() override
    {
        trusting.reset();
        asking.reset();
        hurried.reset();
        database.reset();
    }
    std::unique_ptr<support::pg_cluster> database;
    std::unique_ptr<gateway_process> trusting;
    std::unique_ptr<gateway_process> asking;
    std::unique_ptr<gateway_process> hurried;
};
processes* const all = static_cast<processes*>(::testing::AddGlobalTestEnvironment(new processes));

gateway_process& shared(std::unique_ptr<gateway_process>& gateway,
                        const std::string& auth,
                        std::chrono::seconds login = login_timeout)
{
    if (!gateway)
        gateway = std::make_unique<gateway_process>(SLUICE_BINARY, configuration(auth, "", login));
    return *gateway;
}

}  // namespace

support::pg_cluster& database()
{
    if (!all->database)
        all->database = std::make_unique<support::pg_cluster>();
    return *all->database;
}

std::string configuration(const std::string& auth,
                          const std::string& more,
                          std::chrono::seconds login)
{
    return "[gateway]\nworkers = 2\nlogin_timeout = \"" + std::to_string(login.count()) + "s\"\n" +
           more + "\n[auth]\nmethod = \"" + auth +
           "\"\n[databases.app]\nengine = \"postgres\"\nurl = \"" +
           database().url("trusted", "app") +
           "\"\npool = { size = 4 }\n[users.app]\npassword = \"secret\"\n";
}

gateway_process& trusting_gateway()
{
    return shared(all->trusting, "trust");
}

gateway_process& asking_gateway()
{
    return shared(all->asking, "password");
}

gateway_process& hurried_gateway()
{
    return shared(all->hurried, "password", short_login_timeout);
}

bool serves(gateway_process& gateway, std::string* why)
{
    const auto target = gateway.target("app", "app") + " password=secret";
    const pg::conn_ptr conn(PQconnectdb(target.c_str()));
    const pg::result_ptr result(PQexec(conn.get(), "SELECT 40 + 2"));
    const bool answered = PQresultStatus(result.get()) == PGRES_TUPLES_OK &&
                          PQgetvalue(result.get(), 0, 0) == std::string("42");
    if (why && !answered)
        *why = PQerrorMessage(conn.get());
    return answered;
}

void AttackedGateway::TearDown()
{
    ASSERT_TRUE(gateway_.running()) << gateway_.log();
    std::string why;
    EXPECT_TRUE(serves(gateway_, &why)) << why;
    const auto log = gateway_.log();
    EXPECT_THAT(log, Not(::testing::HasSubstr("Sanitizer")));
    EXPECT_THAT(log, Not(::testing::HasSubstr("runtime error")));
}

wire_client AttackedGateway::logged_in() const
{
    auto client = connect();
    if (!client.log_in("app", "app"))
        throw std::runtime_error("login refused: " + client.error());
    return client;
}

}  // namespace sluice
