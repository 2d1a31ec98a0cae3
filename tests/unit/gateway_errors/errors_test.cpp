// tests/unit/gateway_errors/errors_test.cpp: the table of errors that clients see.
#include "gateway/errors.hpp"

#include <gtest/gtest.h>

#include <set>

#include "proto/core/errc.hpp"

namespace sluice::gateway {
namespace {

TEST(ClientErrors, EveryRuleIsFoundByItsCodeAndHasADistinctName)
{
    std::set<std::string_view> names;
    for (const auto& rule : error_rules()) {
        EXPECT_EQ(&rule_for(rule.code), &rule);
        EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
        EXPECT_FALSE(rule.message.empty()) << rule.name;
        EXPECT_NE(rule.mysql_errno, 0) << rule.name;
    }
}

// The table of the design's chapter on errors.
TEST(ClientErrors, CodesAreThePromisedOnes)
{
    struct promise {
        client_error code;
        std::string_view sqlstate;
        int number;
        std::string_view mysql_sqlstate;
        std::string_view severity;
    };
    const promise promises[] = {
        {client_error::too_many_clients, "53300", 1040, "08004", "FATAL"},
        {client_error::too_many_tenant_clients, "53300", 1040, "08004", "FATAL"},
        {client_error::queue_full, "53400", 1226, "42000", "ERROR"},
        {client_error::queue_timeout, "53400", 1226, "42000", "ERROR"},
        {client_error::rate_exceeded, "53400", 1226, "42000", "ERROR"},
        {client_error::statement_timeout, "57014", 3024, "HY000", "ERROR"},
        {client_error::cancelled, "57014", 1317, "70100", "ERROR"},
        {client_error::login_failed, "28P01", 1045, "28000", "FATAL"},
        {client_error::unknown_database, "3D000", 1049, "42000", "FATAL"},
        {client_error::forbidden_database, "42501", 1044, "42000", "FATAL"},
        {client_error::no_database, "3D000", 1046, "3D000", "ERROR"},
        {client_error::unknown_connection, "42704", 1094, "HY000", "ERROR"},
        {client_error::kill_denied, "42501", 1095, "HY000", "ERROR"},
        {client_error::backend_unreachable, "08001", 1105, "08001", "ERROR"},
        {client_error::backend_lost, "08006", 1105, "08S01", "ERROR"},
        {client_error::malformed_message, "08P01", 1835, "HY000", "FATAL"},
        {client_error::message_too_large, "54000", 1153, "08S01", "FATAL"},
        {client_error::shutting_down, "57P01", 1053, "08S01", "FATAL"},
    };
    for (const auto& want : promises) {
        const auto& rule = rule_for(want.code);
        EXPECT_EQ(rule.sqlstate, want.sqlstate) << rule.name;
        EXPECT_EQ(rule.mysql_errno, want.number) << rule.name;
        EXPECT_EQ(rule.mysql_sqlstate, want.mysql_sqlstate) << rule.name;
        EXPECT_EQ(rule.severity(), want.severity) << rule.name;
    }
}

TEST(ClientErrors, FailuresBelowTheGatewayHaveTheirClientError)
{
    EXPECT_EQ(client_error_for(errc::trailing_bytes), client_error::malformed_message);
    EXPECT_EQ(client_error_for(errc::message_too_large), client_error::message_too_large);
    EXPECT_EQ(client_error_for(errc::authentication_failed), client_error::login_failed);
    EXPECT_EQ(client_error_for(errc::pool_timeout), client_error::queue_timeout);
    EXPECT_EQ(client_error_for(errc::pool_queue_full), client_error::queue_full);
    EXPECT_EQ(client_error_for(errc::connect_timeout), client_error::backend_unreachable);
    EXPECT_EQ(client_error_for(errc::backend_lost), client_error::backend_lost);
    EXPECT_EQ(client_error_for(errc::stopped), client_error::shutting_down);
    EXPECT_EQ(client_error_for(std::make_error_code(std::errc::not_enough_memory)),
              client_error::out_of_memory);
    EXPECT_EQ(client_error_for(std::make_error_code(std::errc::io_error)), client_error::internal);
}

}  // namespace
}  // namespace sluice::gateway
