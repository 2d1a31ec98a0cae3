// gateway/translate/catalog.cpp: types of the catalogs' columns that parameters meet, where the
// statement is too involved to ask the catalogs themselves.
#include <algorithm>
#include <array>

#include "gateway/translate/result_types.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway {
namespace {

struct column_type {
    std::string_view name;
    pg::type_oid type;
};

constexpr std::array columns{
    column_type{"oid", pg::oid::oid},
    column_type{"typname", pg::oid::name},
    column_type{"typnamespace", pg::oid::oid},
    column_type{"typlen", pg::oid::int2},
    column_type{"typtype", pg::oid::single_char},
    column_type{"typcategory", pg::oid::single_char},
    column_type{"typelem", pg::oid::oid},
    column_type{"typarray", pg::oid::oid},
    column_type{"typbasetype", pg::oid::oid},
    column_type{"typrelid", pg::oid::oid},
    column_type{"typdelim", pg::oid::single_char},
    column_type{"typnotnull", pg::oid::boolean},
    column_type{"typtypmod", pg::oid::int4},
    column_type{"typcollation", pg::oid::oid},
    column_type{"nspname", pg::oid::name},
    column_type{"nspowner", pg::oid::oid},
    column_type{"rngtypid", pg::oid::oid},
    column_type{"rngsubtype", pg::oid::oid},
    column_type{"enumtypid", pg::oid::oid},
    column_type{"enumlabel", pg::oid::name},
    column_type{"relname", pg::oid::name},
    column_type{"attname", pg::oid::name},
    column_type{"conname", pg::oid::name},
    column_type{"attrelid", pg::oid::oid},
    column_type{"conrelid", pg::oid::oid},
    column_type{"confrelid", pg::oid::oid},
    column_type{"indrelid", pg::oid::oid},
    column_type{"indexrelid", pg::oid::oid},
    column_type{"adrelid", pg::oid::oid},
    column_type{"relnamespace", pg::oid::oid},
    column_type{"objoid", pg::oid::oid},
    column_type{"table_name", pg::oid::name},
    column_type{"table_schema", pg::oid::name},
    column_type{"column_name", pg::oid::name},
};

}  // namespace

pg::type_oid type_of_catalog_column(std::string_view name) noexcept
{
    const auto at = std::find_if(columns.begin(), columns.end(), [name](const auto& each) {
        return sql::same_word(name, each.name);
    });
    return at == columns.end() ? pg::oid::unspecified : at->type;
}

}  // namespace sluice::gateway
