// tests/unit/gateway_errors/page_test.cpp: ERRORS.md lists every error as the code has it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "gateway/errors.hpp"

namespace sluice::gateway {
namespace {

using testing::HasSubstr;

TEST(ErrorPage, HasEveryErrorWithItsCodes)
{
    std::ifstream in(SLUICE_SOURCE "/gateway/ERRORS.md");
    std::stringstream read;
    read << in.rdbuf();
    const auto page = read.str();
    std::size_t rows = 0;
    for (std::size_t at = 0; (at = page.find("` |\n", at)) != std::string::npos; ++at)
        ++rows;
    for (const auto& rule : error_rules()) {
        const auto start = "| " + std::string(rule.message) + " | " + std::string(rule.sqlstate) +
                           " | " + std::to_string(rule.mysql_errno) + " | " +
                           (rule.closes ? "F" : "E") + " | ";
        const auto at = page.find("\n" + start);
        ASSERT_NE(at, std::string::npos)
            << "add to gateway/ERRORS.md: " << start << "what to do | `" << rule.name << "` |";
        const auto row = page.substr(at + 1, page.find('\n', at + 1) - at - 1);
        EXPECT_TRUE(row.ends_with("| `" + std::string(rule.name) + "` |")) << row;
        // An advice is there, and is more than a word.
        EXPECT_GT(row.size(), start.size() + rule.name.size() + 20) << row;
    }
    EXPECT_EQ(rows, error_rules().size()) << "a row stands for no error of errors.cpp any more";
}

}  // namespace
}  // namespace sluice::gateway
