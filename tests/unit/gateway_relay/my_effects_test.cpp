// tests/unit/gateway_relay/my_effects_test.cpp: what pins a MySQL client, and what ends it.
#include "gateway/relay/my_effects.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

void run(my_pins& pins, std::string_view text)
{
    const auto effects = my_effects_of(text);
    pins.pin(effects);
    pins.settle(effects);
}

TEST(MyEffects, OrdinaryStatementsPinNothing)
{
    for (const std::string_view text : {"SELECT 1",
                                        "INSERT INTO t VALUES (1)",
                                        "UPDATE t SET a = 1",
                                        "BEGIN",
                                        "COMMIT",
                                        "SET NAMES utf8mb4",
                                        "SHOW TABLES",
                                        "USE shop"}) {
        my_pins pins;
        run(pins, text);
        EXPECT_FALSE(pins.pinned()) << text;
    }
}

TEST(MyEffects, ReasonsAreNamed)
{
    for (const std::string_view text : {"SET @a = 1",
                                        "SELECT @a := 1",
                                        "SELECT GET_LOCK('x', 1)",
                                        "CREATE TEMPORARY TABLE t (a INT)",
                                        "PREPARE s FROM 'SELECT 1'",
                                        "SELECT SQL_CALC_FOUND_ROWS * FROM t"}) {
        my_pins pins;
        pins.pin(my_effects_of(text));
        EXPECT_TRUE(pins.pinned()) << text;
        EXPECT_FALSE(pins.reason().empty()) << text;
    }
}

TEST(MyEffects, TheLastDeallocateEndsThePin)
{
    my_pins pins;
    run(pins, "PREPARE a FROM 'SELECT 1'");
    run(pins, "PREPARE `B` FROM 'SELECT 2'");
    run(pins, "PREPARE a FROM 'SELECT 3'");
    run(pins, "DEALLOCATE PREPARE A");
    EXPECT_TRUE(pins.pinned());
    run(pins, "DROP PREPARE b");
    EXPECT_FALSE(pins.pinned());
}

TEST(MyEffects, AFailedDeallocateEndsNothing)
{
    my_pins pins;
    run(pins, "PREPARE a FROM 'SELECT 1'");
    pins.pin(my_effects_of("DEALLOCATE PREPARE a"));
    EXPECT_TRUE(pins.pinned());
}

TEST(MyEffects, FoundRowsLastForOneStatement)
{
    my_pins pins;
    run(pins, "SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1");
    EXPECT_TRUE(pins.pinned());
    run(pins, "SELECT FOUND_ROWS()");
    EXPECT_FALSE(pins.pinned());
}

TEST(MyEffects, LocksOfTablesAreTheServersWord)
{
    my_pins pins;
    pins.set_tables_locked(true);
    EXPECT_TRUE(pins.pinned());
    pins.set_tables_locked(false);
    EXPECT_FALSE(pins.pinned());
}

TEST(MyEffects, ForGoodLastsUntilTheSessionIsReset)
{
    my_pins pins;
    pins.pin_for_good("session state");
    run(pins, "SELECT 1");
    EXPECT_EQ(pins.reason(), "session state");
    pins.clear();
    EXPECT_FALSE(pins.pinned());
}

TEST(MyEffects, WhatAServersReportMayBeExplainedBy)
{
    EXPECT_TRUE(my_effects_of("SET time_zone = '+00:00'").changes_explained);
    EXPECT_TRUE(my_effects_of("SET time_zone = '+00:00'; BEGIN; SELECT 1").changes_explained);
    EXPECT_FALSE(my_effects_of("SELECT f()").changes_explained);
    EXPECT_FALSE(my_effects_of("CALL p()").changes_explained);
    EXPECT_FALSE(my_effects_of("CALL p()").plain);
    EXPECT_TRUE(my_effects_of("SELECT f()").plain);
}

TEST(MyEffects, CommandsInWords)
{
    EXPECT_EQ(my_effects_of("USE `my``shop`").schema, "my`shop");
    EXPECT_TRUE(my_effects_of("LOAD DATA LOCAL INFILE 'x' INTO TABLE t").loads_local_file);
    const auto kill = my_effects_of("KILL QUERY 17");
    EXPECT_TRUE(kill.kills && kill.kill.query);
    EXPECT_EQ(kill.kill.connection, 17u);
    EXPECT_TRUE(my_effects_of("SET session_track_schema = 1").touches_tracking);
    EXPECT_TRUE(my_effects_of("START TRANSACTION READ ONLY").opens_transaction);
}

}  // namespace
}  // namespace sluice::gateway
