// proto/sql/to_sqlite.cpp: the rewritten text, and the way back into the client's.
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
