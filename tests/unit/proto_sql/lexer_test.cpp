// tests/unit/proto_sql/lexer_test.cpp: what is a token, and of which kind.
#include "proto/sql/lexer.hpp"

#include <gtest/gtest.h>

#include "texts.hpp"

namespace sluice::sql {
namespace {

std::string_view name_of(token_kind kind)
{
    static constexpr std::string_view names[] = {"end", "w", "qw", "uw", "s",  "es", "us", "bs",
                                                 "ds",  "n", "p",  "op", "::", "(",  ")",  "[",
                                                 "]",   ",", ".",  ":",  ";",  "?"};
    return names[static_cast<std::size_t>(kind)];
}

// "w<SELECT> n<1> ;"
std::string tokens(std::string_view text, dialect d = dialect::postgres)
{
    std::string out;
    lexer lex(text, d);
    for (token t = lex.next(); t.kind != token_kind::end; t = lex.next()) {
        if (!out.empty())
            out += ' ';
        out += name_of(t.kind);
        if (t.text != name_of(t.kind))
            out += '<' + std::string(t.text) + '>';
    }
    if (lex.unterminated())
        out += " !";
    return out;
}

struct lexer_case {
    std::string_view text;
    std::string_view expected;
};

TEST(Lexer, Postgres)
{
    const lexer_case cases[] = {
        {"", ""},
        {" \t\r\n\f", ""},
        {"SELECT a1$ FROM _t;", "w<SELECT> w<a1$> w<FROM> w<_t> ;"},
        {"\"a\"\"b\".\"c\"", "qw<\"a\"\"b\"> . qw<\"c\">"},
        {"U&\"d\\0061\" u&'x''y' u & 1", "uw<U&\"d\\0061\"> us<u&'x''y'> w<u> op<&> n<1>"},
        {"'a''b' N'c' B'01' x'fF'", "s<'a''b'> s<N'c'> bs<B'01'> bs<x'fF'>"},
        {"'a\\' b", "s<'a\\'> w<b>"},
        {"E'a\\' b' c", "es<E'a\\' b'> w<c>"},
        {"e'a\\\\' b", "es<e'a\\\\'> w<b>"},
        {"E'''' x", "es<E''''> w<x>"},
        // Continuation: blanks with a newline between, in the mode of the first part.
        {"'a'\n'b' c", "s<'a'\n'b'> w<c>"},
        {"'a' 'b'", "s<'a'> s<'b'>"},
        {"'a' -- x\n  'b' c", "s<'a' -- x\n  'b'> w<c>"},
        {"'a' /* \n */ 'b'", "s<'a'> s<'b'>"},
        {"E'a'\n'b\\' ;' ;", "es<E'a'\n'b\\' ;'> ;"},
        {"$$a'b$$ $x$ $$ $y$ $x$ $1", "ds<$$a'b$$> ds<$x$ $$ $y$ $x$> p<$1>"},
        {"$12+$3", "p<$12> op<+> p<$3>"},
        {"a$b$c $ $1x", "w<a$b$c> ?<$> p<$1> w<x>"},
        {"$\xc3\xa4$ ; $\xc3\xa4$;", "ds<$\xc3\xa4$ ; $\xc3\xa4$> ;"},
        {"1 1.5 .5 1. 1e5 1e+5 1E-5 1e",
         "n<1> n<1.5> n<.5> n<1.> n<1e5> n<1e+5> n<1E-5> n<1> w<e>"},
        {"1..2 0x1F 0b11 1_000", "n<1> op<..> n<2> n<0x1F> n<0b11> n<1_000>"},
        {"a.b.*", "w<a> . w<b> . op<*>"},
        {"x::int[] :=y :z =>", "w<x> :: w<int> [ ] op<:=> w<y> : w<z> op<=>>"},
        {"a=-1 b<>-c d@-e f||-g ",
         "w<a> op<=> op<-> n<1> w<b> op<<>> op<-> w<c> w<d> op<@-> w<e> "
         "w<f> op<||-> w<g>"},
        {"1+++2", "n<1> op<+> op<+> op<+> n<2>"},
        {"a->>'b' ? 'c' @> d", "w<a> op<->>> s<'b'> op<?> s<'c'> op<@>> w<d>"},
        {"1-- x\n+2", "n<1> op<+> n<2>"},
        {"1 --x\r+2", "n<1> op<+> n<2>"},
        {"a*/* c */b", "w<a> op<*> w<b>"},
        {"/* a /* b */ ; */ x", "w<x>"},
        {"/*/**/*/x", "w<x>"},
        {"/**/ -- 'a' $1 ;", ""},
        {"'$1 -- /*' \"$1;\" $$/*$$ ;", "s<'$1 -- /*'> qw<\"$1;\"> ds<$$/*$$> ;"},
        {"\\ ` { }", "?<\\> op<`> ?<{> ?<}>"},
        // No end: up to the end of the text.
        {"'abc ; ", "s<'abc ; > !"},
        {"x \"abc", "w<x> qw<\"abc> !"},
        {"E'abc\\'", "es<E'abc\\'> !"},
        {"E'\\", "es<E'\\> !"},
        {"$a$ $b$ ;", "ds<$a$ $b$ ;> !"},
        {"/* /* */ x", " !"},
        {"/*", " !"},
        {"/* *", " !"},
        {"'a'\n'b", "s<'a'\n'b> !"},
    };
    for (const auto& c : cases)
        EXPECT_EQ(tokens(c.text), c.expected) << c.text;
}

TEST(Lexer, Sqlite)
{
    const lexer_case cases[] = {
        {"SELECT `a``b`, [c'd], \"e\"", "w<SELECT> qw<`a``b`> , qw<[c'd]> , qw<\"e\">"},
        {"? ?12 :a @b $c $d::e $1", "p<?> p<?12> p<:a> p<@b> p<$c> p<$d::e> p<$1>"},
        {"'a\\' E'b' x'00'", "s<'a\\'> w<E> s<'b'> bs<x'00'>"},
        {"'a'\n'b'", "s<'a'> s<'b'>"},
        {"/* a /* b */ c", "w<c>"},
        {"a->>'$.b' || c<<1 == 2 -> 3",
         "w<a> op<->>> s<'$.b'> op<||> w<c> op<<<> n<1> op<==> n<2> "
         "op<->> n<3>"},
        {"1 <> -1 != ~2", "n<1> op<<>> op<-> n<1> op<!=> op<~> n<2>"},
        {"-- a\r b\nc", "w<c>"},
        {"[abc", "qw<[abc> !"},
        {"`abc", "qw<`abc> !"},
        {"a:b : $ @", "w<a> p<:b> : ?<$> op<@>"},
    };
    for (const auto& c : cases)
        EXPECT_EQ(tokens(c.text, dialect::sqlite), c.expected) << c.text;
}

// Whatever the text: tokens come in order, inside the text, with nothing but blanks and comments
// between them.
TEST(Lexer, EveryPrefixEnds)
{
    for (const auto text : test::nasty_texts)
        for (const auto d : {dialect::postgres, dialect::sqlite})
            test::for_every_prefix(text, [d](std::string_view prefix) {
                lexer lex(prefix, d);
                std::size_t at = 0;
                std::size_t count = 0;
                for (token t = lex.next(); t.kind != token_kind::end; t = lex.next()) {
                    ASSERT_GE(lex.offset(t), at);
                    ASSERT_FALSE(t.text.empty());
                    at = lex.offset(t) + t.text.size();
                    ASSERT_LE(at, prefix.size());
                    ASSERT_LE(++count, prefix.size());
                }
                ASSERT_EQ(lex.next().kind, token_kind::end);
            });
}

TEST(Lexer, LongRunsOfSignsAreLinear)
{
    const std::string signs(300'000, '+');
    lexer lex(signs);
    std::size_t count = 0;
    while (lex.next().kind != token_kind::end)
        ++count;
    EXPECT_EQ(count, signs.size());
}

TEST(Lexer, Names)
{
    EXPECT_TRUE((name_token{"AbC", false}.equals("abc")));
    EXPECT_FALSE((name_token{"AbC", false}.equals("AbC")));
    EXPECT_FALSE((name_token{"abc", false}.equals("abcd")));
    EXPECT_TRUE((name_token{"\"AbC\"", true}.equals("AbC")));
    EXPECT_FALSE((name_token{"\"AbC\"", true}.equals("abc")));
    EXPECT_TRUE((name_token{"\"a\"\"b\"", true}.equals("a\"b")));
    EXPECT_FALSE((name_token{"\"a\"\"b\"", true}.equals("a\"\"b")));
    EXPECT_TRUE((name_token{"\"\"", true}.equals("")));
    EXPECT_FALSE((name_token{"\"", true}.equals("")));
    EXPECT_FALSE((name_token{"U&\"a\"", true}.equals("a")));
}

}  // namespace
}  // namespace sluice::sql
