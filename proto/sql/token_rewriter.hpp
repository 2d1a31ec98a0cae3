// proto/sql/token_rewriter.hpp: walks over a statement's tokens and writes it anew, remembering
// which byte of the output stands for which of the client's.
//
// Layer: proto. What every dialect's way to SQLite shares. Lifetime: the statement's text outlives
// it.
#pragma once

#include <algorithm>
#include <vector>

#include "proto/sql/key_words.hpp"
#include "proto/sql/default_values.hpp"
#include "proto/sql/lexer.hpp"
#include "proto/sql/to_sqlite.hpp"

namespace sluice::sql {

class token_rewriter {
protected:
    token_rewriter(std::string_view statement, lexer lex);

    // Reading. Behind the last token there is the end, however far one looks.
    const token& now() const noexcept { return tokens_[at_]; }
    const token& ahead(std::size_t n) const noexcept
    {
        return tokens_[std::min(at_ + n, tokens_.size() - 1)];
    }
    // Asked dozens of times of every token: nearly all answers are in a word's length and its first
    // letter, and need no call.
    bool at(std::string_view word, std::size_t n = 0) const noexcept
    {
        const token& t = ahead(n);
        return t.kind == token_kind::word && t.text.size() == word.size() &&
               lower_ascii(t.text.front()) == word.front() && same_word(t.text, word);
    }
    token_kind kind(std::size_t n = 0) const noexcept { return ahead(n).kind; }

    // Writing.
    void gap();
    void mark(const char* client);
    void copy();
    void replace(std::string_view with, std::size_t count = 1);
    void drop(std::size_t count);
    void insert(std::size_t where, std::string_view text);
    // Before each step of an INSERT: true if the token at hand was DEFAULT's, and is dealt with.
    bool step_over_default();

    std::string_view statement_;
    std::vector<token> tokens_;  // and the end
    std::size_t at_ = 0;
    bool unterminated_ = false;
    default_values defaults_;
    const char* copied_ = nullptr;  // the client's text is dealt with up to here
    sqlite_statement out_;
};

}  // namespace sluice::sql
