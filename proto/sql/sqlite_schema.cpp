// proto/sql/sqlite_schema.cpp: what only the text of a CREATE statement in sqlite_schema says.
#include "proto/sql/sqlite_schema.hpp"

#include <algorithm>

#include "proto/sql/lexer.hpp"

namespace sluice::sql {
namespace {

// A name as SQLite stores it: quotes of any of its four kinds gone.
std::string plain_name(std::string_view written)
{
    if (written.size() < 2)
        return std::string(written);
    const char open = written.front();
    const char close = open == '[' ? ']' : open;
    if ((open != '"' && open != '`' && open != '[' && open != '\'') || written.back() != close)
        return std::string(written);
    std::string out;
    for (std::size_t i = 1; i + 1 < written.size(); ++i) {
        out += written[i];
        if (open != '[' && written[i] == open)
            ++i;
    }
    return out;
}

class reader {
public:
    explicit reader(std::string_view text) : text_(text)
    {
        lexer lex(text, dialect::sqlite);
        do {
            tokens_.push_back(lex.next());
        } while (tokens_.back().kind != token_kind::end);
    }

    const token& at(std::size_t n) const noexcept
    {
        return tokens_[std::min(n, tokens_.size() - 1)];
    }
    bool word(std::size_t n, std::string_view lower) const noexcept
    {
        return is_word(at(n), lower);
    }
    bool opens(std::size_t n) const noexcept { return at(n).kind == token_kind::open_paren; }
    bool end(std::size_t n) const noexcept { return at(n).kind == token_kind::end; }

    // Behind the parenthesis that closes the one at `n`.
    std::size_t skip(std::size_t n) const noexcept
    {
        int depth = 0;
        for (; !end(n); ++n) {
            depth += opens(n) ? 1 : at(n).kind == token_kind::close_paren ? -1 : 0;
            if (depth == 0)
                return n + 1;
        }
        return n;
    }
    // Up to the comma, closing parenthesis or end behind `n` on the same level.
    std::size_t item_end(std::size_t n) const noexcept
    {
        while (!end(n) && at(n).kind != token_kind::comma && at(n).kind != token_kind::close_paren)
            n = opens(n) ? skip(n) : n + 1;
        return n;
    }
    std::string between(std::size_t from, std::size_t to) const
    {
        if (from >= to)
            return {};
        const char* begin = at(from).text.data();
        const auto& last = at(to - 1).text;
        return {begin, last.data() + last.size()};
    }
    std::string rest(std::size_t from) const
    {
        auto out = std::string(
            text_.substr(static_cast<std::size_t>(at(from).text.data() - text_.data())));
        while (!out.empty() && (out.back() == ';' || out.back() == ' ' || out.back() == '\n'))
            out.pop_back();
        return out;
    }
    std::string inside(std::size_t open) const { return between(open + 1, skip(open) - 1); }

