// gateway/translate/copy_command.cpp: COPY ... FROM STDIN and COPY ... TO STDOUT.
//
//   COPY (table [(column, ...)] | (query)) (FROM STDIN | TO STDOUT) [[WITH] (option, ...) | words]
#include <vector>

#include "gateway/translate/statement.hpp"
#include "proto/sql/lexer.hpp"
#include "proto/sql/string_literal.hpp"
#include "proto/sql/to_sqlite.hpp"

namespace sluice::gateway {
namespace {

using sql::token;
using sql::token_kind;

class copy_parser {
public:
    explicit copy_parser(std::string_view text) : text_(text)
    {
        sql::lexer lex(text);
        for (auto t = lex.next(); t.kind != token_kind::end; t = lex.next())
            tokens_.push_back(t);
    }

    std::optional<copy_command> parse(std::string& problem)
    {
        problem =
            "this form of COPY is not available for SQLite databases; COPY table or (query) "
            "FROM STDIN or TO STDOUT in text, csv or binary format is";
        at_ = 1;
        std::string query;
        if (!source(query))
            return std::nullopt;
        if (word("from")) {
            out_.from_client = true;
            if (!word("stdin") || out_.table.empty())
                return std::nullopt;
        } else if (!word("to") || !word("stdout")) {
            return std::nullopt;
        }
        word("with");
        if (!options(problem))
            return std::nullopt;
        if (!delimiter_ && out_.shape == row_shape::copy_csv)
            out_.style.delimiter = ',';
        if (!null_ && out_.shape == row_shape::copy_csv)
            out_.style.null = "";
        build(query);
        return out_;
    }

private:
    bool end() const { return at_ >= tokens_.size(); }
    bool is(token_kind kind) const { return !end() && tokens_[at_].kind == kind; }
    bool take(token_kind kind)
    {
        if (!is(kind))
            return false;
        ++at_;
        return true;
    }
    bool word(std::string_view lower)
    {
        if (end() || !sql::is_word(tokens_[at_], lower))
            return false;
        ++at_;
        return true;
    }
    bool name(std::string& out)
    {
        if (!is(token_kind::word) && !is(token_kind::quoted_word))
            return false;
        const auto plain = sql::name_value(tokens_[at_++]);
        out = "\"";
        for (const char c : plain)
            out.append(c == '"' ? 2u : 1u, c);
        out += '"';
        return true;
    }

    bool source(std::string& query)
    {
        if (is(token_kind::open_paren)) {
            const auto from = at_ + 1;
            int depth = 0;
            do {
                if (is(token_kind::open_paren))
                    ++depth;
                if (is(token_kind::close_paren))
                    --depth;
                ++at_;
            } while (depth > 0 && !end());
            if (depth > 0 || at_ < from + 2)
                return false;
            const char* begin = tokens_[from].text.data();
            const auto& last = tokens_[at_ - 2];
            query.assign(begin, last.text.data() + last.text.size());
            return true;
        }
        if (!name(out_.table))
            return false;
        if (take(token_kind::dot) && !name(out_.table))  // public.table
            return false;
        if (!take(token_kind::open_paren))
            return true;
        do {
            std::string column;
            if (!name(column))
                return false;
            out_.columns.push_back(std::move(column));
        } while (take(token_kind::comma));
        return take(token_kind::close_paren);
    }

    bool format(std::string_view value, std::string& problem)
    {
        if (sql::same_word(value, "csv"))
            out_.shape = row_shape::copy_csv;
        else if (sql::same_word(value, "binary"))
            out_.shape = row_shape::copy_binary;
        else if (!sql::same_word(value, "text")) {
            problem = "COPY format \"" + std::string(value) + "\" not recognized";
            return false;
        }
        return true;
    }

    std::string value()
    {
        if (end())
            return {};
        const auto& t = tokens_[at_++];
        return sql::is_string(t.kind) ? sql::string_value(t) : std::string(t.text);
    }

    bool one_character(std::string_view text, char& out)
    {
        if (text.size() != 1)
            return false;
        out = text[0];
        return true;
    }

    bool option(std::string& problem)
    {
        if (word("format"))
            return format(value(), problem);
        if (word("csv"))
            return format("csv", problem);
        if (word("binary"))
            return format("binary", problem);
        if (word("header")) {
            out_.style.header = !word("false") && !word("off");
            if (out_.style.header && !word("true"))
                word("on");
            return true;
        }
        if (word("delimiter") || word("delimiters")) {
            word("as");
            delimiter_ = true;
            return one_character(value(), out_.style.delimiter);
        }
        if (word("null")) {
            word("as");
            null_ = true;
            out_.style.null = value();
            return true;
        }
        if (word("quote")) {
            word("as");
            return one_character(value(), out_.style.quote);
        }
        if (word("escape")) {
            word("as");
            char escape = 0;
            return one_character(value(), escape) && escape == out_.style.quote;
        }
        if (word("encoding"))
            return sql::same_word(value(), "utf8") || sql::same_word(value(), "utf-8");
        return false;
    }

    bool options(std::string& problem)
    {
        const bool listed = take(token_kind::open_paren);
        while (!end() && !is(token_kind::close_paren)) {
            if (!option(problem))
                return false;
            take(token_kind::comma);
        }
        if (listed && !take(token_kind::close_paren))
            return false;
        return end();
    }

    void build(const std::string& query)
    {
        if (!query.empty()) {
            out_.sql = sql::to_sqlite(query).text;
            return;
        }
        std::string columns;
        for (const auto& column : out_.columns)
            columns += (columns.empty() ? "" : ", ") + column;
        if (out_.from_client)
            out_.sql = "INSERT INTO " + out_.table + (columns.empty() ? "" : " (" + columns + ")");
        else
            out_.sql = "SELECT " + (columns.empty() ? "*" : columns) + " FROM " + out_.table;
    }

    std::string_view text_;
    std::vector<token> tokens_;
    std::size_t at_ = 0;
    copy_command out_;
    bool delimiter_ = false;
    bool null_ = false;
};

}  // namespace

std::optional<copy_command> read_copy(std::string_view text, std::string& problem)
{
    return copy_parser(text).parse(problem);
}

}  // namespace sluice::gateway
