// tests/unit/gateway_translate/translated_texts_test.cpp: texts that come often are read once, and
// what Parse made of them holds until their tables change.
#include "gateway/translate/translated_texts.hpp"

#include "unit/gateway_translate/fake_client.hpp"

namespace sluice::gateway {
namespace {

TEST(TranslatedTexts, KeepsWhatCameTwice)
{
    translated_texts texts;
    const auto first = texts.read("SELECT 1", 0);
    EXPECT_EQ(texts.find("SELECT 1"), nullptr);
    const auto second = texts.read("SELECT 1", 0);
    EXPECT_NE(first, second);
    ASSERT_NE(texts.find("SELECT 1"), nullptr);
    EXPECT_EQ(texts.read("SELECT 1", 0), second);
    EXPECT_EQ(texts.find("SELECT 2"), nullptr);
    // Positions in errors count from the message's beginning.
    const auto elsewhere = texts.read("SELECT 1", 7);
    EXPECT_NE(elsewhere, second);
    EXPECT_EQ(elsewhere->offset, 7u);
    const std::string longest(translated_texts::text_max + 1, ' ');
    EXPECT_NE(texts.read(longest, 0), texts.read(longest, 0));
    EXPECT_EQ(texts.find(longest), nullptr);
}

class KnownTexts : public ::testing::Test {
protected:
    static translate_options with(translated_texts& texts)
    {
        translate_options out;
        out.texts = &texts;
        return out;
    }
    std::string describe(fake_client& who, std::vector<std::uint32_t> types = {})
    {
        who.parse("", text, std::move(types));
        who.named('D', 'S', "");
        who.bare('S');
        return show(who.talk());
    }
    std::string run(fake_client& who, const char* value)
    {
        who.parse("", text);
        who.bind("", "", {value});
        who.named('D', 'P', "");
        who.execute("");
        who.bare('S');
        return show(who.talk());
    }

    const std::string text = "SELECT * FROM t WHERE id = $1";
    scratch_database database;
    translated_texts texts;
    fake_client one{database.get(), {}, with(texts)};
    fake_client other{database.get(), {}, with(texts)};
};

TEST_F(KnownTexts, AreDescribedAsTheirTablesAre)
{
    one.query("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)");
    one.query("INSERT INTO t VALUES (1, 10)");
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(run(one, "1"), "1 2 T(id:20,n:20) D(1,10) C(SELECT 1) Z(I)");
        EXPECT_EQ(describe(other), "1 t(20) T(id:20,n:20) Z(I)");
    }
    ASSERT_NE(texts.find(text), nullptr);
    EXPECT_NE(texts.find(text)->prepared, nullptr);
    EXPECT_EQ(describe(one, {25}), "1 t(25) T(id:20,n:20) Z(I)") << "the client's own type holds";

    other.query("ALTER TABLE t ADD COLUMN word TEXT");
    EXPECT_EQ(run(one, "1"), "1 2 T(id:20,n:20,word:25) D(1,10,NULL) C(SELECT 1) Z(I)");
    other.query("DROP TABLE t");
    EXPECT_EQ(run(one, "1"), "E(42P01) Z(I)");
    other.query("CREATE TABLE t (id TEXT, x REAL)");
    other.query("INSERT INTO t VALUES ('a', 0.5)");
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(run(one, "a"), "1 2 T(id:25,x:701) D(a,0.5) C(SELECT 1) Z(I)");
        EXPECT_EQ(describe(other), "1 t(25) T(id:25,x:701) Z(I)");
    }
}

TEST_F(KnownTexts, InATransactionSeeItsOwnTables)
{
    one.query("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(describe(one), "1 t(20) T(id:20) Z(I)");
    one.query("BEGIN");
    one.query("ALTER TABLE t ADD COLUMN n INTEGER");
    EXPECT_EQ(describe(one), "1 t(20) T(id:20,n:20) Z(T)");
    EXPECT_EQ(describe(other), "1 t(20) T(id:20) Z(I)");
    one.query("ROLLBACK");
    EXPECT_EQ(describe(one), "1 t(20) T(id:20) Z(I)");
}

TEST_F(KnownTexts, FailAsTheyDoUnknown)
{
    one.query("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)");
    one.query("INSERT INTO t VALUES (1, 'odd')");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(run(one, "x"), "1 E(22P02) Z(I)");
        EXPECT_EQ(run(one, "1"), "1 2 T(id:20,n:20) E(22P02) Z(I)");
        EXPECT_EQ(show(one.query("SELECT n FROM t")), "T(n:20) E(22P02) Z(I)");
    }
    EXPECT_EQ(run(one, "2"), "1 2 T(id:20,n:20) C(SELECT 0) Z(I)");
}

}  // namespace
}  // namespace sluice::gateway
