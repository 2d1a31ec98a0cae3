// gateway/translate/catalog.cpp: what drivers look up about types when they connect.
//
// Built-in types only; a catalog of the tables is a work of its own. The rows stand in front of
// the statement as common table expressions, so SQLite does the joining and filtering.
#include <algorithm>
#include <array>

#include "gateway/translate/result_types.hpp"
#include "gateway/translate/statement.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway {
namespace {

constexpr std::string_view type_rows =
    "pg_type(oid,typname,typnamespace,typlen,typtype,typcategory,typelem,typarray,typbasetype,"
    "typrelid,typdelim,typnotnull,typtypmod,typcollation,typinput) AS (VALUES "
    "(16,'bool',11,1,'b','B',0,1000,0,0,',',0,-1,0,'boolin'),"
    "(17,'bytea',11,-1,'b','U',0,1001,0,0,',',0,-1,0,'byteain'),"
    "(18,'char',11,1,'b','Z',0,1002,0,0,',',0,-1,0,'charin'),"
    "(19,'name',11,64,'b','S',18,1003,0,0,',',0,-1,950,'namein'),"
    "(20,'int8',11,8,'b','N',0,1016,0,0,',',0,-1,0,'int8in'),"
    "(21,'int2',11,2,'b','N',0,1005,0,0,',',0,-1,0,'int2in'),"
    "(23,'int4',11,4,'b','N',0,1007,0,0,',',0,-1,0,'int4in'),"
    "(25,'text',11,-1,'b','S',0,1009,0,0,',',0,-1,100,'textin'),"
    "(26,'oid',11,4,'b','N',0,1028,0,0,',',0,-1,0,'oidin'),"
    "(114,'json',11,-1,'b','U',0,199,0,0,',',0,-1,0,'json_in'),"
    "(700,'float4',11,4,'b','N',0,1021,0,0,',',0,-1,0,'float4in'),"
    "(701,'float8',11,8,'b','N',0,1022,0,0,',',0,-1,0,'float8in'),"
    "(1042,'bpchar',11,-1,'b','S',0,1014,0,0,',',0,-1,100,'bpcharin'),"
    "(1043,'varchar',11,-1,'b','S',0,1015,0,0,',',0,-1,100,'varcharin'),"
    "(1082,'date',11,4,'b','D',0,1182,0,0,',',0,-1,0,'date_in'),"
    "(1083,'time',11,8,'b','D',0,1183,0,0,',',0,-1,0,'time_in'),"
    "(1114,'timestamp',11,8,'b','D',0,1115,0,0,',',0,-1,0,'timestamp_in'),"
    "(1184,'timestamptz',11,8,'b','D',0,1185,0,0,',',0,-1,0,'timestamptz_in'),"
    "(1700,'numeric',11,-1,'b','N',0,1231,0,0,',',0,-1,0,'numeric_in'),"
    "(2950,'uuid',11,16,'b','U',0,2951,0,0,',',0,-1,0,'uuid_in'),"
    "(3802,'jsonb',11,-1,'b','U',0,3807,0,0,',',0,-1,0,'jsonb_in'))";

constexpr std::string_view namespace_rows =
    "pg_namespace(oid,nspname,nspowner) AS (VALUES (11,'pg_catalog',10),(2200,'public',10))";

constexpr std::string_view range_rows =
    "pg_range(rngtypid,rngsubtype,rngmultitypid,rngcollation,rngsubopc,rngcanonical,rngsubdiff) AS "
    "(SELECT 0,0,0,0,0,'','' WHERE 0)";

constexpr std::string_view enum_rows =
    "pg_enum(oid,enumtypid,enumsortorder,enumlabel) AS (SELECT 0,0,0.0,'' WHERE 0)";

struct relation {
    std::string_view name;
    std::string_view rows;
};

constexpr std::array relations{
    relation{"pg_type", type_rows},
    relation{"pg_namespace", namespace_rows},
    relation{"pg_range", range_rows},
    relation{"pg_enum", enum_rows},
};

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
};

}  // namespace

pg::type_oid type_of_catalog_column(std::string_view name) noexcept
{
    const auto at = std::find_if(columns.begin(), columns.end(), [name](const auto& each) {
        return sql::same_word(name, each.name);
    });
    return at == columns.end() ? pg::oid::unspecified : at->type;
}

std::string with_catalog(std::string_view text, std::size_t& inserted_at, std::size_t& inserted)
{
    inserted = inserted_at = 0;
    if (text.find("pg_") == std::string_view::npos)
        return {};
    std::string tables;
    sql::lexer lex(text, sql::dialect::sqlite);
    std::string out(text);
    sql::token first{};
    sql::token second{};
    std::size_t count = 0;
    for (auto t = lex.next(); t.kind != sql::token_kind::end; t = lex.next(), ++count) {
        if (count == 0)
            first = t;
        if (count == 1)
            second = t;
        for (const auto& each : relations)
            if (sql::is_word(t, each.name) && tables.find(each.rows) == std::string::npos)
                tables += (tables.empty() ? "" : ",") + std::string(each.rows);
        // The schema has to go: a common table expression has none. Blanks keep the offsets.
        if (sql::is_word(t, "pg_catalog")) {
            const auto at = lex.offset(t);
            const auto dot = text.find('.', at);
            if (dot != std::string_view::npos)
                std::fill(out.begin() + static_cast<std::ptrdiff_t>(at),
                          out.begin() + static_cast<std::ptrdiff_t>(dot) + 1,
                          ' ');
        }
    }
    if (tables.empty())
        return {};
    if (sql::is_word(first, "with")) {
        const auto& last = sql::is_word(second, "recursive") ? second : first;
        inserted_at = lex.offset(last) + last.text.size();
        tables = " " + tables + ",";
    } else {
        tables = "WITH " + tables + " ";
    }
    inserted = tables.size();
    out.insert(inserted_at, tables);
    return out;
}

}  // namespace sluice::gateway
