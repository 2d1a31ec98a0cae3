// drivers/sqlite/catalog_data.hpp: what PostgreSQL 15 has in every database, as constants.
//
// Layer: drivers, private to this folder.
#pragma once

#include <cstdint>
#include <span>

namespace sluice::sqlite {

struct catalog_relation {
    const char* name;
    std::uint32_t oid;
    char kind;            // relkind
    const char* columns;  // "name type,name type": types by pg_type's names
};

extern const std::span<const catalog_relation> catalog_relations;
extern const std::span<const catalog_relation> catalog_relations_2;
extern const std::span<const catalog_relation> information_relations;

extern const char* const catalog_types;       // rows for VALUES, see catalog_types.cpp
extern const char* const catalog_procedures;  // likewise
extern const char* const catalog_rows;        // SQL: what does not depend on the file
extern const char* const catalog_views;       // SQL: what depends on who asks
extern const char* const catalog_derived;     // SQL: information_schema and views of the rest

}  // namespace sluice::sqlite
