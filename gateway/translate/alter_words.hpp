// gateway/translate/alter_words.hpp: PostgreSQL's ALTER TABLE as far as SQLite has it not.
//
//   ALTER TABLE t ADD [CONSTRAINT n] UNIQUE (a, b)    CREATE UNIQUE INDEX n ON t (a, b)
//   other constraints, ALTER COLUMN                   refused, and why
//
// Layer: gateway. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::gateway {

struct alter_words {
    std::string instead;  // what SQLite is told; empty: refused
    std::string why;
};

// nullopt: SQLite has it.
std::optional<alter_words> read_alter_table(std::string_view text);

}  // namespace sluice::gateway
