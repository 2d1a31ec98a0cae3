// Session settings: remembered, compared, restored; what statements leave in a session.
#include "gateway/relay/settings.hpp"

#include <gtest/gtest.h>

#include "gateway/relay/effects.hpp"
#include "gateway/relay/statements.hpp"

namespace sluice::gateway {
namespace {

session_settings of(std::initializer_list<std::pair<const char*, const char*>> values)
{
    session_settings made;
    for (const auto& [name, value] : values)
        made.set(name, value);
    return made;
}

TEST(SessionSettings, NamesCompareWithoutRegardToCase)
{
    auto settings = of({{"TimeZone", "UTC"}});
    settings.set("TIMEZONE", "Europe/Berlin");
    EXPECT_EQ(settings.size(), 1u);
    EXPECT_EQ(*settings.find("timezone"), "Europe/Berlin");
    settings.erase("tImEzOnE");
    EXPECT_TRUE(settings.empty());
}

TEST(SessionSettings, FingerprintsTellContentsNotHistory)
{
    auto one = of({{"a", "1"}, {"b", "2"}});
    auto two = of({{"b", "9"}, {"a", "1"}});
    EXPECT_NE(one.fingerprint(), two.fingerprint());
    two.set("b", "2");
    EXPECT_EQ(one.fingerprint(), two.fingerprint());
    two.clear();
    EXPECT_EQ(two.fingerprint(), session_settings().fingerprint());
}

TEST(PlanSettings, OnlyWhatDiffersIsSent)
{
    const auto plan = plan_settings(of({{"application_name", "x"}, {"search_path", "a, b"}}),
                                    of({{"search_path", "a, b"}}),
                                    of({{"application_name", "y"}}));
    EXPECT_EQ(plan.sql, "SELECT pg_catalog.set_config('application_name','x',false)");
    EXPECT_TRUE(plan.safe);
}

TEST(PlanSettings, WhatAnotherClientSetIsReset)
{
    const auto plan = plan_settings({}, of({{"my.setting", "1"}, {"role", "r"}}), {});
    EXPECT_EQ(plan.sql, "RESET \"my\".\"setting\";RESET \"role\";");
}

TEST(PlanSettings, ValuesAreQuotedWhateverTheyHold)
{
    const auto plan = plan_settings(of({{"x.y", "it's a \\ 'quote'"}}), {}, {});
    EXPECT_EQ(plan.sql, "SELECT pg_catalog.set_config('x.y', E'it''s a \\\\ ''quote''',false)");
    EXPECT_FALSE(plan.safe) << "an unknown setting may be refused: wait for the answer";
}

TEST(StartupSettings, OptionsAreReadAsPostgresReadsThem)
{
    session_settings into;
    EXPECT_TRUE(startup_settings({{"user", "u"},
                                  {"database", "d"},
                                  {"options", "-c search_path=a,\\ b --work-mem=4MB -cgeqo=off"},
                                  {"TimeZone", "UTC"},
                                  {"_pq_.x", "1"}},
                                 into));
    EXPECT_EQ(*into.find("search_path"), "a, b");
    EXPECT_EQ(*into.find("work_mem"), "4MB");
    EXPECT_EQ(*into.find("geqo"), "off");
    EXPECT_EQ(*into.find("timezone"), "UTC");
    EXPECT_EQ(into.size(), 4u);
    EXPECT_FALSE(startup_settings({{"options", "-f"}}, into));
    EXPECT_FALSE(startup_settings({{"options", "-c"}}, into));
    EXPECT_FALSE(startup_settings({{"options", "-c novalue"}}, into));
}

TEST(StartupSettings, EncodingsGetTheServersSpelling)
{
    session_settings into;
    startup_settings({{"client_encoding", "'utf-8'"}}, into);
    EXPECT_EQ(*into.find("client_encoding"), "UTF8");
    startup_settings({{"client_encoding", "LATIN1"}}, into);
    EXPECT_EQ(*into.find("client_encoding"), "LATIN1");
}

TEST(effects_test, OnlyOtherStringsThanTheStandardsAreUnclear)
{
    EXPECT_FALSE(effects_of("SET standard_conforming_strings = on").strings_unclear);
    EXPECT_FALSE(effects_of("SET SESSION Standard_Conforming_Strings TO 'ON'").strings_unclear);
    EXPECT_FALSE(effects_of("SET search_path = off").strings_unclear);
    EXPECT_TRUE(effects_of("SET standard_conforming_strings = off").strings_unclear);
    EXPECT_TRUE(effects_of("SET standard_conforming_strings TO DEFAULT").strings_unclear);
    EXPECT_TRUE(effects_of("RESET standard_conforming_strings").strings_unclear);
    EXPECT_TRUE(
        effects_of("SELECT set_config('standard_conforming_strings', x, false)").strings_unclear);
}

class pin_test : public testing::Test {
protected:
    void run(std::string_view text)
    {
        const auto effects = effects_of(text);
        pins.pin(effects);
        pins.unpin(effects);
        pins.pin(effects);
    }
    pin_tracker pins;
};

TEST_F(pin_test, TheLastOneOfAKindTakesThePinAway)
{
    run("PREPARE one AS SELECT 1");
    run("PREPARE \"Two\" AS SELECT 2");
    EXPECT_TRUE(pins.pinned());
    run("DEALLOCATE ONE");
    EXPECT_TRUE(pins.pinned());
    run("DEALLOCATE \"Two\"");
    EXPECT_FALSE(pins.pinned());
    run("LISTEN a");
    run("CREATE TEMP TABLE t (x int)");
    run("UNLISTEN *");
    EXPECT_EQ(pins.reasons(), sql::pin_reason::temporary_object);
    pins.clear();
    EXPECT_FALSE(pins.pinned());
}

TEST_F(pin_test, NamesThatNobodyKnowsKeepThePin)
{
    run("PREPARE a AS SELECT 1; PREPARE b AS SELECT 2");
    run("DEALLOCATE a");
    EXPECT_TRUE(pins.pinned());
    run("DEALLOCATE ALL");
    EXPECT_FALSE(pins.pinned());
    run("SELECT 1; LISTEN b");
    run("UNLISTEN a");
    EXPECT_TRUE(pins.pinned());
}

TEST_F(pin_test, WhatPinsBehindWhatUnpinsStays)
{
    run("LISTEN a");
    run("UNLISTEN *; LISTEN b");
    EXPECT_TRUE(pins.pinned());
}

TEST(StatementTable, TheSameTextIsOneStatement)
{
    statement_table table;
    const std::string one("select 1\0\0\0", 11);
    const std::string two("select 2\0\0\0", 11);
    const auto a = table.intern(as_bytes(one));
    const auto b = table.intern(as_bytes(one));
    const auto c = table.intern(as_bytes(two));
    EXPECT_EQ(a, b);
    EXPECT_NE(a->id, c->id);
    EXPECT_NE(a->backend_name, c->backend_name);
    EXPECT_FALSE(a->effects.any);
}

TEST(PreparedCache, TheLeastRecentlyUsedIsTheOldest)
{
    prepared_cache cache;
    for (std::uint64_t id : {1, 2, 3})
        cache.add(id);
    EXPECT_TRUE(cache.use(1));
    EXPECT_EQ(cache.oldest(), 2u);
    cache.remove(2);
    EXPECT_FALSE(cache.use(2));
    EXPECT_EQ(cache.oldest(), 3u);
    cache.clear();
    EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace sluice::gateway
