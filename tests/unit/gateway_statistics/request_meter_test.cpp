// tests/unit/gateway_statistics/request_meter_test.cpp: what counts as what, and that gauges
// return.
#include "gateway/statistics/request_meter.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway::statistics {
namespace {

class RequestMeter : public ::testing::Test {
protected:
    RequestMeter() { meter.count_in(counts.client(pool, "acme", 0)); }

    time_point at(int ms) const { return began + std::chrono::milliseconds(ms); }
    traffic_totals totals() const { return read(*counts.traffics().front()); }

    const time_point began = time_point::clock::now();
    registry counts{1};
    pool_entry& pool = counts.pool("app", "app", "postgres", "");
    request_meter meter;
};

TEST_F(RequestMeter, TimesOneRequest)
{
    meter.begin(at(0));
    meter.wait();
    EXPECT_EQ(totals().waiting, 1);
    meter.granted(at(30));
    EXPECT_EQ(totals().waiting, 0);
    EXPECT_EQ(totals().active, 1);
    meter.know(7, "SELECT 1", sql::dialect::postgres);
    meter.statement(7);
    meter.sent();
    meter.rows(3);
    meter.finished(at(50), false);
    const auto now = totals();
    EXPECT_EQ(now.active, 0);
    EXPECT_EQ(now.requests, 1u);
    EXPECT_EQ(now.statements, 1u);
    EXPECT_EQ(now.transactions, 1u);
    EXPECT_EQ(now.rows, 3u);
    EXPECT_EQ(now.wait_time, 30'000'000u);
    EXPECT_EQ(now.backend_time, 20'000'000u);
    EXPECT_EQ(now.latency.sum, 50'000'000u);
    EXPECT_EQ(counts.texts().find(7), "SELECT ?");
    std::map<std::uint64_t, statement_totals> statements;
    pool.database->workers[0]->statements.read(statements);
    EXPECT_EQ(statements[7].calls, 1u);
    EXPECT_EQ(statements[7].rows, 3u);
}

TEST_F(RequestMeter, ATransactionIsOneHoweverManyRequests)
{
    for (int i = 0; i < 3; ++i) {
        meter.begin(at(10 * i));
        meter.granted(at(10 * i));
        meter.statement(0);
        meter.sent();
        meter.finished(at(10 * i + 1), i < 2);
    }
    EXPECT_EQ(totals().transactions, 1u);
    EXPECT_EQ(totals().transaction_time, 21'000'000u);
    EXPECT_EQ(totals().statements, 3u);
    // A Sync alone, a PING: no statement, no transaction.
    meter.begin(at(40));
    meter.granted(at(40));
    meter.sent();
    meter.finished(at(41), false);
    EXPECT_EQ(totals().transactions, 1u);
    EXPECT_EQ(totals().requests, 4u);
}

TEST_F(RequestMeter, PipelinedRequestsFinishOneByOne)
{
    meter.begin(at(0));
    meter.granted(at(0));
    for (int i = 0; i < 3; ++i) {
        meter.statement(5);
        meter.sent();
    }
    meter.finished(at(1), false);
    EXPECT_EQ(totals().active, 1);
    EXPECT_TRUE(meter.open());
    meter.finished(at(2), false);
    meter.finished(at(3), false);
    EXPECT_EQ(totals().active, 0);
    EXPECT_EQ(totals().requests, 3u);
    EXPECT_EQ(totals().statements, 3u);
    EXPECT_EQ(totals().transactions, 3u);
    EXPECT_EQ(totals().latency.sum, 3'000'000u);
}

TEST_F(RequestMeter, WhatIsSentOnceMoreCountsOnce)
{
    meter.begin(at(0));
    meter.granted(at(0));
    meter.statement(5);
    meter.sent();
    meter.taken_back();
    EXPECT_EQ(totals().active, 0);
    meter.granted(at(5));
    meter.statement(5);
    meter.sent();
    meter.finished(at(6), false);
    EXPECT_EQ(totals().statements, 1u);
    EXPECT_EQ(totals().latency.sum, 6'000'000u);
}

TEST_F(RequestMeter, WhoLeavesIsInNoGauge)
{
    meter.begin(at(0));
    meter.wait();
    meter.gave_up(at(100));
    EXPECT_EQ(totals().waiting, 0);
    EXPECT_EQ(totals().wait_time, 100'000'000u);
    EXPECT_EQ(totals().requests, 0u);
    meter.begin(at(200));
    meter.granted(at(200));
    meter.leave();
    EXPECT_EQ(totals().active, 0);
    // Its backend answers after all.
    meter.finished(at(201), false);
    EXPECT_EQ(totals().requests, 0u);
    {
        request_meter gone;
        gone.count_in(counts.client(pool, "acme", 0));
        gone.begin(at(0));
        gone.wait();
        EXPECT_EQ(totals().waiting, 1);
    }
    EXPECT_EQ(totals().waiting, 0);
}

TEST_F(RequestMeter, ErrorsByCode)
{
    meter.error("42P01");
    meter.error("42P01");
    meter.refused(client_error::queue_full);
    std::map<std::string, std::uint64_t> codes;
    pool.database->workers[0]->errors.for_each(
        [&](std::uint64_t code, std::uint64_t n) { codes[unpacked(code)] = n; });
    EXPECT_EQ(codes["42P01"], 2u);
    EXPECT_EQ(totals().errors, 2u);
    const auto which = static_cast<std::size_t>(client_error::queue_full);
    EXPECT_EQ(pool.database->workers[0]->refused[which].read(), 1u);
}

TEST(RequestMeterNowhere, CountsNothing)
{
    request_meter meter;
    meter.begin(time_point::clock::now());
    meter.granted(time_point::clock::now());
    meter.statement(1);
    meter.finished(time_point::clock::now(), false);
    EXPECT_FALSE(meter.open());
}

}  // namespace
}  // namespace sluice::gateway::statistics
