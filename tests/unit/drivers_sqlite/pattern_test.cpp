// tests/unit/drivers_sqlite/pattern_test.cpp: regular expressions match as PostgreSQL's, in time.
#include "drivers/sqlite/pattern.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace sluice::sqlite {
namespace {

bool matches(std::string_view pattern_text, std::string_view text)
{
    std::string error;
    const auto p = pattern::compile(pattern_text, error);
    EXPECT_EQ(error, "") << pattern_text;
    return p.found_in(text, nullptr, nullptr);
}

std::string refusal(std::string_view text)
{
    std::string error;
    (void)pattern::compile(text, error);
    return error;
}

TEST(Pattern, Matches)
{
    struct {
        const char* pattern;
        const char* text;
        bool found;
    } const cases[] = {
        {"^(books)$", "books", true},
        {"^(books)$", "mybooks", false},
        {"^(.*oo.*)$", "books", true},
        {"^pg_", "pg_toast", true},
        {"a|b|cd", "xxcd", true},
        {"a|b|cd", "xxc", false},
        {"^(a|b)+$", "abba", true},
        {"^(a|b)+$", "abca", false},
        {"^a{2,3}$", "aa", true},
        {"^a{2,3}$", "aaaa", false},
        {"^a{2}$", "aaa", false},
        {"^(ab){2,}$", "ababab", true},
        {"[[:digit:]]+x", "12x", true},
        {"[^a-c]", "abc", false},
        {"[]x]", "]", true},
        {"[a\\]b]", "]", true},
        {"\\d\\s\\w", "1 a", true},
        {"\\Dx", "1x", false},
        {"\\mfoo\\M", "a foo b", true},
        {"\\mfoo\\M", "food", false},
        {"(?i)ABC", "xabcx", true},
        {"ABC", "abc", false},
        {"^$", "", true},
        {"x*", "", true},
        {"a.c",
         "a\xc3\xa4"
         "c",
         true},
        {"^.$", "\xe2\x82\xac", true},
        {"(a|ab)(c|bcd)(d*)$", "abcd", true},
        {"a\\.b", "axb", false},
        {"a+?b", "aab", true},
        {"(?:xy)+z", "xyxyz", true},
        {"((a)|(b))*c$", "ababc", true},
        {"^(a|b|c|d)$", "d", true},
        {"a{,2}", "a{,2}", true},
    };
    for (const auto& c : cases)
        EXPECT_EQ(matches(c.pattern, c.text), c.found) << c.pattern << " on " << c.text;
}

TEST(Pattern, Refuses)
{
    for (const char* text :
         {"(", ")", "[", "[b-a]", "*a", "a{3,2}", "a{256}", "(?=x)", "\\1", "\\", "[[:nothing:]]"})
        EXPECT_NE(refusal(text), "") << text;
    EXPECT_NE(refusal(std::string(200, '(') + std::string(200, ')')), "");
    EXPECT_NE(refusal("((((a{255}){255}){255}){255})"), "");
}

TEST(Pattern, NoTextMakesItSlow)
{
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(matches("^(a+)+$", std::string(20000, 'a') + "b"));
    EXPECT_FALSE(matches("(x+x+)+y", std::string(20000, 'x')));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(Pattern, StopsWhenAsked)
{
    std::string error;
    const auto p = pattern::compile("(a|b|c)*d", error);
    int asked = 0;
    EXPECT_FALSE(p.found_in(
        std::string(1'000'000, 'a'), [](void* n) { return ++*static_cast<int*>(n) > 2; }, &asked));
    EXPECT_EQ(asked, 3);
}

TEST(Pattern, EveryPrefixOfAPatternEnds)
{
    const std::string_view text = "^(?i)(a|[[:alpha:]b-d]{2,3}|\\d+?)*(x|y(z))?$";
    for (std::size_t i = 0; i <= text.size(); ++i) {
        std::string error;
        const auto p = pattern::compile(text.substr(0, i), error);
        if (error.empty())
            (void)p.found_in("abcxyz123", nullptr, nullptr);
    }
}

}  // namespace
}  // namespace sluice::sqlite
