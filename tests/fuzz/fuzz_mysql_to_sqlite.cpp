// tests/fuzz/fuzz_mysql_to_sqlite.cpp: any text as a MySQL client's statement, in SQLite's words.
//
//   first byte: bits of sql_mode; the rest: the text
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/sql/mysql_to_sqlite.hpp"
#include "proto/sql/split.hpp"

namespace {

using namespace sluice::sql;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

class session final : public mysql_session {
public:
    explicit session(unsigned mode)
    {
        ansi_quotes = (mode & 1) != 0;
        pipes_as_concat = (mode & 2) != 0;
        no_backslash_escapes = (mode & 4) != 0;
        database = "shop";
    }
    std::optional<std::string> variable(std::string_view text) const override
    {
        if (text.ends_with("unknown"))
            return std::nullopt;
        return "'value'";
    }
    std::optional<std::string> function(std::string_view name) const override
    {
        if (name == "database")
            return "'shop'";
        return std::nullopt;
    }
    std::optional<std::string> relation(std::string_view name) const override
    {
        if (name == "tables")
            return "(SELECT 1 AS table_name)";
        return std::nullopt;
    }
};

// What the conversation relies on: places in SQLite's text are places in the client's.
void check(std::string_view one, const mysql_statement& made)
{
    require(made.problem.empty() || made.statements.empty());
    std::size_t bytes = 0;
    for (const auto& statement : made.statements) {
        std::size_t last = 0;
        for (std::size_t i = 0; i <= statement.text.size(); ++i) {
            const auto there = statement.client_offset(i);
            require(there >= last && there <= one.size());
            last = there;
        }
        bytes += statement.text.size();
    }
    // No text grows without bound: each of its words stands for a short one.
    require(bytes <= 4096 + 200 * one.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0 || size > 4096)
        return 0;
    const session who(data[0]);
    const auto text = without_executable_comments(
        std::string(reinterpret_cast<const char*>(data + 1), size - 1), who);
    const auto words = who.ansi_quotes ? dialect::mysql_ansi_quotes : dialect::mysql;
    std::string_view rest = text;
    for (auto one = next_statement(rest, words); !one.empty(); one = next_statement(rest, words))
        check(one, mysql_to_sqlite(one, who));
    return 0;
}
