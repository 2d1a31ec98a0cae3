// proto/sql/sqlite_definitions.cpp: CREATE TABLE, ALTER TABLE, CREATE INDEX.
#include <algorithm>
#include <array>
#include <span>

#include "proto/sql/sqlite_rewriter.hpp"

namespace sluice::sql {
namespace {

// Each look-ahead in a definition is short, so that no text makes it slow.
constexpr std::size_t column_tokens_max = 500;

bool is_any_of(const token& t, std::initializer_list<std::string_view> words) noexcept
{
    return std::any_of(
        words.begin(), words.end(), [&t](std::string_view w) { return is_word(t, w); });
}

bool is_serial(std::string_view type) noexcept
{
    return type == "serial" || type == "bigserial" || type == "smallserial" || type == "serial2" ||
           type == "serial4" || type == "serial8";
}

bool is_name(const token& t) noexcept
{
    return t.kind == token_kind::word || t.kind == token_kind::quoted_word;
}

}  // namespace

bool sqlite_rewriter::definition_word()
{
    if (at("unlogged") && at_ == 1) {
        drop(1);
        return true;
    }
    if (groups_.size() > 1)
        return false;
    if (at("generated"))
        return identity();
    if (at("default"))
        return default_value();
    return column_type();
}

// The tokens of a column's definition from `n` on: up to the comma or parenthesis that ends it.
std::size_t sqlite_rewriter::column_end(std::size_t n) const noexcept
{
    std::size_t depth = 0;
    for (const auto last = n + column_tokens_max;; ++n) {
        const auto k = kind(n);
        if (n == last || k == token_kind::end || (depth == 0 && k == token_kind::comma))
            return n;
        if (k == token_kind::open_paren)
            ++depth;
        if (k == token_kind::close_paren && depth-- == 0)
            return n;
    }
}

bool sqlite_rewriter::is_column_type_here() const noexcept
{
    if (at_ < 2 || !is_name(tokens_[at_ - 1]))
        return false;
    const auto& name = tokens_[at_ - 1];
    const auto& before = tokens_[at_ - 2];
    if (is_any_of(name,
                  {"constraint",
                   "primary",
                   "unique",
                   "check",
                   "foreign",
                   "exclude",
                   "like",
                   "column",
                   "if"}))
        return false;
    if (groups_.size() == 1)
        return before.kind == token_kind::open_paren || before.kind == token_kind::comma;
    return is_any_of(before, {"add", "column", "exists"}) && is_word(tokens_[0], "alter");
}

// Types that SQLite would read another way than they are meant, see to_sqlite.hpp.
bool sqlite_rewriter::column_type()
{
    if (!is_column_type_here())
        return false;
    const auto type = parse_type(std::span(tokens_).subspan(at_));
    if (type.tokens == 0)
        return false;

    bool identity_follows = false;
    for (std::size_t n = type.tokens, end = column_end(n); n + 1 < end; ++n)
        identity_follows |= at("as", n) && at("identity", n + 1);

    std::string text;
    if (is_serial(type.name) || identity_follows)
        text = "INTEGER";
    else if (type.name.ends_with("[]"))
        text = "TEXT";
    else if (type.tokens > 1 && type.name == "timestamptz")
        text = "TIMESTAMPTZ";
    else if (type.tokens > 1 && type.name == "timestamp")
        text = "TIMESTAMP";
    else if (type.tokens > 1 && type.name == "timetz")
        text = "TIMETZ";
    else if (type.tokens > 1 && type.name == "time")
        text = "TIME";
    else if (type.name == "float8" && at("double"))
        text = "DOUBLE";
    else if (type.name == "varchar" && !at("varchar"))
        text = "VARCHAR" + std::string(type.modifier);
    else if (type.name == "varbit" && !at("varbit"))
        text = "VARBIT" + std::string(type.modifier);

    if (!text.empty())
        replace(text, type.tokens);
    else
        for (std::size_t i = 0; i < type.tokens; ++i)
            copy();
    end_operand();
    return true;
}

// GENERATED {ALWAYS | BY DEFAULT} AS IDENTITY [(options)]: an INTEGER PRIMARY KEY counts by itself.
bool sqlite_rewriter::identity()
{
    std::size_t n = 1;
    if (at("always", n))
        ++n;
    else if (at("by", n) && at("default", n + 1))
        n += 2;
    if (!at("as", n) || !at("identity", n + 1))
        return false;
    n += 2;
    if (kind(n) == token_kind::open_paren)
        n = column_list_end(n + 1);
    drop(n);
    end_operand();
    return true;
}

// An expression needs parentheses in SQLite, unless it is one literal with or without a sign.
bool sqlite_rewriter::default_value()
{
    if (at("set", 0) || (at_ > 0 && is_word(tokens_[at_ - 1], "set")))
        return false;  // ON DELETE SET DEFAULT
    const auto limit = column_end(1);
    std::size_t n = 2;
    for (std::size_t depth = kind(1) == token_kind::open_paren; n < limit; ++n) {
        if (depth == 0 && is_any_of(ahead(n),
                                    {"not",
                                     "null",
                                     "primary",
                                     "unique",
                                     "check",
                                     "references",
                                     "constraint",
                                     "collate",
                                     "generated"}))
            break;
        if (kind(n) == token_kind::open_paren)
            ++depth;
        else if (kind(n) == token_kind::close_paren && depth > 0)
            --depth;
    }
    const bool signed_number = n == 3 && kind(1) == token_kind::op;
    const bool function = is_any_of(
        ahead(1),
        {"current_user", "session_user", "current_schema", "current_catalog", "current_role"});
    copy();
    end_operand();
    const auto value = n - 1;
    if ((value > 1 && !signed_number && kind() != token_kind::open_paren) || function) {
        out_.text += " (";
        wrap_until_ = at_ + value;
    }
    return true;
}

bool sqlite_rewriter::index_word()
{
    if (at("concurrently")) {
        drop(1);
        return true;
    }
    if (at("using") && groups_.empty()) {
        drop(2);
        return true;
    }
    if (at("include") && groups_.empty() && kind(1) == token_kind::open_paren) {
        const auto close = column_list_end(2);
        drop(close);
        return true;
    }
    const auto word = now().text;
    if (groups_.size() == 1 && operand_.begin != none && word.ends_with("_ops")) {
        drop(1);
        return true;
    }
    return false;
}

// Behind the parenthesis that closes the list which `n` is in.
std::size_t sqlite_rewriter::column_list_end(std::size_t n) const noexcept
{
    n = column_end(n);
    while (kind(n) == token_kind::comma)
        n = column_end(n + 1);
    return n + (kind(n) == token_kind::close_paren);
}

}  // namespace sluice::sql
