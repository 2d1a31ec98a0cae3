// gateway/translate/my_show_reader.hpp: reads SHOW, DESCRIBE and EXPLAIN of a table. For
// read_show() alone.
//
// Layer: gateway. Lives as long as the reading.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/translate/my_show.hpp"

namespace sluice::gateway {

class my_show_reader {
public:
    my_show_reader(std::string_view statement, const my_state& session)
        : statement_(statement), session_(session)
    {
        auto lex = sql::mysql_lexer(statement, session);
        do {
            tokens_.push_back(lex.next());
        } while (tokens_.back().kind != sql::token_kind::end);
    }

    std::optional<my_show> read();

private:
    const sql::token& now() const { return tokens_[at_]; }
    bool is(std::string_view word, std::size_t n = 0) const
    {
        return sql::is_word(tokens_[std::min(at_ + n, tokens_.size() - 1)], word);
    }
    bool is_any(std::initializer_list<std::string_view> words) const
    {
        return std::any_of(words.begin(), words.end(), [this](auto w) { return is(w); });
    }
    bool take(std::string_view word)
    {
        const bool here = is(word);
        at_ += here;
        return here;
    }
    bool at_name() const
    {
        return now().kind == sql::token_kind::word || now().kind == sql::token_kind::quoted_word;
    }

    my_show wrong(std::uint16_t number, std::string state, std::string message) const
    {
        my_show out;
        out.problem = {number, std::move(state), std::move(message)};
        return out;
    }
    my_show syntax_error() const
    {
        return wrong(1064,
                     "42000",
                     "You have an error in your SQL syntax near '" +
                         std::string(now().text.data(), statement_.data() + statement_.size()) +
                         "'");
    }

    // [FROM | IN] [database.]table; false: `out` has an error.
    bool table(my_show& out);

    bool same_database(const std::string& name, my_show& out) const;

    // [FROM | IN] database
    bool database(my_show& out);

    // LIKE 'pattern' | WHERE condition, on the rows of `sql`.
    my_show filtered(std::string sql, std::string_view column, my_show out = {}) const;

    my_show show();
    std::optional<my_show> show_schema();
    my_show show_tables(bool full);
    my_show show_create();
    my_show show_variables();
    my_show show_diagnostics();

    static std::string columns(const std::string& table, bool full);

    std::string_view statement_;
    const my_state& session_;
    std::vector<sql::token> tokens_;
    std::size_t at_ = 0;
};

}  // namespace sluice::gateway
