// tests/fuzz/fuzz_sql_lexer.cpp: any text through everything that reads SQL.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/sql/classify.hpp"
#include "proto/sql/classify_mysql.hpp"
#include "proto/sql/settings_words.hpp"
#include "proto/sql/split.hpp"
#include "proto/sql/string_literal.hpp"
#include "proto/sql/to_sqlite.hpp"
#include "proto/sql/transaction_words.hpp"

namespace {

using namespace sluice::sql;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

// Tokens come in order and lie inside the text.
void read_tokens(std::string_view text, dialect d)
{
    lexer lex(text, d);
    std::size_t at = 0;
    for (token t = lex.next(); t.kind != token_kind::end; t = lex.next()) {
        require(lex.offset(t) >= at && !t.text.empty());
        at = lex.offset(t) + t.text.size();
        require(at <= text.size());
        if (is_string(t.kind) && (d == dialect::postgres || d == dialect::postgres_for_sqlite))
            require(string_value(t).find('\0') == std::string::npos ||
                    text.find('\0') != std::string_view::npos);
    }
}

void read_statement(std::string_view one)
{
    const auto s = to_sqlite(one);
    std::size_t last = 0;
    for (std::size_t i = 0; i <= s.text.size(); ++i) {
        const auto there = s.client_offset(i);
        require(there >= last && there <= one.size());
        last = there;
    }
    require(parse_transaction(one).verb != transaction_verb::none || !parse_transaction(one).error);
    require(parse_settings(one).verb != settings_verb::none || !parse_settings(one).error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto d : {dialect::postgres,
                         dialect::postgres_for_sqlite,
                         dialect::sqlite,
                         dialect::mysql,
                         dialect::mysql_ansi_quotes})
        read_tokens(text, d);

    const auto traits = classify_postgres(text);
    require(!traits.self_contained || traits.leaves_session_alone());
    require((traits.statements == 0) == (traits.kinds == 0));
    for (std::size_t i = 0; i < traits.setting_count; ++i)
        require(!traits.settings[i].name.empty());

    for (const bool escapes : {true, false}) {
        for (const bool ansi : {true, false}) {
            const auto mysql = classify_mysql(text, {escapes, ansi});
            require(!mysql.self_contained || mysql.leaves_session_alone());
            require((mysql.statements == 0) == (mysql.kinds == 0));
            require(!any(mysql.pins & mysql.unpins));
            for (std::size_t i = 0; i < mysql.setting_count; ++i)
                require(!mysql.settings[i].name.empty());
            std::string name;
            append_mysql_name(name, mysql.name);
        }
    }

    auto rest = text;
    for (auto one = next_statement(rest); !one.empty(); one = next_statement(rest))
        read_statement(one);
    return 0;
}
