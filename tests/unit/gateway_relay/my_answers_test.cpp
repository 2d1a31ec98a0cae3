// tests/unit/gateway_relay/my_answers_test.cpp: what is told of a statement that ran elsewhere.
#include "gateway/relay/my_answers.hpp"

#include <gtest/gtest.h>

#include "proto/mysql/messages.hpp"

namespace sluice::gateway {
namespace {

std::string answered(std::string_view text)
{
    my_aftermath before;
    before.row_count = -1;
    before.found_rows = 7;
    before.warnings = 2;
    before.errors = 1;
    return with_answers(text, sql::dialect::mysql, before);
}

TEST(MyAnswers, NumbersTakeThePlaceOfFunctions)
{
    EXPECT_EQ(answered("SELECT FOUND_ROWS()"), "SELECT IF(1,7,FOUND_ROWS()) AS `FOUND_ROWS()`");
    EXPECT_EQ(answered("select row_count( ) , found_rows();"),
              "select IF(1,-1,row_count( )) AS `row_count( )` , "
              "IF(1,7,found_rows()) AS `found_rows()`;");
    EXPECT_EQ(answered("SELECT FOUND_ROWS() AS n, 1+ROW_COUNT()"),
              "SELECT IF(1,7,FOUND_ROWS()) AS n, 1+IF(1,-1,ROW_COUNT())");
    EXPECT_EQ(answered("INSERT INTO t VALUES (ROW_COUNT(), FOUND_ROWS())"),
              "INSERT INTO t VALUES (IF(1,-1,ROW_COUNT()), IF(1,7,FOUND_ROWS()))");
    EXPECT_EQ(answered("SELECT @@warning_count, @@SESSION.error_count"),
              "SELECT IF(1,2,@@warning_count) AS `@@warning_count`, "
              "IF(1,1,@@SESSION.error_count) AS `@@SESSION.error_count`");
}

TEST(MyAnswers, OtherTextsStayAsTheyAre)
{
    for (const std::string_view text : {"",
                                        "SELECT 'FOUND_ROWS()' -- FOUND_ROWS()",
                                        "SELECT found_rows FROM t",
                                        "SELECT found_rows(1)",
                                        "SELECT `row_count`()",
                                        "SELECT @warning_count",
                                        "SELECT FOUND_ROWS("})
        EXPECT_EQ(answered(text), text);
}

TEST(MyAnswers, ShowWarningsIsRead)
{
    const auto parse = [](std::string_view text) {
        return parse_show_diagnostics(text, sql::dialect::mysql);
    };
    ASSERT_TRUE(parse("SHOW WARNINGS"));
    EXPECT_FALSE(parse("SHOW WARNINGS")->errors_only);
    ASSERT_TRUE(parse("/* x */ show errors;"));
    EXPECT_TRUE(parse("show errors")->errors_only);
    ASSERT_TRUE(parse("SHOW COUNT(*) WARNINGS"));
    EXPECT_TRUE(parse("SHOW COUNT(*) ERRORS")->count);
    ASSERT_TRUE(parse("SHOW WARNINGS LIMIT 2, 5"));
    EXPECT_EQ(parse("SHOW WARNINGS LIMIT 2, 5")->offset, 2u);
    EXPECT_EQ(parse("SHOW WARNINGS LIMIT 5 OFFSET 2")->limit, 5u);
    EXPECT_FALSE(parse("SHOW WARNINGS LIMIT x"));
    EXPECT_FALSE(parse("SHOW WARNINGS; SELECT 1"));
    EXPECT_FALSE(parse("SHOW TABLES"));
    EXPECT_FALSE(parse("SHOW COUNT(*"));
}

// Rows of a reply without DEPRECATE_EOF, as text.
std::vector<std::string> rows_of(const byte_queue& out)
{
    std::vector<std::string> rows;
    auto rest = out.readable();
    int ends = 0;
    std::uint8_t sequence = 1;
    while (!rest.empty()) {
        const auto packet = mysql::peek_packet(rest);
        EXPECT_EQ(packet.missing, 0u);
        EXPECT_EQ(packet.header.sequence, sequence++);
        const bool end = packet.payload[0] == mysql::eof_byte && packet.payload.size() == 5;
        ends += end;
        if (ends == 1 && !end) {
            mysql::field_reader fields(packet.payload);
            std::string row;
            while (!fields.rest().empty())
                row.append(fields.lenenc_string()).append("|");
            rows.push_back(row);
        }
        rest = rest.subspan(packet.wire_size());
    }
    EXPECT_EQ(ends, 2);
    return rows;
}

TEST(MyAnswers, DiagnosticsAreShown)
{
    const std::vector<my_diagnostic> all{{"Note", "1051", "Unknown table"},
                                         {"Error", "1146", "no such table"},
                                         {"Warning", "1365", "Division by 0"}};
    const auto shown = [&](std::string_view text) {
        byte_queue out;
        const auto wanted = *parse_show_diagnostics(text, sql::dialect::mysql);
        append_diagnostics(out, 1, wanted, all, 2, 0, "utf8mb4");
        return rows_of(out);
    };
    using rows = std::vector<std::string>;
    EXPECT_EQ(shown("SHOW WARNINGS"),
              (rows{"Note|1051|Unknown table|",
                    "Error|1146|no such table|",
                    "Warning|1365|Division by 0|"}));
    EXPECT_EQ(shown("SHOW WARNINGS LIMIT 1, 1"), (rows{"Error|1146|no such table|"}));
    EXPECT_EQ(shown("SHOW ERRORS"), (rows{"Error|1146|no such table|"}));
    EXPECT_EQ(shown("SHOW COUNT(*) WARNINGS"), (rows{"3|"}));
    EXPECT_EQ(shown("SHOW COUNT(*) ERRORS"), (rows{"1|"}));
}

}  // namespace
}  // namespace sluice::gateway
