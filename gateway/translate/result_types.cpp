// gateway/translate/result_types.cpp: types by declaration and by value.
#include "gateway/translate/result_types.hpp"

#include <cctype>
#include <string>

#include "proto/sql/lexer.hpp"

namespace sluice::gateway {
namespace {

namespace oid = pg::oid;

std::string upper(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

}  // namespace

pg::type_oid type_of_declaration(std::string_view declared) noexcept
{
    if (declared.empty() || declared.size() > 200)
        return oid::unspecified;
    if (const auto type = pg::type_of_name(declared); type != oid::unspecified)
        return type;
    const auto name = upper(declared);
    const auto has = [&name](std::string_view part) {
        return name.find(part) != std::string::npos;
    };
    if (has("WITH TIME ZONE"))
        return has("STAMP") ? oid::timestamptz : oid::unspecified;
    if (has("STAMP"))
        return oid::timestamp;
    if (has("INT"))
        return oid::int8;
    if (has("CHAR") || has("CLOB") || has("TEXT"))
        return oid::text;
    if (has("BLOB"))
        return oid::bytea;
    if (has("REAL") || has("FLOA") || has("DOUB"))
        return oid::float8;
    return oid::unspecified;
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
    if (name.ends_with(']'))
        return oid::unspecified;
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
