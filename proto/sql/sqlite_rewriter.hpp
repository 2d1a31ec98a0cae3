// proto/sql/sqlite_rewriter.hpp: the machine behind to_sqlite.
//
// Layer: proto. Walks over the tokens once. What lies left of a cast has been written already when
// the cast is met, so the machine remembers where in its output the current operand begins: a
// literal, a parameter, a name with dots, a group in parentheses with the function's name before
// it, CASE ... END.
#pragma once

#include <vector>

#include "proto/sql/lexer.hpp"
#include "proto/sql/to_sqlite.hpp"
#include "proto/sql/token_rewriter.hpp"
#include "proto/sql/type_name.hpp"

namespace sluice::sql {

class sqlite_rewriter : private token_rewriter {
public:
    explicit sqlite_rewriter(std::string_view statement);

    sqlite_statement run();

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    enum class group_kind : std::uint8_t { paren, case_, cast, bracket };
    enum class clause : std::uint8_t { none, list, from, on, other };
    // How the words of a call read: trim(both 'x' FROM y), position(x IN y), agg(x ORDER BY y).
    enum class call : std::uint8_t { plain, from_is_comma, in_is_comma, aggregate };

    // Where in a query the walk is; one for each query in parentheses.
    struct query_level {
        clause at = clause::none;
        bool has_from = false;
        std::string joins;     // functions of the select list that return rows
        std::size_t rows = 0;  // how many of them
        bool ordered = false;  // behind ORDER BY
        // Columns of the select list that are written with their table: "a.b" under "b".
        std::vector<std::pair<std::string_view, std::string_view>> columns;
    };
    struct group {
        group_kind kind = group_kind::paren;
        std::size_t begin = none;  // of the operand that the group is (part of), in the output
        bool limit_seen = false;   // LIMIT at the depth around it
        query_level around = {};
        std::string suffix = {};  // what follows the closing parenthesis in the output
        std::size_t skipped = 0;  // the client's tokens behind it that `suffix` stands for
        call reads = call::plain;
        bool ordering = false;  // behind ORDER BY of an aggregate
        bool descending = false;
    };
    struct operand {
        std::size_t begin = none;        // in the output; none: the last token ends no operand
        std::uint32_t parameter = 0;     // it is this parameter and nothing else
        const token* literal = nullptr;  // ... this string
    };
    enum class statement_form : std::uint8_t { other, select, create_table, create_index, drop };

    void end_operand() noexcept { operand_ = {}; }
    void begin_operand();

    // sqlite_rewriter.cpp
    void find_form();
    void step();
    void word();
    void open();
    void close();
    void parameter();
    std::uint32_t parameter_number(const token& t) noexcept;
    void string();
    std::string_view catalog_truth() const noexcept;
    void operator_token();
    bool replace_operator(std::string_view op, std::size_t tokens);

    // sqlite_casts.cpp
    void cast();
    bool cast_call_type();
    bool literal_cast(const token& literal, std::string_view type);
    void type_of(std::uint32_t parameter, std::string_view type);
    bool registry_cast(std::string_view type, std::size_t count);
    bool is_shown_as_text(std::size_t n) const noexcept;

    // sqlite_words.cpp: true when the words at hand have been dealt with
    bool clause_word();
    void upsert_source();
    bool locking_clause();
    bool row_bounds();
    std::string row_count(std::size_t n);
    std::size_t fetch_clause(std::size_t n, std::string& count);
    bool expression_word();
    bool typed_literal();
    bool collation();
    bool operator_call();
    bool keyword_function();
    bool qualifier();

    // sqlite_calls.cpp
    void query_word();
    void flush_joins();
    void push(group_kind kind, std::size_t begin);
    std::size_t closing(std::size_t n) const noexcept;
    bool has_inside(std::size_t open, std::string_view word) const noexcept;
    bool names_a_table() const noexcept;
    bool call_word();
    bool special_call();
    bool renamed_call();
    bool argument_word();
    bool array_word();
    bool output_name();
    void note_column();
    bool ordered_column();

    // sqlite_rows.cpp
    bool row_function();
    bool row_source(std::string_view name);
    bool row_item(std::string_view name, std::size_t dropped_before, std::string_view field);
    bool composite_field();
    bool any_of_array();
    bool open_bracket();
    bool close_bracket();

    // sqlite_definitions.cpp
    bool definition_word();
    bool column_type();
    bool is_column_type_here() const noexcept;
    bool identity();
    bool default_value();
    bool index_word();
    std::size_t column_end(std::size_t n) const noexcept;
    std::size_t column_list_end(std::size_t n) const noexcept;

    statement_form form_ = statement_form::other;
    bool has_from_ = false;
    std::vector<group> groups_;
    operand operand_;
    bool open_from_ = false;  // in a FROM outside of parentheses
    bool limit_seen_ = false;
    query_level level_;
    std::size_t bare_at_ = none;     // the word there has lost its schema
    std::size_t rows_seen_ = 0;      // functions that return rows, so far
    std::size_t wrap_until_ = none;  // token before which DEFAULT's parenthesis closes
    std::size_t bracket_depth_ = 0;
    std::size_t moved_bytes_ = 0;  // by casts that wrap an operand
    std::vector<bool> typed_;      // parameters that have a type already
};

// Whether a word before "(" or "::" cannot be a function or a column.
bool is_reserved(std::string_view word) noexcept;

}  // namespace sluice::sql
