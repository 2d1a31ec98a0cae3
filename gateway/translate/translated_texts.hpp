// gateway/translate/translated_texts.hpp: what a worker remembers of the texts that PostgreSQL
// clients send to SQLite files: many send the same few again and again.
//
// Layer: gateway. One per worker, its thread. Bounds: a fixed number of texts of at most text_max
// bytes; one that came twice in a row to its place replaces what was there.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "gateway/translate/statement.hpp"
#include "proto/pg/requests.hpp"

namespace sluice::gateway {

struct prepared_statement;

struct translated_text {
    std::uint64_t hash = 0;   // of the last text that asked for this place
    statement_ptr statement;  // null: nothing came twice yet
    // What Parse made of it, for which types of parameters. As long as the engine describes the
    // text with the very same `info`, neither the file nor its tables have changed.
    std::vector<pg::type_oid> asked;
    std::shared_ptr<const prepared_statement> prepared;

    bool asks_for(const pg::be_list<std::uint32_t>& types) const noexcept;
};

class translated_texts {
public:
    static constexpr std::size_t text_max = 4096;

    translated_texts() : places_(size) {}

    // As read_statement().
    statement_ptr read(std::string_view text, std::size_t offset);
    // Null: not known. Valid until the next call.
    translated_text* find(std::string_view text) noexcept;

private:
    static constexpr std::size_t size = 512;  // a power of two

    std::vector<translated_text> places_;
};

}  // namespace sluice::gateway
