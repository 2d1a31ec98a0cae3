// tests/unit/gateway_relay/my_charsets_test.cpp: default collations; halves of characters.
#include "gateway/relay/my_charsets.hpp"

#include <gtest/gtest.h>

#include "gateway/relay/my_effects.hpp"

namespace sluice::gateway {
namespace {

TEST(MyCharsets, DefaultCollations)
{
    struct {
        std::string_view charset;
        std::uint16_t id;
        std::uint32_t size;
    } const cases[] = {{"utf8mb4", 45, 4},
                       {"utf8mb3", 33, 3},
                       {"", 33, 3},
                       {"latin1", 8, 1},
                       {"gbk", 28, 2},
                       {"sjis", 13, 2},
                       {"big5", 1, 2},
                       {"cp1251", 51, 1},
                       {"latin2", 9, 1},
                       {"cp1257", 59, 1},
                       {"ujis", 12, 3},
                       {"binary", 63, 1},
                       {"cp932", 95, 2},
                       {"koi8r", 7, 1},
                       {"none", 0, 1}};
    for (const auto& each : cases) {
        EXPECT_EQ(default_collation(each.charset), each.id) << each.charset;
        EXPECT_EQ(character_size(each.charset), each.size) << each.charset;
    }
}

std::string readable(std::string_view text, std::string_view charset)
{
    std::string copy;
    return std::string(readable_text(text, charset, copy));
}

TEST(MyCharsets, HalvesOfCharactersAreNoAscii)
{
    for (const std::string_view charset : {"gbk", "big5", "sjis", "cp932", "gb18030"})
        EXPECT_TRUE(hides_ascii(charset)) << charset;
    for (const std::string_view charset : {"utf8mb4", "latin1", "euckr", "gb2312", "ujis", ""})
        EXPECT_FALSE(hides_ascii(charset)) << charset;
    EXPECT_EQ(readable("SELECT '\xbf\\'", "gbk"), "SELECT '\xbf\x80'");
    EXPECT_EQ(readable("`\x81`` + \xbf\\", "gbk"), "`\x81\x80` + \xbf\x80");
    EXPECT_EQ(readable("\x95\\ \xa0\\ \xe0\\", "sjis"), "\x95\x80 \xa0\\ \xe0\x80");
    EXPECT_EQ(readable("\x95\\ \xb3\\", "big5"), "\x95\\ \xb3\x80");
    // The second byte of one character is no first byte of the next; a lone first byte is none.
    EXPECT_EQ(readable("\xbf\xbf\\ \xbf' \xbf", "gbk"), "\xbf\xbf\\ \xbf' \xbf");
    EXPECT_EQ(readable("\x81\x30\x81\x30\\", "gb18030"), "\x81\x30\x81\x30\\");
}

TEST(MyCharsets, EffectsOfTextsInThem)
{
    const std::string_view locks = "SELECT '\xbf\\', GET_LOCK('x', 0), '\xbf\\'";
    EXPECT_TRUE(sql::any(my_effects_of(locks, {}, "gbk").pins));
    EXPECT_FALSE(sql::any(my_effects_of(locks, {}, "latin1").pins));
    EXPECT_EQ(my_effects_of("USE `\xbf``", {}, "gbk").schema, "");
    EXPECT_EQ(my_effects_of("USE `shop`", {}, "gbk").schema, "shop");
    EXPECT_TRUE(my_effects_of("PREPARE `\xbf\\` FROM 'SELECT 1'", {}, "gbk").more_names);
}

}  // namespace
}  // namespace sluice::gateway
