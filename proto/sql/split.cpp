// proto/sql/split.cpp: finding the semicolons that end statements.
#include "proto/sql/split.hpp"

#include <algorithm>

namespace sluice::sql {
namespace {

// Counts BEGIN and CASE against END where semicolons may stand inside a statement.
class definition_body {
public:
    void word(const token& t, lexer ahead, std::size_t words_before) noexcept
    {
        if (words_before == 0)
            create_ = is_word(t, "create");
        if (!create_)
            return;
        if (words_before <= 4 && is_word(t, "trigger"))
            trigger_ = true;
        if (is_word(t, "begin"))
            depth_ += depth_ > 0 || trigger_ || is_word(ahead.next(), "atomic");
        else if (depth_ > 0 && is_word(t, "case"))
            ++depth_;
        else if (depth_ > 0 && is_word(t, "end"))
            --depth_;
    }
    bool open() const noexcept { return depth_ > 0; }

private:
    bool create_ = false;
    bool trigger_ = false;
    std::size_t depth_ = 0;
};

}  // namespace

std::string_view next_statement(std::string_view& rest, dialect d) noexcept
{
    lexer lex(rest, d);
    token t = lex.next();
    while (t.kind == token_kind::semicolon)
        t = lex.next();

    const char* begin = t.text.data();
    const char* end = begin;
    definition_body body;
    std::size_t parens = 0;
    for (std::size_t words = 0; t.kind != token_kind::end; t = lex.next()) {
        if (t.kind == token_kind::semicolon && parens == 0 && !body.open())
            break;
        if (t.kind == token_kind::open_paren)
            ++parens;
        else if (t.kind == token_kind::close_paren)
            parens -= parens > 0;
        else if (t.kind == token_kind::word)
            body.word(t, lex, words++);
        end = t.text.data() + t.text.size();
    }
    const auto after = lex.offset(t) + (t.kind == token_kind::semicolon ? 1 : 0);
    rest.remove_prefix(std::min(after, rest.size()));
    return {begin, static_cast<std::size_t>(end - begin)};
}

std::size_t character_position(std::string_view text, std::size_t byte_offset) noexcept
{
    const auto before = text.substr(0, std::min(byte_offset, text.size()));
    const auto inner = std::count_if(before.begin(), before.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    });
    return before.size() - static_cast<std::size_t>(inner) + 1;
}

}  // namespace sluice::sql
