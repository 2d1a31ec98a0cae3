// proto/sql/token_rewriter.cpp: writing the rewritten text and finding the way back into the
// client's.
#include "proto/sql/token_rewriter.hpp"

#include <algorithm>

namespace sluice::sql {

token_rewriter::token_rewriter(std::string_view statement, lexer lex)
    : statement_(statement), copied_(statement.data())
{
    do {
        tokens_.push_back(lex.next());
    } while (tokens_.back().kind != token_kind::end);
    unterminated_ = lex.unterminated();
    defaults_ = find_default_values(tokens_);
    copied_ = tokens_.front().text.data();
    out_.text.reserve(statement.size() + 32);
    out_.client_size = statement.size();
}

// From the next byte of the output on, it is the client's text from `client` on.
void token_rewriter::mark(const char* client)
{
    const auto offset = static_cast<std::size_t>(client - statement_.data());
    const auto here = out_.text.size();
    if (!out_.pieces.empty()) {
        auto& last = out_.pieces.back();
        if (here - last.sqlite + last.client == offset)
            return;
        if (last.sqlite == here) {
            last.client = offset;
            return;
        }
    }
    out_.pieces.push_back({here, offset});
}

// What lies between the last token and this one. Comments become a blank: SQLite's do not nest.
void token_rewriter::gap()
{
    const char* begin = copied_;
    copied_ = now().text.data();
    if (out_.text.empty() || begin >= copied_)
        return;
    const std::string_view between(begin, static_cast<std::size_t>(copied_ - begin));
    mark(begin);
    if (between.find_first_of("-/#*") == std::string_view::npos)
        out_.text += between;
    else
        out_.text += ' ';
}

void token_rewriter::copy()
{
    gap();
    mark(now().text.data());
    out_.text += now().text;
    copied_ = now().text.data() + now().text.size();
    ++at_;
}

void token_rewriter::replace(std::string_view with, std::size_t count)
{
    gap();
    mark(now().text.data());
    out_.text += with;
    drop(count);
}

void token_rewriter::drop(std::size_t count)
{
    gap();
    // What stood at the caller's end may have gone with a term before it: there is no way back.
    const auto to = std::min(at_ + count, tokens_.size() - 1);
    if (to <= at_)
        return;
    at_ = to;
    const auto& last = tokens_[at_ - 1].text;
    copied_ = last.data() + last.size();
}

bool token_rewriter::step_over_default()
{
    if (defaults_.left_out.empty())
        return false;
    if (defaults_.left_out[at_]) {
        drop(1);
        return true;
    }
    if (defaults_.values == 0 || at_ != defaults_.values)
        return false;
    replace("DEFAULT VALUES");
    return true;
}

void token_rewriter::insert(std::size_t where, std::string_view text)
{
    const auto client = out_.client_offset(where);
    out_.text.insert(where, text);
    auto p = out_.pieces.end();
    while (p != out_.pieces.begin() && std::prev(p)->sqlite >= where) {
        --p;
        p->sqlite += text.size();
    }
    if (p == out_.pieces.end() || p->sqlite != where + text.size())
        out_.pieces.insert(p, {where + text.size(), client});
}

}  // namespace sluice::sql
