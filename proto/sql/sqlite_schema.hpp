// proto/sql/sqlite_schema.hpp: what only the text of a CREATE statement in sqlite_schema says.
//
// SQLite's pragmas know columns, indexes and foreign keys, but not the names of constraints, CHECK,
// the expressions of indexes and generated columns, or a view's query.
//
// Layer: proto. Pure. Reads what SQLite has accepted; of other text it understands what it can.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::sql {

enum class clause_kind { primary_key, unique, foreign_key, check };

struct table_clause {
    clause_kind kind = clause_kind::check;
    std::string name;                  // of CONSTRAINT name; empty: none was given
    std::vector<std::string> columns;  // empty for a CHECK
    std::string expression;            // of a CHECK, without its parentheses
    bool deferrable = false;
    bool deferred = false;
};

struct table_definition {
    std::vector<table_clause> clauses;                           // in the order of the text
    std::vector<std::pair<std::string, std::string>> generated;  // column, expression
    bool autoincrement = false;
};
table_definition read_table_definition(std::string_view create_table);

struct index_definition {
    std::vector<std::string> keys;  // each key's text with COLLATE, ASC or DESC
    std::string predicate;          // behind WHERE; empty: none
};
index_definition read_index_definition(std::string_view create_index);

// What follows AS in CREATE VIEW. Empty: not found.
std::string read_view_query(std::string_view create_view);

}  // namespace sluice::sql
