// tests/unit/gateway_relay/my_statements_test.cpp: statements by text and context; executions.
#include "gateway/relay/my_statements.hpp"

#include <gtest/gtest.h>

#include "gateway/relay/my_settings.hpp"

namespace sluice::gateway {
namespace {

TEST(MyStatements, SameTextInTheSameContextIsOneStatement)
{
    my_statement_table table;
    const auto context = parse_context(my_session_start(45, "shop", true));
    const auto other = parse_context(my_session_start(45, "other", true));
    const auto first = table.intern("SELECT ?", context, {});
    EXPECT_EQ(table.intern("SELECT ?", context, {}), first);
    EXPECT_NE(table.intern("SELECT ?", other, {})->id, first->id);
    EXPECT_NE(table.intern("SELECT 1", context, {})->id, first->id);
    EXPECT_EQ(table.size(), 3u);
}

TEST(MyStatements, WhatNobodyHasPreparedIsForgotten)
{
    my_statement_table table;
    for (int i = 0; i < 5000; ++i)
        (void)table.intern("SELECT " + std::to_string(i), {}, {});
    EXPECT_LE(table.size(), 1025u);
}

TEST(MyStatements, ABackendForgetsTheLeastRecentlyUsed)
{
    my_prepared_cache cache;
    EXPECT_FALSE(cache.add(1, 10));
    EXPECT_FALSE(cache.add(2, 20));
    ASSERT_NE(cache.use(1), nullptr);
    EXPECT_EQ(cache.oldest().statement, 2u);
    EXPECT_EQ(cache.add(1, 11), 10u);
    EXPECT_EQ(cache.use(1)->backend_id, 11u);
    cache.remove(1);
    EXPECT_EQ(cache.use(1), nullptr);
    EXPECT_EQ(cache.size(), 1u);
}

std::vector<std::byte> execute(std::size_t parameters, bool types)
{
    std::vector<std::byte> payload(10 + (parameters ? (parameters + 7) / 8 + 1 : 0));
    payload[0] = std::byte{0x17};
    payload[1] = std::byte{5};
    if (parameters)
        payload.back() = std::byte{types};
    if (types)
        payload.resize(payload.size() + 2 * parameters, std::byte{8});
    return payload;
}

TEST(MyStatements, ExecutionsAreReadAsFarAsTheTypes)
{
    const auto named = execute(9, true);
    const auto found = parse_execute(named, 9);
    EXPECT_TRUE(found.complete && found.names_types);
    EXPECT_EQ(found.id, 5u);
    EXPECT_EQ(found.types_at, 13u);
    EXPECT_EQ(execute_prefix(9), named.size());
    EXPECT_FALSE(parse_execute(execute(9, false), 9).names_types);
    EXPECT_TRUE(parse_execute(execute(0, false), 0).complete);
}

TEST(MyStatements, EveryPrefixOfAnExecutionIsIncomplete)
{
    const auto whole = execute(3, true);
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(parse_execute(bytes_view(whole).first(size), 3).complete) << size;
}

TEST(MyStatements, MarksTellTypesApart)
{
    EXPECT_EQ(mark_of(""), 0u);
    EXPECT_NE(mark_of(std::string_view("\x08\0", 2)), 0u);
    EXPECT_NE(mark_of(std::string_view("\x08\0", 2)), mark_of(std::string_view("\xfd\0", 2)));
}

}  // namespace
}  // namespace sluice::gateway
