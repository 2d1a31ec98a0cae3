// tests/unit/proto_sql/words_test.cpp: splitting texts, transaction words, settings words.
#include <gtest/gtest.h>

#include "proto/sql/settings_words.hpp"
#include "proto/sql/split.hpp"
#include "proto/sql/string_literal.hpp"
#include "proto/sql/transaction_words.hpp"
#include "texts.hpp"

namespace sluice::sql {
namespace {

std::string split(std::string_view text)
{
    std::string out;
    for (auto one = next_statement(text); !one.empty(); one = next_statement(text)) {
        if (!out.empty())
            out += " | ";
        out += one;
    }
    EXPECT_TRUE(text.empty());
    return out;
}

TEST(Split, Statements)
{
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", ""},
        {" ;; -- x;\n /* ; */ ; ", ""},
        {"SELECT 1", "SELECT 1"},
        {" SELECT 1 ; /* x */ SELECT 2 /* y */ ; ", "SELECT 1 | SELECT 2"},
        {"SELECT ';', \";\", $$;$$, E'\\';', `;`; x", "SELECT ';', \";\", $$;$$, E'\\';', `;` | x"},
        {"SELECT (1; 2); b", "SELECT (1; 2) | b"},
        {"a) ; b", "a) | b"},
        {"SELECT 'a; b", "SELECT 'a; b"},
        {"CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE u SET a = CASE WHEN 1 THEN 2 END; DELETE "
         "FROM v; END; SELECT 1",
         "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE u SET a = CASE WHEN 1 THEN 2 END; DELETE "
         "FROM v; END | SELECT 1"},
        {"CREATE TEMP TRIGGER IF NOT EXISTS r BEGIN SELECT 1; END; x",
         "CREATE TEMP TRIGGER IF NOT EXISTS r BEGIN SELECT 1; END | x"},
        {"BEGIN; UPDATE t SET a = 1; END; x", "BEGIN | UPDATE t SET a = 1 | END | x"},
        {"CREATE TABLE t (a); BEGIN; END", "CREATE TABLE t (a) | BEGIN | END"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(split(text), expected) << text;
}

// "begin iso=serializable ro chain !<text at the error>"
std::string transaction(std::string_view text)
{
    static constexpr std::string_view verbs[] = {"none",
                                                 "begin",
                                                 "commit",
                                                 "rollback",
                                                 "savepoint",
                                                 "release",
                                                 "rollback_to",
                                                 "set",
                                                 "session",
                                                 "prepare",
                                                 "commit_prepared",
                                                 "rollback_prepared"};
    static constexpr std::string_view locks[] = {"deferred", "immediate", "exclusive"};
    const auto t = parse_transaction(text);
    std::string out(verbs[static_cast<std::size_t>(t.verb)]);
    if (t.start)
        out += " start";
    if (t.isolation)
        out += " iso=" + std::string(to_text(*t.isolation));
    if (t.read_only)
        out += *t.read_only ? " ro" : " rw";
    if (t.deferrable)
        out += *t.deferrable ? " deferrable" : " not deferrable";
    if (t.lock)
        out += ' ' + std::string(locks[static_cast<std::size_t>(*t.lock)]);
    if (t.chain)
        out += " chain";
    if (!t.name.raw.empty())
        out += " name=" + std::string(t.name.raw);
    if (t.error)
        out += " !" + std::string(t.error->text);
    return out;
}

TEST(TransactionWords, Statements)
{
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", "none"},
        {"SELECT 1", "none"},
        {"begin ", "begin"},
        {"BEGIN;", "begin"},
        {"BEGIN WORK", "begin"},
        {"BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED", "begin iso=read committed"},
        {"BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, NOT DEFERRABLE",
         "begin iso=serializable ro not deferrable"},
        {"BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE DEFERRABLE",
         "begin iso=repeatable read rw deferrable"},
        {"START TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", "begin start iso=read uncommitted"},
        {"BEGIN IMMEDIATE", "begin immediate"},
        {"BEGIN DEFERRED TRANSACTION", "begin deferred"},
        {"BEGIN /* x */ EXCLUSIVE", "begin exclusive"},
        {"BEGIN foo", "begin !foo"},
        {"BEGIN ISOLATION SERIALIZABLE", "begin iso=serializable !SERIALIZABLE"},
        {"BEGIN READ", "begin !"},
        {"BEGIN READ ONLY,", "begin ro !"},
        {"START", "begin start !"},
        {"COMMIT", "commit"},
        {"END TRANSACTION", "commit"},
        {"COMMIT AND CHAIN", "commit chain"},
        {"COMMIT WORK AND NO CHAIN", "commit"},
        {"COMMIT AND", "commit chain !"},
        {"COMMIT x", "commit !x"},
        {"COMMIT PREPARED 'a'", "commit_prepared"},
        {"ROLLBACK", "rollback"},
        {"ABORT", "rollback"},
        {"ROLLBACK AND CHAIN", "rollback chain"},
        {"ROLLBACK TO a", "rollback_to name=a"},
        {"ROLLBACK TRANSACTION TO SAVEPOINT \"a b\"", "rollback_to name=\"a b\""},
        {"ROLLBACK TO", "rollback_to !"},
        {"ROLLBACK PREPARED 'a'", "rollback_prepared"},
        {"PREPARE TRANSACTION 'a'", "prepare"},
        {"PREPARE a AS SELECT 1", "none"},
        {"SAVEPOINT a", "savepoint name=a"},
        {"SAVEPOINT __asyncpg_savepoint_1__;", "savepoint name=__asyncpg_savepoint_1__"},
        {"SAVEPOINT", "savepoint !"},
        {"SAVEPOINT 'a'", "savepoint !'a'"},
        {"SAVEPOINT a b", "savepoint name=a !b"},
        {"RELEASE a", "release name=a"},
        {"RELEASE SAVEPOINT a", "release name=a"},
        {"RELEASE savepoint", "release name=savepoint"},
        {"SET TRANSACTION READ ONLY", "set ro"},
        {"SET LOCAL TRANSACTION READ WRITE", "set rw"},
        {"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", "set iso=serializable"},
        {"SET TRANSACTION", "set !"},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE, ISOLATION LEVEL READ COMMITTED",
         "session iso=read committed rw"},
        {"SET SESSION CHARACTERISTICS AS foo", "session !foo"},
        {"SET x = 1", "none"},
        {"SET SESSION x = 1", "none"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(transaction(text), expected) << text;
    EXPECT_EQ(isolation_from_text("Repeatable READ"), isolation_level::repeatable_read);
    EXPECT_EQ(isolation_from_text("none"), std::nullopt);
}

std::string settings(std::string_view text)
{
    static constexpr std::string_view verbs[] = {
        "none", "show", "show_all", "set", "set_local", "reset", "reset_all"};
    const auto s = parse_settings(text);
    std::string out(verbs[static_cast<std::size_t>(s.verb)]);
    if (!s.name.empty())
        out += ' ' + s.name;
    if (s.value)
        out += " = " + *s.value;
    if (s.error)
        out += " !" + std::string(s.error->text);
    return out;
}

TEST(SettingsWords, Statements)
{
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"SELECT 1", "none"},
        {"show standard_conforming_strings", "show standard_conforming_strings"},
        {"SHOW ALL;", "show_all"},
        {"SHOW TRANSACTION ISOLATION LEVEL", "show transaction_isolation"},
        {"SHOW transaction_isolation", "show transaction_isolation"},
        {"SHOW TIME ZONE", "show TimeZone"},
        {"SHOW SESSION AUTHORIZATION", "show session_authorization"},
        {"SHOW \"DateStyle\"", "show DateStyle"},
        {"SHOW a.b", "show a.b"},
        {"SHOW", "show !"},
        {"SHOW a b", "show a !b"},
        {"SET extra_float_digits = 3", "set extra_float_digits = 3"},
        {"SET application_name = 'PostgreSQL JDBC Driver'",
         "set application_name = PostgreSQL JDBC Driver"},
        {"SET a TO 'it''s'", "set a = it's"},
        {"SET a = E'\\n'", "set a = \n"},
        {"SET search_path TO a, \"B c\", 'd'", "set search_path = a, B c, d"},
        {"SET a = ON", "set a = on"},
        {"SET a = -1.5", "set a = -1.5"},
        {"SET a TO DEFAULT", "set a"},
        {"SET SESSION a = 1;", "set a = 1"},
        {"SET LOCAL a.b = 1", "set_local a.b = 1"},
        {"SET TIME ZONE 'UTC'", "set TimeZone = UTC"},
        {"SET TIME ZONE -7", "set TimeZone = -7"},
        {"SET TIME ZONE LOCAL", "set TimeZone"},
        {"SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE", "set TimeZone = -08:00"},
        {"SET LOCAL TIME ZONE DEFAULT", "set_local TimeZone"},
        {"SET NAMES 'utf8'", "set client_encoding = utf8"},
        {"SET NAMES", "set client_encoding"},
        {"SET SCHEMA 'x'", "set search_path = x"},
        {"SET ROLE none", "set role = none"},
        {"SET SESSION AUTHORIZATION x", "set session_authorization = x"},
        {"SET SESSION AUTHORIZATION DEFAULT", "set session_authorization"},
        {"SET TRANSACTION READ ONLY", "none"},
        {"SET SESSION TRANSACTION READ ONLY", "none"},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "none"},
        {"SET CONSTRAINTS ALL DEFERRED", "none"},
        {"SET a", "set a !"},
        {"SET a = ", "set a !"},
        {"SET a = 1 2", "set a = 1 !2"},
        {"SET a = 1,", "set a !"},
        {"SET a = (1)", "set a !("},
        {"RESET a", "reset a"},
        {"RESET ALL", "reset_all"},
        {"RESET TIME ZONE", "reset TimeZone"},
        {"RESET SESSION AUTHORIZATION", "reset session_authorization"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(settings(text), expected) << text;
}

TEST(Words, EveryPrefix)
{
    for (const auto text : test::nasty_texts)
        test::for_every_prefix(text, [](std::string_view prefix) {
            for (const auto d :
                 {dialect::postgres, dialect::postgres_for_sqlite, dialect::sqlite}) {
                auto rest = prefix;
                std::size_t count = 0;
                for (auto one = next_statement(rest, d); !one.empty();
                     one = next_statement(rest, d)) {
                    ASSERT_LE(++count, prefix.size());
                    ASSERT_GE(one.data(), prefix.data());
                    ASSERT_LE(one.data() + one.size(), prefix.data() + prefix.size());
                    const auto t = parse_transaction(one);
                    ASSERT_TRUE(!t.error || t.verb != transaction_verb::none);
                    const auto s = parse_settings(one);
                    ASSERT_TRUE(!s.error || s.verb != settings_verb::none);
                }
            }
            lexer lex(prefix);
            for (token t = lex.next(); t.kind != token_kind::end; t = lex.next())
                ASSERT_TRUE(!is_string(t.kind) || string_value(t).size() <= t.text.size());
        });
}

TEST(Words, NameValues)
{
    const auto name = [](std::string_view text) {
        return name_value(lexer(text, dialect::postgres_for_sqlite).next());
    };
    EXPECT_EQ(name("AbC"), "abc");
    EXPECT_EQ(name("\"A\"\"b\""), "A\"b");
    EXPECT_EQ(name("`a``b`"), "a`b");
    EXPECT_EQ(name("\"abc"), "abc");
}

}  // namespace
}  // namespace sluice::sql
