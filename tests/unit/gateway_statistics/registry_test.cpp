// tests/unit/gateway_statistics/registry_test.cpp: places, bounds, and what a meter counts.
#include "gateway/statistics/registry.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "gateway/statistics/request_meter.hpp"

namespace sluice::gateway::statistics {
namespace {

using namespace std::chrono_literals;
constexpr auto pg = sql::dialect::postgres;

class Meter : public testing::Test {
protected:
    Meter() { meter.count_in(all.client(all.pool("app", "app", "postgres", ""), "acme", 0)); }
    traffic_totals totals() { return read(*all.traffics().front()); }
    statement_totals statement(std::uint64_t digest)
    {
        std::map<std::uint64_t, statement_totals> found;
        all.databases().front()->workers[0]->statements.read(found);
        return found[digest];
    }

    registry all{2};
    request_meter meter;
    time_point now{1h};
};

TEST_F(Meter, CountsARequest)
{
    meter.begin(now);
    meter.wait();
    EXPECT_EQ(totals().waiting, 1);
    meter.granted(now + 3ms);
    EXPECT_EQ(totals().waiting, 0);
    EXPECT_EQ(totals().active, 1);
    meter.know(7, "SELECT 1", pg);
    meter.statement(7);
    meter.rows(1);
    meter.finished(now + 5ms, false);
    const auto got = totals();
    EXPECT_EQ(got.requests, 1u);
    EXPECT_EQ(got.statements, 1u);
    EXPECT_EQ(got.transactions, 1u);
    EXPECT_EQ(got.rows, 1u);
    EXPECT_EQ(got.wait_time, 3'000'000u);
    EXPECT_EQ(got.backend_time, 2'000'000u);
    EXPECT_EQ(got.transaction_time, 2'000'000u);
    EXPECT_EQ(got.latency.count(), 1u);
    EXPECT_EQ(got.latency.sum, 5'000'000u);
    EXPECT_EQ(got.active, 0);
    EXPECT_EQ(statement(7).calls, 1u);
    EXPECT_EQ(statement(7).backend_time, 2'000'000u);
    EXPECT_EQ(all.texts().find(7), "SELECT ?");
}

TEST_F(Meter, ATransactionIsOneHoweverManyRequests)
{
    for (int i = 0; i < 3; ++i) {
        meter.begin(now + i * 10ms);
        meter.granted(now + i * 10ms);
        meter.know(1 + static_cast<std::uint64_t>(i), "x", pg);
        meter.statement(1 + static_cast<std::uint64_t>(i));
        meter.finished(now + i * 10ms + 1ms, i < 2);
    }
    const auto got = totals();
    EXPECT_EQ(got.requests, 3u);
    EXPECT_EQ(got.transactions, 1u);
    EXPECT_EQ(got.transaction_time, 21'000'000u);
    EXPECT_EQ(got.backend_time, 3'000'000u);
}

TEST_F(Meter, PipelinedRequestsAreEachCounted)
{
    meter.begin(now);
    meter.granted(now);
    for (int i = 0; i < 5; ++i) {
        meter.know(9, "SELECT 1", pg);
        meter.statement(9);
        meter.sent();
    }
    for (int i = 0; i < 5; ++i)
        meter.finished(now + i * 1ms + 1ms, false);
    EXPECT_EQ(totals().requests, 5u);
    EXPECT_EQ(totals().statements, 5u);
    EXPECT_EQ(totals().backend_time, 5'000'000u);
    EXPECT_EQ(totals().active, 0);
    EXPECT_EQ(statement(9).calls, 5u);
}

TEST_F(Meter, StatementsOfOneRequestAreCountedByDigest)
{
    meter.begin(now);
    meter.granted(now);
    meter.know(2, "a", pg);
    meter.statement(2);
    meter.know(2, "a", pg);
    meter.statement(2);
    meter.know(3, "b", pg);
    meter.statement(3);
    meter.finished(now + 1ms, false);
    EXPECT_EQ(statement(2).calls, 2u);
    EXPECT_EQ(statement(3).calls, 1u);
    EXPECT_EQ(totals().statements, 3u);
}

TEST_F(Meter, ErrorsByCode)
{
    meter.begin(now);
    meter.error("42P01");
    meter.error("42P01");
    meter.error("1064");
    meter.refused(client_error::queue_full);
    std::map<std::string, std::uint64_t> codes;
    all.databases().front()->workers[0]->errors.for_each(
        [&](std::uint64_t code, std::uint64_t n) { codes[unpacked(code)] = n; });
    EXPECT_EQ(codes, (std::map<std::string, std::uint64_t>{{"42P01", 2}, {"1064", 1}}));
    EXPECT_EQ(totals().errors, 3u);
    EXPECT_EQ(all.databases()
                  .front()
                  ->workers[0]
                  ->refused[static_cast<std::size_t>(client_error::queue_full)]
                  .read(),
              1u);
}

TEST_F(Meter, AClientThatLeavesIsNoLongerActive)
{
    meter.begin(now);
    meter.granted(now);
    EXPECT_EQ(totals().active, 1);
    meter.leave();
    EXPECT_EQ(totals().active, 0);
    EXPECT_EQ(totals().requests, 0u);
}

TEST(Registry, TenantsPastTheBoundAreOthers)
{
    registry all(1);
    auto& pool = all.pool("app", "app", "postgres", "");
    for (int i = 0; i < 1000; ++i)
        all.client(pool, "t" + std::to_string(i), 0).traffic->requests.add();
    const auto found = all.traffics();
    EXPECT_EQ(found.size(), 201u);
    std::uint64_t sum = 0;
    std::uint64_t others = 0;
    for (const auto* each : found) {
        sum += read(*each).requests;
        if (each->tenant == other)
            others = read(*each).requests;
    }
    EXPECT_EQ(sum, 1000u);
    EXPECT_EQ(others, 800u);
}

TEST(Registry, PoolsPastTheBoundAreOthers)
{
    registry all(1);
    for (int i = 0; i < 3000; ++i) {
        const auto name = "db" + std::to_string(i);
        all.pool(name, name, "postgres", "");
    }
    EXPECT_LE(all.pools().size(), 1201u);
    EXPECT_EQ(all.pool("db2999", "db2999", "postgres", "").name, other);
    EXPECT_EQ(all.pool("db0", "db0", "postgres", "").name, "db0");
}

TEST(StatementTable, ForgetsTheLeastRecentlyUsed)
{
    std::atomic<std::size_t> left{1000};
    statement_table table(left);
    bool fresh = false;
    for (std::uint64_t digest = 1; digest <= 5000; ++digest) {
        table.find_or_add(digest, fresh)->calls.add();
        EXPECT_TRUE(fresh);
        table.find_or_add(1, fresh)->calls.add();
        EXPECT_FALSE(digest > 1 && fresh);
    }
    std::map<std::uint64_t, statement_totals> found;
    table.read(found);
    EXPECT_LE(found.size(), 512u);
    EXPECT_EQ(found[1].calls, 5001u);
    EXPECT_EQ(found[5000].calls, 1u);
}

TEST(StatementTable, WithoutRoomNothingIsKept)
{
    std::atomic<std::size_t> left{1};
    statement_table table(left);
    bool fresh = false;
    EXPECT_NE(table.find_or_add(1, fresh), nullptr);
    EXPECT_EQ(table.find_or_add(2, fresh), nullptr);
}

TEST(Counters, AReaderSeesAWritersNumbersRise)
{
    registry all(1);
    const auto to = all.client(all.pool("app", "app", "postgres", ""), "app", 0);
    constexpr std::uint64_t many = 200'000;
    std::thread writer([&] {
        request_meter meter;
        meter.count_in(to);
        const time_point now{1h};
        for (std::uint64_t i = 0; i < many; ++i) {
            meter.begin(now);
            meter.granted(now);
            meter.know(i % 2000 + 1, "SELECT 1", pg);
            meter.statement(i % 2000 + 1);
            meter.finished(now + 1ms, false);
        }
    });
    std::uint64_t before = 0;
    while (before < many) {
        const auto now = read(*all.traffics().front()).requests;
        ASSERT_GE(now, before);
        before = now;
        std::map<std::uint64_t, statement_totals> found;
        all.databases().front()->workers[0]->statements.read(found);
        ASSERT_LE(found.size(), 512u);
    }
    writer.join();
    EXPECT_EQ(read(*all.traffics().front()).statements, many);
}

}  // namespace
}  // namespace sluice::gateway::statistics
