// proto/sql/to_sqlite.cpp: writing the rewritten text and finding the way back into the client's.
#include "proto/sql/to_sqlite.hpp"

#include <algorithm>

#include "proto/sql/sqlite_rewriter.hpp"

namespace sluice::sql {

std::string_view sqlite_statement::parameter_type(std::uint32_t number) const noexcept
{
    const auto found = std::lower_bound(
        types.begin(), types.end(), number, [](const auto& t, auto n) { return t.number < n; });
    return found == types.end() || found->number != number ? std::string_view{} : found->type;
}

std::size_t sqlite_statement::client_offset(std::size_t sqlite_offset) const noexcept
{
    const auto next = std::upper_bound(
        pieces.begin(), pieces.end(), sqlite_offset, [](std::size_t o, const piece& p) {
            return o < p.sqlite;
        });
    if (next == pieces.begin())
        return 0;
    const auto& own = *std::prev(next);
    const auto there = own.client + (sqlite_offset - own.sqlite);
    return std::min(there, next == pieces.end() ? client_size : next->client);
}

sqlite_statement to_sqlite(std::string_view statement)
{
    return sqlite_rewriter(statement).run();
}

const token& sqlite_rewriter::ahead(std::size_t n) const noexcept
{
    return tokens_[std::min(at_ + n, tokens_.size() - 1)];
}

// From the next byte of the output on, it is the client's text from `client` on.
void sqlite_rewriter::mark(const char* client)
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
void sqlite_rewriter::gap()
{
    const char* begin = copied_;
    copied_ = now().text.data();
    if (out_.text.empty() || begin >= copied_)
        return;
    const std::string_view between(begin, static_cast<std::size_t>(copied_ - begin));
    mark(begin);
    if (between.find_first_of("-/") == std::string_view::npos)
        out_.text += between;
    else
        out_.text += ' ';
}

void sqlite_rewriter::copy()
{
    gap();
    mark(now().text.data());
    out_.text += now().text;
    copied_ = now().text.data() + now().text.size();
    ++at_;
}

void sqlite_rewriter::replace(std::string_view with, std::size_t count)
{
    gap();
    mark(now().text.data());
    out_.text += with;
    drop(count);
}

void sqlite_rewriter::drop(std::size_t count)
{
    gap();
    at_ = std::min(at_ + count, tokens_.size() - 1);
    if (count > 0) {
        const auto& last = tokens_[at_ - 1].text;
        copied_ = last.data() + last.size();
    }
}

void sqlite_rewriter::insert(std::size_t where, std::string_view text)
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

// A token that is (part of) an operand follows; its gap has been written.
void sqlite_rewriter::begin_operand()
{
    gap();
    const bool qualified = at_ > 0 && tokens_[at_ - 1].kind == token_kind::dot;
    const auto begin = qualified && operand_.begin != none ? operand_.begin : out_.text.size();
    operand_ = {};
    operand_.begin = begin;
}

}  // namespace sluice::sql
