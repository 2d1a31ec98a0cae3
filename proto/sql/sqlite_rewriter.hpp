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

    enum class group_kind : std::uint8_t { paren, case_, cast };
    struct group {
        group_kind kind = group_kind::paren;
        std::size_t begin = none;  // of the operand that the group is (part of), in the output
        bool limit_seen = false;   // LIMIT at the depth around it
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
    void operator_token();
    bool replace_operator(std::string_view op, std::size_t tokens);

    // sqlite_casts.cpp
    void cast();
    bool cast_call_type();
    bool literal_cast(const token& literal, std::string_view type);
    void type_of(std::uint32_t parameter, std::string_view type);

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
    std::size_t wrap_until_ = none;  // token before which DEFAULT's parenthesis closes
    std::size_t bracket_depth_ = 0;
    std::size_t moved_bytes_ = 0;  // by casts that wrap an operand
    std::vector<bool> typed_;      // parameters that have a type already
};

// Whether a word before "(" or "::" cannot be a function or a column.
bool is_reserved(std::string_view word) noexcept;

}  // namespace sluice::sql
