// gateway/translate/result_types.cpp: types by declaration and by value.
#include "gateway/translate/result_types.hpp"

#include <algorithm>

#include "proto/pg/arrays.hpp"
#include "proto/pg/declared_type.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway {
namespace {

namespace oid = pg::oid;

}  // namespace

pg::type_oid type_of_declaration(std::string_view declared) noexcept
{
    return pg::type_of_declaration(declared);
}

pg::type_oid type_of_cast(std::string_view name) noexcept
{
    const auto is = [name](std::string_view word) { return sql::same_word(name, word); };
    if (is("int") || is("integer") || is("int4"))
        return oid::int4;
    if (is("smallint") || is("int2"))
        return oid::int2;
    if (is("real") || is("float4"))
        return oid::float4;
    if (name.ends_with("[]"))
        return pg::array_type(type_of_cast(name.substr(0, name.size() - 2)));
    if (name.starts_with("pg_catalog."))
        return type_of_cast(name.substr(11));
    if (is("\"char\""))
        return oid::single_char;
    if (is("regclass") || is("regtype") || is("regproc") || is("regnamespace") || is("regrole"))
        return oid::unspecified;  // the name, or the number: the value says
    return pg::type_of_name(name);
}

std::vector<pg::type_oid> result_types(const sqlite::statement_info& info,
                                       const column_hints& hints)
{
    std::vector<pg::type_oid> types;
    for (std::size_t i = 0; i < info.columns.size(); ++i) {
        const auto& column = info.columns[i];
        auto type = column.is_rowid ? oid::int8 : type_of_declaration(column.declared_type);
        if (hints.size() == info.columns.size() &&
            (type == oid::unspecified || column.declared_type.empty()))
            type = hints[i].type != oid::unspecified ? hints[i].type : type;
        types.push_back(type);
    }
    return types;
}

std::vector<pg::type_oid> announced_types(const sqlite::statement_info& info,
                                          const column_hints& hints)
{
    auto types = result_types(info, hints);
    std::replace(types.begin(), types.end(), oid::unspecified, oid::text);
    return types;
}

std::string_view result_name(const sqlite::statement_info& info,
                             const column_hints& hints,
                             std::size_t column) noexcept
{
    const auto& found = info.columns[column];
    const bool hinted = hints.size() == info.columns.size() && found.table.empty();
    return hinted && !hints[column].name.empty() ? hints[column].name : found.name;
}

pg::type_oid type_of_value(sqlite::value_type stored) noexcept
{
    switch (stored) {
        case sqlite::value_type::integer:
            return oid::int8;
        case sqlite::value_type::real:
            return oid::float8;
        case sqlite::value_type::blob:
            return oid::bytea;
        case sqlite::value_type::null:
        case sqlite::value_type::text:
            break;
    }
    return oid::text;
}

}  // namespace sluice::gateway
