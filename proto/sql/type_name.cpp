// proto/sql/type_name.cpp: types of several words, aliases, affinities.
#include "proto/sql/type_name.hpp"

#include <array>

#include "proto/sql/string_literal.hpp"

namespace sluice::sql {
namespace {

struct alias {
    std::string_view written;
    std::string_view internal;
};
constexpr std::array<alias, 12> aliases{{
    {"int", "int4"},
    {"integer", "int4"},
    {"bigint", "int8"},
    {"smallint", "int2"},
    {"real", "float4"},
    {"float", "float8"},
    {"decimal", "numeric"},
    {"dec", "numeric"},
    {"boolean", "bool"},
    {"character", "bpchar"},
    {"char", "bpchar"},
    {"nchar", "bpchar"},
}};

class parser {
public:
    explicit parser(std::span<const token> tokens) noexcept : tokens_(tokens) {}

    type_name run()
    {
        if (at_word("pg_catalog") && kind(1) == token_kind::dot)
            at_ += 2;
        if (kind() == token_kind::quoted_word) {
            out_.name = name_value(tokens_[at_++]);
        } else if (kind() == token_kind::word) {
            words();
        } else {
            return {};
        }
        while (kind() == token_kind::dot && kind(1) == token_kind::word) {
            out_.name = name_value(tokens_[at_ + 1]);
            at_ += 2;
        }
        modifier();
        zone();
        array();
        out_.tokens = at_;
        return std::move(out_);
    }

private:
    token_kind kind(std::size_t ahead = 0) const noexcept
    {
        return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead].kind : token_kind::end;
    }
    bool at_word(std::string_view word, std::size_t ahead = 0) const noexcept
    {
        return at_ + ahead < tokens_.size() && is_word(tokens_[at_ + ahead], word);
    }
    bool accept(std::string_view word) noexcept
    {
        if (!at_word(word))
            return false;
        ++at_;
        return true;
    }

    void words()
    {
        if (at_word("double") && at_word("precision", 1)) {
            at_ += 2;
            out_.name = "float8";
            return;
        }
        if (at_word("national") && (at_word("character", 1) || at_word("char", 1)))
            ++at_;
        out_.name = name_value(tokens_[at_++]);
        for (const auto& a : aliases) {
            if (out_.name == a.written) {
                out_.name = a.internal;
                break;
            }
        }
        if (out_.name == "bpchar" && accept("varying"))
            out_.name = "varchar";
        else if (out_.name == "bit" && accept("varying"))
            out_.name = "varbit";
        else if (out_.name == "interval")
            while (at_word("year") || at_word("month") || at_word("day") || at_word("hour") ||
                   at_word("minute") || at_word("second") || at_word("to"))
                ++at_;
    }

    void modifier() noexcept
    {
        if (kind() != token_kind::open_paren)
            return;
        std::size_t ahead = 1;
        while (kind(ahead) == token_kind::number || kind(ahead) == token_kind::comma ||
               kind(ahead) == token_kind::word)
            ++ahead;
        if (kind(ahead) != token_kind::close_paren)
            return;
        const char* begin = tokens_[at_].text.data();
        at_ += ahead;
        const char* end = tokens_[at_].text.data() + 1;
        ++at_;
        out_.modifier = {begin, static_cast<std::size_t>(end - begin)};
    }

    void zone()
    {
        if (out_.name != "timestamp" && out_.name != "time")
            return;
        if (!at_word("time", 1) || !at_word("zone", 2))
            return;
        if (at_word("with"))
            out_.name += "tz";
        else if (!at_word("without"))
            return;
        at_ += 3;
    }

    void array()
    {
        bool is_array = accept("array");
        while (kind() == token_kind::open_bracket) {
            const bool sized = kind(1) == token_kind::number;
            if (kind(sized ? 2 : 1) != token_kind::close_bracket)
                break;
            at_ += sized ? 3 : 2;
            is_array = true;
        }
        if (is_array)
            out_.name += "[]";
    }

    std::span<const token> tokens_;
    std::size_t at_ = 0;
    type_name out_;
};

}  // namespace

type_name parse_type(std::span<const token> tokens)
{
    return parser(tokens).run();
}

std::string_view sqlite_affinity(std::string_view type) noexcept
{
    static constexpr std::array<alias, 16> casts{{
        {"int2", "INTEGER"},
        {"int4", "INTEGER"},
        {"int8", "INTEGER"},
        {"oid", "INTEGER"},
        {"float4", "REAL"},
        {"float8", "REAL"},
        {"numeric", "NUMERIC"},
        {"text", "TEXT"},
        {"varchar", "TEXT"},
        {"bpchar", "TEXT"},
        {"name", "TEXT"},
        {"citext", "TEXT"},
        {"bytea", "BLOB"},
        // SQLite's own words for them.
        {"blob", "BLOB"},
        {"clob", "TEXT"},
        {"double", "REAL"},
    }};
    for (const auto& c : casts)
        if (type == c.written)
            return c.internal;
    return {};
}

}  // namespace sluice::sql
