// tests/unit/gateway_translate/words_test.cpp: PREPARE, cursors, ALTER TABLE, LOAD DATA: what they
// say.
#include <gtest/gtest.h>

#include "gateway/translate/alter_words.hpp"
#include "gateway/translate/cursor_words.hpp"
#include "gateway/translate/my_commands.hpp"

namespace sluice::gateway {
namespace {

using direction = cursor_words::direction;

TEST(CursorWords, Fetch)
{
    struct row {
        std::string_view text;
        direction where;
        std::int64_t count;
    };
    const row rows[] = {
        {"FETCH c", direction::forward, 1},
        {"FETCH NEXT FROM c", direction::forward, 1},
        {"fetch 7 in \"c\"", direction::forward, 7},
        {"FETCH ALL c", direction::forward, cursor_words::everything},
        {"MOVE FORWARD ALL FROM c", direction::forward, cursor_words::everything},
        {"FETCH FORWARD 0 FROM c", direction::forward, 0},
        {"FETCH RELATIVE 3 FROM c", direction::relative, 3},
        {"FETCH ABSOLUTE 3 c", direction::absolute, 3},
        {"FETCH FIRST FROM c", direction::absolute, 1},
        {"FETCH LAST FROM c", direction::absolute, -1},
        {"FETCH PRIOR FROM c", direction::backward, 1},
        {"FETCH -2 FROM c", direction::backward, -2},
        {"FETCH RELATIVE -1 c", direction::backward, -1},
        {"MOVE BACKWARD 2 IN c", direction::backward, 2},
    };
    for (const auto& each : rows) {
        const auto read = read_cursor_words(each.text);
        EXPECT_TRUE(read.problem.sqlstate.empty()) << each.text;
        EXPECT_EQ(read.where, each.where) << each.text;
        EXPECT_EQ(read.count, each.count) << each.text;
        EXPECT_EQ(read.name, "c") << each.text;
    }
    for (const auto* bad : {"FETCH", "FETCH x y z", "FETCH ABSOLUTE c", "MOVE 1.5 FROM c", "CLOSE"})
        EXPECT_EQ(read_cursor_words(bad).problem.sqlstate, "42601") << bad;
}

TEST(CursorWords, Declare)
{
    const std::string_view text = "DECLARE C BINARY INSENSITIVE NO SCROLL CURSOR FOR  SELECT 1";
    const auto read = read_cursor_words(text);
    EXPECT_TRUE(read.problem.sqlstate.empty()) << read.problem.message;
    EXPECT_EQ(read.name, "c");
    EXPECT_EQ(text.substr(read.query), "SELECT 1");
    EXPECT_EQ(read_cursor_words("DECLARE c SCROLL CURSOR FOR SELECT 1").problem.sqlstate, "0A000");
    EXPECT_EQ(read_cursor_words("DECLARE c CURSOR WITH HOLD FOR SELECT 1").problem.sqlstate,
              "0A000");
    for (const auto* bad : {"DECLARE",
                            "DECLARE c",
                            "DECLARE c CURSOR",
                            "DECLARE c CURSOR FOR",
                            "DECLARE c CURSOR WITHOUT FOR SELECT 1"})
        EXPECT_EQ(read_cursor_words(bad).problem.sqlstate, "42601") << bad;
}

TEST(PrepareWords, TypesAndArguments)
{
    const std::string_view text = "PREPARE p (int, numeric(10, 2), double precision) AS SELECT $1";
    const auto read = read_prepare_words(text);
    EXPECT_EQ(read.types, (std::vector<std::string>{"int", "numeric", "double precision"}));
    EXPECT_EQ(text.substr(read.query), "SELECT $1");
    EXPECT_EQ(read_prepare_words("EXECUTE \"P\"(1, f(2), ')')").arguments, "1, f(2), ')'");
    EXPECT_EQ(read_prepare_words("EXECUTE p").arguments, "");
    for (const auto* bad : {"PREPARE",
                            "PREPARE p SELECT 1",
                            "PREPARE p (int AS SELECT 1",
                            "EXECUTE",
                            "EXECUTE p(1",
                            "EXECUTE p(1) x"})
        EXPECT_EQ(read_prepare_words(bad).problem.sqlstate, "42601") << bad;
}

TEST(AlterWords, UniqueIsAnIndex)
{
    const auto instead = [](std::string_view text) {
        const auto read = read_alter_table(text);
        return read ? read->instead + (read->why.empty() ? "" : "refused") : "SQLite's";
    };
    EXPECT_EQ(instead("ALTER TABLE ONLY public.t ADD CONSTRAINT \"k\" UNIQUE (a, \"b\")"),
              "CREATE UNIQUE INDEX \"k\" ON \"t\" (a, \"b\")");
    EXPECT_EQ(instead("ALTER TABLE T ADD UNIQUE (a)"),
              "CREATE UNIQUE INDEX \"t_a_key\" ON \"t\" (a)");
    for (const auto* refused :
         {"ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES b (c) DEFERRABLE",
          "ALTER TABLE t ADD CHECK (a > 0)",
          "ALTER TABLE t ALTER COLUMN a TYPE int",
          "ALTER TABLE t ALTER a DROP NOT NULL",
          "ALTER TABLE t DROP CONSTRAINT k",
          "ALTER TABLE t ADD UNIQUE (a) DEFERRABLE"})
        EXPECT_EQ(instead(refused), "refused") << refused;
    for (const auto* plain : {"ALTER TABLE t ADD COLUMN a int",
                              "ALTER TABLE t ADD a int",
                              "ALTER TABLE t RENAME TO u",
                              "ALTER TABLE t DROP COLUMN a",
                              "ALTER TABLE",
                              "ALTER TABLE t ADD UNIQUE ("})
        EXPECT_EQ(instead(plain), "SQLite's") << plain;
}

using fields = my_fields;

std::vector<fields> records(std::string_view data, const my_load& how, std::size_t piece)
{
    std::vector<fields> out;
    std::string kept;
    for (std::size_t at = 0; at <= data.size(); at += piece) {
        kept += data.substr(at, piece);
        const bool last = at + piece > data.size();
        std::string_view rest = kept;
        while (auto one = next_loaded_record(rest, how, last))
            out.push_back(std::move(*one));
        kept = std::string(rest);
    }
    return out;
}

TEST(LoadedRecords, AreTheSameInPiecesOfAnySize)
{
    my_load tabs;
    const std::string_view text = "1\ta\\tb\\\\\t\\N\n\n2\t\t\\0x\nlast";
    const std::vector<fields> wanted{
        {"1", "a\tb\\", std::nullopt}, {""}, {"2", "", std::string("\0x", 2)}, {"last"}};
    my_load csv;
    csv.fields_end = ",";
    csv.enclosed = '"';
    csv.lines_end = "\r\n";
    csv.lines_start = ">";
    const std::string_view quoted = ">1,\"a, \"\"b\"\"\r\n\",NULL\r\nnoise>\"NULL\",x\"y\r\n>";
    const std::vector<fields> wanted_csv{{"1", "a, \"b\"\r\n", std::nullopt}, {"NULL", "x\"y"}};
    for (std::size_t piece = 1; piece < 50; ++piece) {
        EXPECT_EQ(records(text, tabs, piece), wanted) << piece;
        EXPECT_EQ(records(quoted, csv, piece), wanted_csv) << piece;
    }
}

}  // namespace
}  // namespace sluice::gateway
