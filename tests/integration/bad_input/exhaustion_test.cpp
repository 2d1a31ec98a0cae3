// tests/integration/bad_input/exhaustion_test.cpp: too many connections, too few descriptors.
#include <sys/resource.h>

#include <algorithm>
#include <vector>

#include "integration/bad_input/gateways.hpp"

namespace sluice {
namespace {

// As many descriptors as this process may have.
std::size_t raise_descriptor_limit()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

// Of a connection that has not logged in; ASan surrounds each block with red zones, and keeps freed
// ones for a while.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kib_each = 8;
#else
constexpr std::size_t kib_each = 4;
#endif

TEST(Exhaustion, TenThousandConnectionsThatNeverLogIn)
{
    const auto limit = raise_descriptor_limit();
    const auto count = std::min<std::size_t>(10'000, limit - 500);
    gateway_process gateway(
        SLUICE_BINARY, configuration("trust", "max_clients = 20000", short_login_timeout), limit);
    ASSERT_TRUE(serves(gateway));
    const auto memory = gateway.resident_kib();
    const auto descriptors = gateway.descriptors();

    for (int round = 0; round < 2; ++round) {
        std::vector<wire_client> idle;
        idle.reserve(count);
        const auto begun = steady::now();
        while (idle.size() < count) {
            idle.emplace_back(gateway.port());
            ASSERT_TRUE(idle.back().connected()) << idle.size();
        }
        RecordProperty("connecting_ms", static_cast<int>((steady::now() - begun) / 1ms));
        std::string why;
        EXPECT_TRUE(soon([&] { return serves(gateway, &why); })) << why;
        // Each is worth its socket and a few hundred bytes of state, not a buffer.
        EXPECT_LT(gateway.resident_kib(), memory + count * kib_each);
        // The login timeout ends them, with us still here.
        EXPECT_TRUE(soon([&] { return gateway.descriptors() <= descriptors + 8; }))
            << gateway.descriptors() << " descriptors open, " << descriptors << " before";
    }
    ASSERT_TRUE(gateway.running()) << gateway.log();
    std::string why;
    EXPECT_TRUE(serves(gateway, &why)) << why;
    EXPECT_LT(gateway.resident_kib(), memory + count * kib_each);
}

TEST(Exhaustion, ClientsPastTheLimitAreToldSo)
{
    gateway_process gateway(SLUICE_BINARY, configuration("trust", "max_clients = 10"));
    std::vector<wire_client> clients;
    std::string refusal;
    for (int i = 0; i < 30; ++i) {
        clients.emplace_back(gateway.port());
        if (!clients.back().log_in("app", "app"))
            refusal = clients.back().error();
    }
    EXPECT_THAT(refusal, ::testing::HasSubstr("53300"));
    EXPECT_THAT(refusal, ::testing::HasSubstr("max_clients"));
    clients.clear();
    EXPECT_TRUE(soon([&] { return serves(gateway); }));
}

TEST(Exhaustion, OutOfDescriptors)
{
    constexpr std::size_t few = 64;
    gateway_process gateway(SLUICE_BINARY, configuration("trust"), few);
    ASSERT_TRUE(serves(gateway));
    for (int round = 0; round < 3; ++round) {
        std::vector<wire_client> crowd;
        for (std::size_t i = 0; i < 4 * few; ++i) {
            crowd.emplace_back(gateway.port());
            // Some of them want a backend, which needs a descriptor too.
            if (i % 4 == 0 && crowd.back().connected())
                crowd.back().send(startup("app", "app") + simple_query("SELECT 1"));
        }
        // It waits for descriptors; it does not spin, once it has done what it can.
        EXPECT_TRUE(soon([&] {
            const auto cpu = gateway.cpu();
            const auto begun = steady::now();
            std::this_thread::sleep_for(1s);
            return gateway.cpu() - cpu < 0.2 * (steady::now() - begun);
        }));
        ASSERT_TRUE(gateway.running()) << gateway.log();
        crowd.clear();
        std::string why;
        EXPECT_TRUE(soon([&] { return serves(gateway, &why); })) << why;
    }
    EXPECT_THAT(gateway.log(), ::testing::HasSubstr("descriptors"));
    EXPECT_LT(gateway.log().size(), 200'000u);
}

TEST(Exhaustion, NoDescriptorLeftForABackend)
{
    // Clients in, then no room for a connection to the database: the statement fails with a clear
    // error or waits; the session lives on.
    gateway_process gateway(SLUICE_BINARY, configuration("trust"), 64);
    ASSERT_TRUE(serves(gateway));
    std::vector<wire_client> clients;
    while (clients.size() < 200) {
        wire_client client(gateway.port());
        if (!client.connected() || !client.send(startup("app", "app")))
            break;
        std::string types;
        try {
            types = client.until_ready(2s);
        } catch (const std::exception&) {
            break;  // waits in the kernel for a descriptor
        }
        if (!types.ends_with('Z'))
            break;
        clients.push_back(std::move(client));
    }
    ASSERT_GT(clients.size(), 5u);
    const auto sleep = simple_query("SELECT pg_sleep(0.2)");
    for (auto& client : clients)
        ASSERT_TRUE(client.send(sleep));
    for (auto& client : clients) {
        const auto types = client.until_ready(30s);
        EXPECT_TRUE(types == "TDCZ" || types.find('E') != std::string::npos) << types;
    }
    clients.clear();
    EXPECT_TRUE(soon([&] { return serves(gateway); })) << gateway.log();
}

}  // namespace
}  // namespace sluice
