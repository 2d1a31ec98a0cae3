// gateway/translate/parameter_columns.cpp: a parameter's column by the look of the text.
#include "gateway/translate/parameter_columns.hpp"

#include <algorithm>
#include <charconv>
#include <cctype>

#include "proto/sql/lexer.hpp"
#include "proto/sql/string_literal.hpp"

namespace sluice::gateway {
namespace {

using sql::token;
using sql::token_kind;

bool is_name(const token& t) noexcept
{
    return t.kind == token_kind::word || t.kind == token_kind::quoted_word;
}

std::string lower_name(const token& t)
{
    auto out = sql::name_value(t);
    for (char& c : out)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

std::uint32_t parameter_number(const token& t) noexcept
{
    std::uint32_t number = 0;
    if (t.kind == token_kind::parameter && t.text.size() > 1)
        std::from_chars(t.text.data() + 1, t.text.data() + t.text.size(), number);
    return number;
}

bool compares(const token& t) noexcept
{
    if (t.kind == token_kind::op)
        return t.text == "=" || t.text == "==" || t.text == "<" || t.text == ">" ||
               t.text == "<=" || t.text == ">=" || t.text == "<>" || t.text == "!=";
    return sql::is_word(t, "like") || sql::is_word(t, "is");
}

// PostgreSQL 15, 8.4.1 "bytea Hex Format"
bool is_hex_literal(const token& t) noexcept
{
    constexpr std::string_view begin = "'\\x";
    const auto hex = [](unsigned char c) { return std::isxdigit(c) != 0; };
    if (t.kind != token_kind::string || !t.text.starts_with(begin) || t.text.size() % 2 != 0)
        return false;
    const auto digits = t.text.substr(begin.size(), t.text.size() - begin.size() - 1);
    return std::all_of(digits.begin(), digits.end(), hex);
}

class finder {
public:
    explicit finder(std::string_view text) : text_(text)
    {
        sql::lexer lex(text, sql::dialect::sqlite);
        for (auto t = lex.next(); t.kind != token_kind::end; t = lex.next())
            tokens_.push_back(t);
    }

    parameter_columns find()
    {
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            if (word(i, "from") || word(i, "join") || word(i, "update") || word(i, "into"))
                table(i + 1);
            if (word(i, "into"))
                insert(i + 1);
            if (word(i, "in"))
                list(i);
            if (word(i, "between"))
                between(i);
            comparison(i);
        }
        return std::move(out_);
    }

private:
    bool word(std::size_t i, std::string_view lower) const
    {
        return i < tokens_.size() && sql::is_word(tokens_[i], lower);
    }
    bool is(std::size_t i, token_kind kind) const
    {
        return i < tokens_.size() && tokens_[i].kind == kind;
    }

    void note(std::size_t i, const std::string& column)
    {
        if (i >= tokens_.size())
            return;
        if (const auto number = parameter_number(tokens_[i]); number > 0)
            out_.columns.emplace(number, column);
        else if (is_hex_literal(tokens_[i]))
            out_.literals.emplace(offset(i), column);
    }
    std::size_t offset(std::size_t i) const
    {
        return static_cast<std::size_t>(tokens_[i].text.data() - text_.data());
    }

    void table(std::size_t i)
    {
        for (;;) {
            if (i >= tokens_.size() || !is_name(tokens_[i]))
                return;
            if (is(i + 1, token_kind::dot))
                i += 2;
            if (i >= tokens_.size() || !is_name(tokens_[i]))
                return;
            out_.tables.push_back(sql::name_value(tokens_[i]));
            ++i;
            if (word(i, "as"))
                ++i;
            if (i < tokens_.size() && is_name(tokens_[i]) && is(i + 1, token_kind::comma))
                ++i;
            if (!is(i, token_kind::comma))
                return;
            ++i;
        }
    }

    // Behind INTO: name [(columns)] VALUES (...), (...)
    void insert(std::size_t i)
    {
        while (i < tokens_.size() && (is_name(tokens_[i]) || is(i, token_kind::dot)) &&
               !word(i, "values") && !word(i, "select"))
            ++i;
        std::vector<std::string> columns;
        if (is(i, token_kind::open_paren)) {
            for (++i; i < tokens_.size() && !is(i, token_kind::close_paren); ++i)
                if (is_name(tokens_[i]))
                    columns.push_back(lower_name(tokens_[i]));
            ++i;
        }
        if (!word(i, "values"))
            return;
        ++i;
        while (is(i, token_kind::open_paren)) {
            std::size_t field = 0;
            int depth = 1;
            std::size_t from = ++i;
            for (; i < tokens_.size() && depth > 0; ++i) {
                const bool closing = is(i, token_kind::close_paren);
                const bool ends = depth == 1 && (closing || is(i, token_kind::comma));
                if (ends) {
                    if (i == from + 1)
                        written(from, field, columns);
                    ++field;
                    from = i + 1;
                }
                depth += is(i, token_kind::open_paren) ? 1 : closing ? -1 : 0;
            }
            if (!is(i, token_kind::comma))
                return;
            ++i;
        }
    }

    void written(std::size_t i, std::size_t field, const std::vector<std::string>& columns)
    {
        if (field < columns.size()) {
            note(i, columns[field]);
            return;
        }
        if (!columns.empty())
            return;
        if (const auto number = parameter_number(tokens_[i]); number > 0)
            out_.positions.emplace(number, field);
        else if (is_hex_literal(tokens_[i]))
            out_.literal_positions.emplace(offset(i), field);
    }

    void comparison(std::size_t i)
    {
        if (!compares(tokens_[i]) || i == 0)
            return;
        if (is_name(tokens_[i - 1]))
            note(i + 1, lower_name(tokens_[i - 1]));
        if (i + 1 >= tokens_.size() || !is_name(tokens_[i + 1]))
            return;
        const std::size_t name = is(i + 2, token_kind::dot) ? i + 3 : i + 1;
        if (name < tokens_.size() && is_name(tokens_[name]) &&
            !is(name + 1, token_kind::open_paren))
            note(i - 1, lower_name(tokens_[name]));
    }

    std::string column_before(std::size_t i) const
    {
        if (i > 0 && sql::is_word(tokens_[i - 1], "not"))
            --i;
        return i > 0 && is_name(tokens_[i - 1]) ? lower_name(tokens_[i - 1]) : std::string();
    }

    void list(std::size_t i)
    {
        const auto column = column_before(i);
        if (column.empty() || !is(i + 1, token_kind::open_paren))
            return;
        if (word(i + 2, "select") || word(i + 2, "with"))
            return array(i + 2, column);
        for (i += 2; i < tokens_.size() && !is(i, token_kind::close_paren); ++i)
            note(i, column);
    }

    // At a query behind IN, whose parameters are its own, unless it stands for = ANY ($1).
    void array(std::size_t i, const std::string& column)
    {
        const auto at = i + 5;
        if (!word(i + 1, "v") || !is(i + 3, token_kind::quoted_word) ||
            tokens_[i + 3].text != "\"pg:unnest:v\"" || !is(at, token_kind::parameter) ||
            !is(at + 1, token_kind::close_paren))
            return;
        note(at, column);
        out_.arrays.insert(parameter_number(tokens_[at]));
    }

    void between(std::size_t i)
    {
        const auto column = column_before(i);
        if (column.empty())
            return;
        note(i + 1, column);
        if (word(i + 2, "and"))
            note(i + 3, column);
    }

    std::string_view text_;
    std::vector<token> tokens_;
    parameter_columns out_;
};

}  // namespace

parameter_columns find_parameter_columns(std::string_view text)
{
    return finder(text).find();
}

}  // namespace sluice::gateway
