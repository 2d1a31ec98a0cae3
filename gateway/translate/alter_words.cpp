// gateway/translate/alter_words.cpp: PostgreSQL's ALTER TABLE as far as SQLite has it not.
#include "gateway/translate/alter_words.hpp"

#include <vector>

#include "proto/sql/lexer.hpp"
#include "proto/sql/string_literal.hpp"

namespace sluice::gateway {
namespace {

using sql::token;
using sql::token_kind;

constexpr std::string_view rebuild =
    " cannot be changed in a table that exists on SQLite databases: create the table anew with it, "
    "INSERT INTO new SELECT ... FROM old, DROP TABLE old, ALTER TABLE new RENAME TO old, in one "
    "transaction";

class reader {
public:
    explicit reader(std::string_view text) : text_(text)
    {
        sql::lexer lex(text);
        do {
            tokens_.push_back(lex.next());
        } while (tokens_.back().kind != token_kind::end);
    }

    std::optional<alter_words> read()
    {
        if (!take("alter") || !take("table"))
            return std::nullopt;
        if (take("if"))
            take("exists");
        take("only");
        const auto table = name();
        if (table.empty())
            return std::nullopt;
        if (take("add"))
            return add(table);
        if (take("drop"))
            return take("constraint") ? refused("A constraint") : std::nullopt;
        if (!take("alter"))
            return std::nullopt;
        take("column");
        (void)name();
        if (is("type") || (is("set") && is("data", 1)))
            return refused("The type of a column");
        return refused(is("default", 1) ? "The default of a column" : "NOT NULL of a column");
    }

private:
    bool is(std::string_view word, std::size_t n = 0) const
    {
        return at_ + n < tokens_.size() && sql::is_word(tokens_[at_ + n], word);
    }
    bool take(std::string_view word)
    {
        const bool here = is(word);
        at_ += here;
        return here;
    }
    // [schema.]name as SQLite quotes it; without the schema.
    std::string name()
    {
        std::string out;
        for (;;) {
            const auto& t = tokens_[at_];
            if (t.kind != token_kind::word && t.kind != token_kind::quoted_word)
                return out;
            out = "\"";
            for (const char c : sql::name_value(t))
                out.append(c == '"' ? 2u : 1u, c);
            out += '"';
            ++at_;
            if (tokens_[at_].kind != token_kind::dot)
                return out;
            ++at_;
        }
    }

    std::optional<alter_words> add(const std::string& table)
    {
        const bool named = take("constraint");
        std::string constraint = named ? name() : std::string();
        if (take("foreign"))
            return refused("Foreign keys");
        if (take("check"))
            return refused("CHECK constraints");
        if (take("primary"))
            return refused("The primary key");
        if (take("exclude"))
            return refused("EXCLUDE constraints");
        if (!is("unique"))
            return std::nullopt;
        ++at_;
        const bool columns = tokens_[at_].kind == token_kind::open_paren;
        if (!columns)
            return refused("A constraint");
        const auto begin = static_cast<std::size_t>(tokens_[at_].text.data() - text_.data());
        std::string plain;
        while (tokens_[at_].kind != token_kind::close_paren) {
            if (tokens_[at_].kind == token_kind::end)
                return std::nullopt;
            if (tokens_[at_].kind == token_kind::word ||
                tokens_[at_].kind == token_kind::quoted_word)
                plain += '_' + sql::name_value(tokens_[at_]);
            ++at_;
        }
        const auto end = static_cast<std::size_t>(tokens_[at_].text.data() - text_.data()) + 1;
        ++at_;
        if (tokens_[at_].kind != token_kind::end)
            return refused("DEFERRABLE unique constraints");
        if (constraint.empty())
            constraint = table.substr(0, table.size() - 1) + plain + "_key\"";
        alter_words out;
        out.instead = "CREATE UNIQUE INDEX " + constraint + " ON " + table + ' ' +
                      std::string(text_.substr(begin, end - begin));
        return out;
    }

    static std::optional<alter_words> refused(std::string_view what)
    {
        return alter_words{{}, std::string(what) + std::string(rebuild)};
    }

    std::string_view text_;
    std::vector<token> tokens_;
    std::size_t at_ = 0;
};

}  // namespace

std::optional<alter_words> read_alter_table(std::string_view text)
{
    return reader(text).read();
}

}  // namespace sluice::gateway
