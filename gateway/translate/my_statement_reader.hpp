// gateway/translate/my_statement_reader.hpp: reads one statement of a MySQL client: the tokens, and
// where it is in them. For read_my_statement() alone.
//
// Layer: gateway. Lives as long as the reading.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/translate/my_show.hpp"
#include "gateway/translate/my_statement.hpp"
#include "proto/sql/key_words.hpp"

namespace sluice::gateway {

class my_statement_reader {
public:
    my_statement_reader(my_sqlite_statement& out, const my_state& session);

    void read();

private:
    const sql::token& now() const { return tokens_[at_]; }
    const sql::token& ahead(std::size_t n) const
    {
        return tokens_[std::min(at_ + n, tokens_.size() - 1)];
    }
    bool is(std::string_view word, std::size_t n = 0) const { return sql::is_word(ahead(n), word); }
    bool take(std::string_view word)
    {
        const bool here = is(word);
        at_ += here;
        return here;
    }
    bool take(sql::token_kind kind)
    {
        const bool here = now().kind == kind;
        at_ += here;
        return here;
    }
    bool at_end() const { return now().kind == sql::token_kind::end; }

    void refuse(std::uint16_t number, std::string state, std::string message)
    {
        out_.who = my_answer::refusal;
        out_.refused = {number, std::move(state), std::move(message)};
    }
    void syntax_error()
    {
        const auto rest = now().text.data() - out_.text.data();
        refuse(1064,
               "42000",
               "You have an error in your SQL syntax near '" +
                   out_.text.substr(static_cast<std::size_t>(rest)) + "'");
    }

    bool transaction();
    void begin_options();
    void end_options();
    bool settings();
    bool setting();
    bool set_transaction(my_setting& one);
    std::size_t value_end() const;
    std::string value_text(std::size_t to);
    bool special();
    void engine();
    void take_show(my_show&& shown);

    my_sqlite_statement& out_;
    const my_state& session_;
    std::vector<sql::token> tokens_;
    std::size_t at_ = 0;
};

std::string lower_my_text(std::string_view text);

}  // namespace sluice::gateway
