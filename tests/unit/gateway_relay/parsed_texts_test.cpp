// tests/unit/gateway_relay/parsed_texts_test.cpp: which texts are prepared, and what is known of
// them.
#include "gateway/relay/parsed_texts.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

// A Parse's body behind its name: text, zero, no parameter types.
std::string definition(std::string_view text)
{
    return std::string(text) + std::string(3, '\0');
}

TEST(ParsedTexts, PreparesWhatComesOften)
{
    statement_table table;
    parsed_texts texts(table);
    const std::string one = definition("SELECT a FROM t WHERE id = $1");
    EXPECT_FALSE(texts.look(as_bytes(one)).prepared);
    EXPECT_FALSE(texts.look(as_bytes(one)).prepared);
    const auto prepared = texts.look(as_bytes(one)).prepared;
    ASSERT_TRUE(prepared);
    EXPECT_EQ(prepared->definition, one);
    EXPECT_EQ(texts.look(as_bytes(one)).prepared, prepared);
    EXPECT_TRUE(texts.look(as_bytes(one)).only_reads);
    EXPECT_EQ(texts.look(as_bytes(one)).digest, prepared->digest);
}

TEST(ParsedTexts, ParameterTypesMakeAnotherStatement)
{
    statement_table table;
    parsed_texts texts(table);
    const std::string text("SELECT $1\0\0\0", 12);
    const std::string typed("SELECT $1\0\0\1\0\0\0\27", 16);
    for (int i = 0; i < 3; ++i)
        texts.look(as_bytes(text));
    const auto untyped = texts.look(as_bytes(text)).prepared;
    for (int i = 0; i < 3; ++i)
        texts.look(as_bytes(typed));
    EXPECT_NE(texts.look(as_bytes(typed)).prepared, untyped);
}

TEST(ParsedTexts, NeverPreparesWhatTouchesTheSession)
{
    statement_table table;
    parsed_texts texts(table);
    for (const char* text : {"BEGIN",
                             "SET TIME ZONE 'UTC'",
                             "SELECT 1; SELECT 2",
                             "LISTEN a",
                             "SELECT pg_advisory_lock(1)",
                             "DEALLOCATE ALL"}) {
        const std::string one = definition(text);
        for (int i = 0; i < 10; ++i)
            EXPECT_FALSE(texts.look(as_bytes(one)).prepared) << text;
        EXPECT_FALSE(texts.look(as_bytes(one)).plain) << text;
    }
    EXPECT_EQ(table.size(), 0u);
}

TEST(ParsedTexts, IsBounded)
{
    statement_table table;
    parsed_texts texts(table);
    for (int i = 0; i < 20'000; ++i) {
        const std::string one = definition("SELECT " + std::to_string(i));
        const auto& found = texts.look(as_bytes(one));
        EXPECT_EQ(found.definition, one);
        EXPECT_TRUE(found.plain);
    }
}

}  // namespace
}  // namespace sluice::gateway
