// tests/unit/proto_sql/lexer_mysql_test.cpp: MySQL's tokens.
#include <gtest/gtest.h>

#include "proto/sql/lexer.hpp"
#include "proto/sql/split.hpp"

namespace sluice::sql {
namespace {

std::string texts(std::string_view text, dialect d = dialect::mysql)
{
    lexer lex(text, d);
    std::string out;
    for (auto t = lex.next(); t.kind != token_kind::end; t = lex.next())
        out += (out.empty() ? "" : "|") + std::string(t.text);
    return out + (lex.unterminated() ? "!" : "");
}

token_kind first(std::string_view text, dialect d = dialect::mysql)
{
    return lexer(text, d).next().kind;
}

TEST(MySqlLexer, Strings)
{
    EXPECT_EQ(texts(R"('a\'b' "c""d" 'e''f' "g'h")"), R"('a\'b'|"c""d"|'e''f'|"g'h")");
    EXPECT_EQ(texts(R"('a\\' 'b')"), R"('a\\'|'b')");
    EXPECT_EQ(texts(R"('open)"), "'open!");
    EXPECT_EQ(texts(R"('open\')"), "'open\\'!");
    EXPECT_EQ(first("\"a\""), token_kind::string);
    EXPECT_EQ(first("\"a\"", dialect::mysql_ansi_quotes), token_kind::quoted_word);
    EXPECT_EQ(first("`a``b`"), token_kind::quoted_word);
    EXPECT_EQ(first("x'00ff'"), token_kind::bit_string);
    EXPECT_EQ(first("N'a'"), token_kind::string);
    EXPECT_EQ(texts("_utf8mb4'a'"), "_utf8mb4|'a'");
    EXPECT_EQ(texts("e'a'"), "e|'a'");
    lexer plain(R"('a\' 'b')", dialect::mysql);
    plain.no_backslash_escapes();
    EXPECT_EQ(plain.next().text, R"('a\')");
}

TEST(MySqlLexer, Comments)
{
    EXPECT_EQ(texts("a # b\nc"), "a|c");
    EXPECT_EQ(texts("a -- b\nc"), "a|c");
    EXPECT_EQ(texts("5--1"), "5|-|-|1");
    EXPECT_EQ(texts("a --"), "a");
    EXPECT_EQ(texts("a /* b /* c */ d"), "a|d");
    EXPECT_EQ(texts("a /* b"), "a!");
    EXPECT_EQ(texts("/*!40101 SET NAMES utf8 */ b"), "SET|NAMES|utf8|b");
    EXPECT_EQ(texts("SELECT /*! STRAIGHT_JOIN */ 2*/*c*/3"), "SELECT|STRAIGHT_JOIN|2|*|3");
    EXPECT_EQ(texts("/*M!100100 SET a=1 */"), "SET|a|=|1");
    EXPECT_EQ(texts("/*M!999999\\- enable the sandbox mode */ x"), "x");
    EXPECT_EQ(texts("/*+ hint */ x"), "x");
}

TEST(MySqlLexer, VariablesParametersOperators)
{
    EXPECT_EQ(texts("@a := @@session.sql_mode, @'a b', @`c`"),
              "@a|:=|@@session.sql_mode|,|@'a b'|,|@`c`");
}

TEST(MySqlLexer, Kinds)
{
    EXPECT_EQ(first("@@a"), token_kind::variable);
    EXPECT_EQ(first("?"), token_kind::parameter);
    EXPECT_EQ(texts("a<=>b&&c||!d->>'$.e'"), "a|<=>|b|&&|c||||!|d|->>|'$.e'");
    EXPECT_EQ(texts("0x1F 1.5e3 .5 1e"), "0x1F|1.5e3|.5|1|e");
}

TEST(MySqlLexer, Split)
{
    std::string_view rest = "SELECT ';' ; # ;\n INSERT INTO t VALUES (\"a;b\\\";\"); ";
    EXPECT_EQ(next_statement(rest, dialect::mysql), "SELECT ';'");
    EXPECT_EQ(next_statement(rest, dialect::mysql), "INSERT INTO t VALUES (\"a;b\\\";\")");
    EXPECT_EQ(next_statement(rest, dialect::mysql), "");
}

}  // namespace
}  // namespace sluice::sql