    // (a COLLATE x DESC, "b"): the first word of each.
    std::vector<std::string> names(std::size_t open) const
    {
        std::vector<std::string> out;
        const auto close = skip(open);
        for (std::size_t n = open + 1; n + 1 < close; n = item_end(n) + 1)
            out.push_back(plain_name(at(n).text));
        return out;
    }

private:
    std::string_view text_;
    std::vector<token> tokens_;
};

// [NOT] DEFERRABLE [INITIALLY DEFERRED] somewhere before `to`.
void read_deferral(const reader& in, std::size_t from, std::size_t to, table_clause& into)
{
    for (std::size_t n = from; n < to; ++n) {
        if (in.word(n, "deferrable"))
            into.deferrable = n == 0 || !in.word(n - 1, "not");
        if (in.word(n, "initially"))
            into.deferred = into.deferrable && in.word(n + 1, "deferred");
    }
}

// One item of the list. `column`: empty for a table constraint.
void read_clauses(const reader& in,
                  std::size_t n,
                  std::size_t to,
                  const std::string& column,
                  table_definition& out)
{
    std::string name;
    const auto add = [&](clause_kind kind) -> table_clause& {
        auto& made = out.clauses.emplace_back();
        made.kind = kind;
        made.name = std::exchange(name, {});
        if (!column.empty() && kind != clause_kind::check)
            made.columns = {column};
        return made;
    };
    while (n < to) {
        if (in.word(n, "constraint")) {
            name = plain_name(in.at(n + 1).text);
            n += 2;
        } else if (in.word(n, "primary") && in.word(n + 1, "key")) {
            auto& made = add(clause_kind::primary_key);
            n += 2;
            if (in.opens(n)) {
                made.columns = in.names(n);
                for (auto i = n, end = in.skip(n); i < end; ++i)
                    out.autoincrement |= in.word(i, "autoincrement");
                n = in.skip(n);
            }
        } else if (in.word(n, "unique")) {
            auto& made = add(clause_kind::unique);
            ++n;
            if (in.opens(n)) {
                made.columns = in.names(n);
                n = in.skip(n);
            }
        } else if (in.word(n, "check") && in.opens(n + 1)) {
            add(clause_kind::check).expression = in.inside(n + 1);
            n = in.skip(n + 1);
        } else if ((in.word(n, "foreign") && in.word(n + 1, "key")) || in.word(n, "references")) {
            auto& made = add(clause_kind::foreign_key);
            if (in.word(n, "foreign")) {
                made.columns = in.names(n + 2);
                n = in.skip(n + 2);
            }
            read_deferral(in, n, to, made);
            n += 2;  // REFERENCES table
            if (in.opens(n))
                n = in.skip(n);
        } else if (in.word(n, "as") && in.opens(n + 1) && !column.empty()) {
            out.generated.emplace_back(column, in.inside(n + 1));
            n = in.skip(n + 1);
        } else {
            out.autoincrement |= in.word(n, "autoincrement");
            n = in.opens(n) ? in.skip(n) : n + 1;
        }
    }
}

bool begins_table_constraint(const reader& in, std::size_t n)
{
    return in.word(n, "constraint") || (in.word(n, "primary") && in.word(n + 1, "key")) ||
           (in.word(n, "unique") && in.opens(n + 1)) || (in.word(n, "check") && in.opens(n + 1)) ||
           (in.word(n, "foreign") && in.word(n + 1, "key"));
}

}  // namespace

table_definition read_table_definition(std::string_view create_table)
{
    table_definition out;
    const reader in(create_table);
    std::size_t n = 0;
    while (!in.end(n) && !in.opens(n)) {
        if (in.word(n, "virtual") || in.word(n, "as"))
            return out;
        ++n;
    }
    if (in.end(n))
        return out;
    const auto close = in.skip(n) - 1;
    for (++n; n < close;) {
        // Table constraints need no commas between them.
        const auto to = in.item_end(n);
        if (begins_table_constraint(in, n))
            read_clauses(in, n, to, {}, out);
        else
            read_clauses(in, n + 1, to, plain_name(in.at(n).text), out);
        n = to + 1;
    }
    return out;
}

index_definition read_index_definition(std::string_view create_index)
{
    index_definition out;
    const reader in(create_index);
    std::size_t n = 0;
    while (!in.end(n) && !in.word(n, "on"))
        ++n;
    while (!in.end(n) && !in.opens(n))
        ++n;
    const auto close = in.skip(n);
    for (++n; n + 1 < close;) {
        const auto to = in.item_end(n);
        out.keys.push_back(in.between(n, to));
        n = to + 1;
    }
    if (in.word(close, "where"))
        out.predicate = in.rest(close + 1);
    return out;
}

std::string read_view_query(std::string_view create_view)
{
    const reader in(create_view);
    for (std::size_t n = 0; !in.end(n); n = in.opens(n) ? in.skip(n) : n + 1)
        if (in.word(n, "as"))
            return in.rest(n + 1);
    return {};
}

}  // namespace sluice::sql
