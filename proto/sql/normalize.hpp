// proto/sql/normalize.hpp: a statement without its constants: to count by, and to show to people
// who shall not see the data.
//
// Layer: proto. Pure, one pass over the tokens; digest_of() allocates nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {

// See digest.hpp; never zero. Only where nothing else reads the text: the classifiers give it, too.
std::uint64_t digest_of(std::string_view text, dialect d) noexcept;

// Constants become ?, lists of them (?, ...), blanks one blank, comments nothing; cut at `most`
// bytes, not within a UTF-8 sequence, where "..." follows.
std::string normalized(std::string_view text, dialect d, std::size_t most);

}  // namespace sluice::sql
