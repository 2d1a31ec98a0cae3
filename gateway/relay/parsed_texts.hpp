// gateway/relay/parsed_texts.hpp: what a worker remembers of the texts that clients send in unnamed
// Parse messages: many send the same few again and again.
//
// A text seen before needs no second look by the lexer. One that comes often is interned and then
// prepared once per backend (automatic preparation): PostgreSQL answers it about 1.5 times as fast.
//
// Layer: gateway/relay. One per worker, its thread. Bounds: a fixed number of texts of at most
// text_max bytes; a text that meets another in its place replaces it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/relay/statements.hpp"

namespace sluice::gateway {

struct parsed_text {
    std::string definition;  // as in struct statement
    std::uint64_t digest = 0;
    std::uint32_t seen = 0;
    bool plain = false;       // leaves the session alone, names nothing, hides nothing
    bool only_reads = false;  // see sql::statement_traits
    statement_ref prepared;   // from the second time on; plain texts only
};

class parsed_texts {
public:
    static constexpr std::size_t text_max = 4096;

    explicit parsed_texts(statement_table& table) : table_(table), slots_(size) {}

    // Of a Parse's body behind its name, at most text_max bytes; valid until the next call.
    const parsed_text& look(bytes_view definition);

private:
    static constexpr std::size_t size = 1024;  // a power of two
    static constexpr std::uint32_t often = 3;

    statement_table& table_;
    std::vector<std::unique_ptr<parsed_text>> slots_;
};

}  // namespace sluice::gateway
