// proto/sql/normalize.cpp: constants out, words in.
#include "proto/sql/normalize.hpp"

#include <utility>

#include "proto/sql/digest.hpp"

namespace sluice::sql {
namespace {

bool hugs_left(token_kind kind) noexcept
{
    return kind == token_kind::comma || kind == token_kind::close_paren ||
           kind == token_kind::dot || kind == token_kind::semicolon || kind == token_kind::cast ||
           kind == token_kind::close_bracket || kind == token_kind::open_bracket;
}

bool hugs_right(token_kind kind) noexcept
{
    return kind == token_kind::open_paren || kind == token_kind::dot || kind == token_kind::cast ||
           kind == token_kind::open_bracket;
}

// Where a text of at most `most` bytes may end.
std::size_t whole_characters(std::string_view text, std::size_t most) noexcept
{
    if (text.size() <= most)
        return text.size();
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
        --most;
    return most;
}

// The result as it grows, one token after another.
class normalizer {
public:
    explicit normalizer(std::size_t most) : most_(most) {}

    // False: it is full.
    bool add(const token& now, bool blank_before)
    {
        if (is_constant(now.kind)) {
            constant(blank_before);
            return true;
        }
        if (now.kind != token_kind::comma)
            constants_ = 0;
        if (now.kind == token_kind::comma && constants_ > 0 && last_was_constant_) {
            last_was_constant_ = false;
            comma_ = true;
            return true;
        }
        settle();
        append(now.text, now.kind, blank_before);
        last_was_constant_ = false;
        return out_.size() <= most_;
    }
    std::string result()
    {
        settle();
        if (out_.size() > most_) {
            out_.resize(whole_characters(out_, most_));
            out_ += "...";
        }
        return std::move(out_);
    }

private:
    void constant(bool blank_before)
    {
        ++constants_;
        if (comma_ && constants_ > 1) {
            // One more of a list.
            if (constants_ == 2)
                out_ += ", ...";
            comma_ = false;
        } else {
            settle();
            append("?", token_kind::number, blank_before);
            constants_ = 1;
        }
        last_was_constant_ = true;
    }
    // A comma that was not followed by another constant.
    void settle()
    {
        if (std::exchange(comma_, false))
            append(",", token_kind::comma, false);
    }
    void append(std::string_view text, token_kind kind, bool blank_before)
    {
        const bool call = kind == token_kind::open_paren && !blank_before;
        if (!out_.empty() && !hugs_left(kind) && !hugs_right(before_) && !call)
            out_ += ' ';
        out_ += text;
        before_ = kind;
    }

    const std::size_t most_;
    std::string out_;
    std::size_t constants_ = 0;  // of the list that is being read
    token_kind before_ = token_kind::end;
    bool comma_ = false;
    bool last_was_constant_ = false;
};

}  // namespace

std::uint64_t digest_of(std::string_view text, dialect d) noexcept
{
    lexer words(text, d);
    statement_digest digest;
    for (token now = words.next(); now.kind != token_kind::end; now = words.next())
        digest.add(now);
    return digest.value();
}

std::string normalized(std::string_view text, dialect d, std::size_t most)
{
    lexer words(text, d);
    normalizer out(most);
    const char* end = text.data();
    for (token now = words.next(); now.kind != token_kind::end; now = words.next()) {
        if (!out.add(now, now.text.data() != end))
            break;
        end = now.text.data() + now.text.size();
    }
    return out.result();
}

}  // namespace sluice::sql
