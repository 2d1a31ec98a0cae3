// proto/pg/oids.cpp: names and sizes of PostgreSQL's built-in types.
#include "proto/pg/oids.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace sluice::pg {
namespace {

struct known_type {
    type_oid type;
    std::int16_t size;
    std::string_view name;
};

constexpr std::array types{
    known_type{oid::boolean, 1, "boolean"},
    known_type{oid::bytea, -1, "bytea"},
    known_type{oid::single_char, 1, "\"char\""},
    known_type{oid::name, 64, "name"},
    known_type{oid::int8, 8, "bigint"},
    known_type{oid::int2, 2, "smallint"},
    known_type{oid::int4, 4, "integer"},
    known_type{oid::text, -1, "text"},
    known_type{oid::oid, 4, "oid"},
    known_type{oid::json, -1, "json"},
    known_type{oid::float4, 4, "real"},
    known_type{oid::float8, 8, "double precision"},
    known_type{oid::unknown, -2, "unknown"},
    known_type{oid::bpchar, -1, "character"},
    known_type{oid::varchar, -1, "character varying"},
    known_type{oid::date, 4, "date"},
    known_type{oid::time, 8, "time without time zone"},
    known_type{oid::timestamp, 8, "timestamp without time zone"},
    known_type{oid::timestamptz, 8, "timestamp with time zone"},
    known_type{oid::numeric, -1, "numeric"},
    known_type{oid::uuid, 16, "uuid"},
    known_type{oid::jsonb, -1, "jsonb"},
};

const known_type* find(type_oid type) noexcept
{
    const auto at = std::find_if(
        types.begin(), types.end(), [type](const auto& known) { return known.type == type; });
    return at == types.end() ? nullptr : &*at;
}

struct alias {
    std::string_view name;
    type_oid type;
};

// SQLite stores every integer in up to 64 bits, so INT and INTEGER are bigint: a value never fails
// to fit because somebody wrote the shorter word.
constexpr std::array aliases{
    alias{"int", oid::int8},
    alias{"integer", oid::int8},
    alias{"bigint", oid::int8},
    alias{"int8", oid::int8},
    alias{"bigserial", oid::int8},
    alias{"serial", oid::int8},
    alias{"serial4", oid::int8},
    alias{"serial8", oid::int8},
    alias{"unsigned big int", oid::int8},
    alias{"mediumint", oid::int8},
    alias{"tinyint", oid::int8},
    alias{"smallint", oid::int8},
    alias{"int2", oid::int8},
    alias{"int4", oid::int8},
    alias{"bool", oid::boolean},
    alias{"boolean", oid::boolean},
    alias{"real", oid::float8},
    alias{"float", oid::float8},
    alias{"float4", oid::float8},
    alias{"float8", oid::float8},
    alias{"double", oid::float8},
    alias{"double precision", oid::float8},
    alias{"numeric", oid::numeric},
    alias{"decimal", oid::numeric},
    alias{"dec", oid::numeric},
    alias{"text", oid::text},
    alias{"clob", oid::text},
    alias{"string", oid::text},
    alias{"nvarchar", oid::varchar},
    alias{"varchar", oid::varchar},
    alias{"character varying", oid::varchar},
    alias{"varying character", oid::varchar},
    alias{"char", oid::bpchar},
    alias{"bpchar", oid::bpchar},
    alias{"nchar", oid::bpchar},
    alias{"character", oid::bpchar},
    alias{"native character", oid::bpchar},
    alias{"name", oid::name},
    alias{"citext", oid::text},
    alias{"blob", oid::bytea},
    alias{"bytea", oid::bytea},
    alias{"binary", oid::bytea},
    alias{"varbinary", oid::bytea},
    alias{"date", oid::date},
    alias{"time", oid::time},
    alias{"time without time zone", oid::time},
    alias{"datetime", oid::timestamp},
    alias{"timestamp", oid::timestamp},
    alias{"timestamp without time zone", oid::timestamp},
    alias{"timestamptz", oid::timestamptz},
    alias{"timestamp with time zone", oid::timestamptz},
    alias{"json", oid::json},
    alias{"jsonb", oid::jsonb},
    alias{"uuid", oid::uuid},
    alias{"guid", oid::uuid},
    alias{"oid", oid::oid},
    alias{"regclass", oid::oid},
    alias{"regtype", oid::oid},
};

// Lower case, blanks single, "(...)" gone: "Character  Varying(20)" becomes "character varying".
std::string plain_name(std::string_view name)
{
    std::string out;
    int depth = 0;
    for (const char c : name) {
        if (c == '(')
            ++depth;
        if (depth == 0) {
            const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
            if (!blank)
                out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
            else if (!out.empty() && out.back() != ' ')
                out.push_back(' ');
        }
        if (c == ')' && depth > 0)
            --depth;
    }
    while (!out.empty() && out.back() == ' ')
        out.pop_back();
    return out;
}

}  // namespace

std::string_view type_name(type_oid type) noexcept
{
    const auto* known = find(type);
    return known ? known->name : "unknown type";
}

std::int16_t type_size(type_oid type) noexcept
{
    const auto* known = find(type);
    return known ? known->size : std::int16_t{-1};
}

type_oid type_of_name(std::string_view name) noexcept
{
    if (name.size() > 200)
        return oid::unspecified;
    std::string plain = plain_name(name);
    if (plain.starts_with("pg_catalog."))
        plain.erase(0, 11);
    const auto at = std::find_if(
        aliases.begin(), aliases.end(), [&plain](const alias& a) { return a.name == plain; });
    return at == aliases.end() ? oid::unspecified : at->type;
}

}  // namespace sluice::pg
