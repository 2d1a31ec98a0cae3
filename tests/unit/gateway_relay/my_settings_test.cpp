// tests/unit/gateway_relay/my_settings_test.cpp: what follows a MySQL client, and how it is set.
#include "gateway/relay/my_settings.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

session_settings start()
{
    return my_session_start(45, "shop", true);
}

TEST(MySettings, EqualSessionsNeedNothing)
{
    EXPECT_EQ(start().fingerprint(), start().fingerprint());
    EXPECT_TRUE(plan_my_settings(start(), start()).empty());
}

TEST(MySettings, AHandshakesNumberNamesCharacterSetAndCollation)
{
    const auto latin = my_session_start(8, "shop", false);
    EXPECT_EQ(*latin.find("character_set_client"), "latin1");
    EXPECT_EQ(*latin.find("collation_connection"), "latin1_swedish_ci");
    // MySQL 8's default is not known to MariaDB: the server chooses a collation of utf8mb4.
    const auto modern = my_session_start(255, "", false);
    EXPECT_EQ(*modern.find("character_set_connection"), "utf8mb4");
    EXPECT_EQ(modern.find("collation_connection"), nullptr);
    EXPECT_EQ(modern.find(schema_entry), nullptr);
}

TEST(MySettings, WhatDiffersIsSetInOneStatement)
{
    auto wanted = start();
    wanted.set("autocommit", "OFF");
    wanted.set("sql_select_limit", "18446744073709551615");
    wanted.set("time_zone", "+02:00");
    const auto plan = plan_my_settings(wanted, start());
    EXPECT_EQ(plan.sql,
              "SET @@session.autocommit='OFF', "
              "@@session.sql_select_limit=18446744073709551615, @@session.time_zone='+02:00'");
    EXPECT_TRUE(plan.safe);
    EXPECT_TRUE(plan.schema.empty());
    EXPECT_FALSE(plan.multi_statements);
}

TEST(MySettings, WhatAnotherClientSetGoesBackToItsDefaultFirst)
{
    auto applied = start();
    applied.set("sql_mode", "ANSI");
    auto wanted = start();
    wanted.set("time_zone", "SYSTEM");
    EXPECT_EQ(plan_my_settings(wanted, applied).sql,
              "SET @@session.sql_mode=DEFAULT, @@session.time_zone='SYSTEM'");
}

TEST(MySettings, ASchemaThatMayBeGoneIsWaitedFor)
{
    const auto plan = plan_my_settings(my_session_start(45, "other", true), start());
    EXPECT_EQ(plan.schema, "other");
    EXPECT_FALSE(plan.safe);
    EXPECT_TRUE(plan.sql.empty());
}

TEST(MySettings, SeveralStatementsInOneTextAreAnOption)
{
    const auto plan = plan_my_settings(my_session_start(45, "shop", false), start());
    ASSERT_TRUE(plan.multi_statements);
    EXPECT_FALSE(*plan.multi_statements);
    EXPECT_TRUE(plan.sql.empty());
}

TEST(MySettings, UnusualVariablesAreNotAssumedToBeAccepted)
{
    auto wanted = start();
    wanted.set("default_storage_engine", "Aria");
    EXPECT_FALSE(plan_my_settings(wanted, start()).safe);
}

TEST(MySettings, QuotesAndBackslashesReadTheSameInEverySqlMode)
{
    auto wanted = start();
    wanted.set("time_zone", "a'b\\c");
    EXPECT_EQ(plan_my_settings(wanted, start()).sql, "SET @@session.time_zone=_utf8 x'6127625c63'");
}

TEST(MySettings, NoResultCharacterSetIsNull)
{
    auto wanted = start();
    wanted.set("character_set_results", "");
    EXPECT_EQ(plan_my_settings(wanted, start()).sql, "SET @@session.character_set_results=NULL");
}

TEST(MySettings, KindsOfVariables)
{
    EXPECT_EQ(kind_of_variable("time_zone"), my_variable::follows);
    EXPECT_EQ(kind_of_variable("character_set_client"), my_variable::charset);
    EXPECT_EQ(kind_of_variable("identity"), my_variable::last_insert_id);
    EXPECT_EQ(kind_of_variable("timestamp"), my_variable::pins);
    EXPECT_EQ(kind_of_variable("session_track_schema"), my_variable::tracking);
}

TEST(MySettings, TheContextOfATextIsWhatChangesItsMeaning)
{
    auto session = start();
    const auto before = parse_context(session).fingerprint();
    session.set("time_zone", "+01:00");
    session.set("autocommit", "OFF");
    EXPECT_EQ(parse_context(session).fingerprint(), before);
    session.set("sql_mode", "ANSI_QUOTES");
    EXPECT_NE(parse_context(session).fingerprint(), before);
}

}  // namespace
}  // namespace sluice::gateway
