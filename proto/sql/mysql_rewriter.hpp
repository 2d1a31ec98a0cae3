// proto/sql/mysql_rewriter.hpp: the machine behind mysql_to_sqlite.
//
// Layer: proto. Walks over the tokens once, writing as it goes. What has to stand in front of an
// operand (date_add for + INTERVAL) is inserted where that operand's first token was written.
#pragma once

#include <array>

#include "proto/sql/mysql_to_sqlite.hpp"
#include "proto/sql/token_rewriter.hpp"

namespace sluice::sql {

class mysql_rewriter : private token_rewriter {
public:
    mysql_rewriter(std::string_view statement, const mysql_session& session);

    mysql_statement run();

private:
    enum class form : std::uint8_t { other, select, insert, update, delete_ };

    // mysql_rewriter.cpp
    void walk_to(std::size_t end);
    void step();
    void word();
    void strings();
    void introduced_string();
    void bits();
    void number();
    void variable();
    void operator_token();
    void like_escape(std::size_t pattern);
    std::string literal(const token& t) const;
    bool lift(std::string& value, bool blob, std::size_t tokens);
    void finish(sqlite_statement&& one);
    void finish_current();
    bool is_name(std::size_t n = 0) const noexcept;
    bool before_is(std::string_view word) const noexcept;
    bool at_table_name() const noexcept;
    bool qualifier();
    bool assigned_table();
    bool information_schema();
    std::size_t close_of(std::size_t n) const noexcept;
    std::string text_between(std::size_t from, std::size_t to) const;
    mysql_statement fail(std::string why);

    // mysql_clauses.cpp: true when the words at hand have been dealt with
    bool clause_word();
    bool select_modifier();
    bool locking_clause();
    bool index_hint();
    bool expression_word();
    bool collation();
    bool interval_term();
    std::size_t operand_begin() const noexcept;

    // mysql_functions.cpp
    bool function_call();
    bool time_function();
    bool ordered_concat();
    bool cast_call();
    bool convert_call();
    bool argument_words();
    bool session_function();
    void cast_type(std::size_t from, std::size_t to, std::string& before, std::string& after) const;

    // mysql_insert.cpp
    void insert_head();
    void insert_set();
    bool on_duplicate();
    void update_or_delete_head();
    void find_row_limit();

    // mysql_names.cpp
    void read_names();

    // mysql_definitions.cpp, mysql_alter.cpp
    bool definition();

    const mysql_session& session_;
    mysql_statement result_;
    form form_ = form::other;
    std::vector<std::size_t> written_at_;  // where each token's output begins
    std::uint32_t parameters_ = 0;         // met so far
    std::uint32_t parameters_all_ = 0;
    std::size_t depth_ = 0;
    std::size_t row_limit_ = 0;  // the token before which row_limit_text_ goes; 0: none
    std::string row_limit_text_;
    bool in_duplicate_ = false;   // behind ON DUPLICATE KEY UPDATE
    std::string new_row_;         // alias of the row that is being inserted
    std::size_t from_depth_ = 0;  // of the FROM list at hand, plus one
    bool select_seen_ = false;    // at depth 0
    bool where_seen_ = false;
    std::vector<std::size_t> select_depths_;
};

// Words that end an expression or begin a clause: no alias, no function.
bool is_mysql_clause(const token& t) noexcept;

}  // namespace sluice::sql
