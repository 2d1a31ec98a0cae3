// proto/sql/mysql_definer.hpp: the machine behind mysql_definition.
//
// Layer: proto.
#pragma once

#include <algorithm>
#include <span>
#include <utility>

#include "proto/sql/mysql_definitions.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::sql {

class mysql_definer {
public:
    mysql_definer(std::string_view statement,
                  std::span<const token> tokens,
                  const mysql_session& session)
        : statement_(statement), tokens_(tokens), session_(session)
    {
    }

    // A problem comes without statements.
    mysql_statement run();

private:
    struct column {
        std::string name;  // quoted
        std::string type;
        std::string rest;  // DEFAULT, CHECK, REFERENCES ...
        bool not_null = false;
        bool has_default = false;
        bool auto_increment = false;
        bool primary = false;
        bool unique = false;
    };
    struct key {
        bool unique = false;
        std::string name;  // without quotes; may be empty
        std::string columns;
        std::string first;               // the first column's name
        std::vector<std::string> names;  // of columns, quoted
    };

    const token& now() const noexcept { return tokens_[at_]; }
    const token& ahead(std::size_t n) const noexcept
    {
        return tokens_[std::min(at_ + n, tokens_.size() - 1)];
    }
    bool at(std::string_view word, std::size_t n = 0) const noexcept
    {
        return is_word(ahead(n), word);
    }
    bool at_any(std::initializer_list<std::string_view> words, std::size_t n = 0) const noexcept;
    token_kind kind(std::size_t n = 0) const noexcept { return ahead(n).kind; }
    bool take(std::string_view word) noexcept;
    bool take(token_kind k) noexcept;
    bool at_end() const noexcept { return kind() == token_kind::end; }
    bool at_name() const noexcept
    {
        return kind() == token_kind::word || kind() == token_kind::quoted_word;
    }
    // A parenthesised group at hand, with its parentheses; [from, to) of tokens.
    std::size_t group_end(std::size_t from) const noexcept;
    std::string name();        // quoted; empty: none here
    std::string table_name();  // without the database
    std::string text(std::size_t from, std::size_t to) const;
    std::string expression(std::size_t from, std::size_t to);
    void add(std::string sql);
    void note(std::string what) { out_.notes.push_back(std::move(what)); }
    mysql_statement problem(std::string why);
    mysql_statement unchanged();

    // mysql_definer.cpp
    mysql_statement definition();
    mysql_statement create();
    mysql_statement create_index(bool unique);
    mysql_statement create_view(bool replace);
    mysql_statement drop();
    mysql_statement rename();

    // mysql_create_table.cpp
    mysql_statement create_table();
    bool table_items(std::vector<column>& columns, std::vector<std::string>& constraints);
    bool table_item(std::vector<column>& columns, std::vector<std::string>& constraints);
    bool read_column(column& out);
    void read_type(column& out);
    bool read_attribute(column& out);
    void read_default(column& out);
    std::string read_references();
    std::optional<key> read_key();
    bool read_key_columns(key& out);
    void skip_key_options();
    void settle_primary_key(std::vector<column>& columns);
    void add_key(const key& k);
    std::string column_text(const column& c) const;
    std::string table_options();

    // mysql_alter.cpp
    mysql_statement alter();
    bool alter_action();
    bool alter_add();
    bool alter_drop();
    bool alter_rename();
    void skip_action();

    std::string_view statement_;
    std::span<const token> tokens_;
    const mysql_session& session_;
    std::size_t at_ = 0;
    std::string table_;  // quoted
    std::vector<key> keys_;
    std::vector<std::string> primary_;  // columns of PRIMARY KEY (...), quoted
    std::string primary_columns_;       // as they are to be written
    mysql_statement out_;
};

}  // namespace sluice::sql
