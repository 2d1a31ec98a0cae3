// proto/sql/harmless_calls.cpp: the list. PostgreSQL documentation, chapter 9 "Functions and
// Operators", and appendix C "SQL Key Words".
#include "proto/sql/harmless_calls.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "proto/sql/key_words.hpp"

namespace sluice::sql {
namespace {

constexpr std::array short_words = {
    // key words
    "in",
    "values",
    "exists",
    "any",
    "some",
    "all",
    "and",
    "or",
    "not",
    "as",
    "on",
    "using",
    "where",
    "from",
    "select",
    "by",
    "over",
    "filter",
    "within",
    "group",
    "having",
    "when",
    "then",
    "else",
    "case",
    "between",
    "like",
    "ilike",
    "is",
    "union",
    "except",
    "distinct",
    "limit",
    "offset",
    "join",
    "lateral",
    "array",
    "row",
    "interval",
    "rollup",
    "cube",
    "sets",
    "time",
    "bit",
    "char",
    "varchar",
    "numeric",
    "decimal",
    "float",
    // numbers
    "abs",
    "ceil",
    "ceiling",
    "floor",
    "round",
    "trunc",
    "sign",
    "sqrt",
    "cbrt",
    "power",
    "mod",
    "div",
    "exp",
    "ln",
    "log",
    "pi",
    "random",
    "width",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "degrees",
    "radians",
    "greatest",
    "least",
    "coalesce",
    "nullif",
    "cast",
    // text
    "lower",
    "upper",
    "initcap",
    "length",
    "substr",
    "left",
    "right",
    "lpad",
    "rpad",
    "ltrim",
    "rtrim",
    "btrim",
    "trim",
    "replace",
    "reverse",
    "strpos",
    "position",
    "overlay",
    "concat",
    "format",
    "md5",
    "sha256",
    "chr",
    "ascii",
    "repeat",
    "encode",
    "decode",
    "extract",
    // dates
    "now",
    "age",
    "to_char",
    "to_date",
    "isfinite",
    // aggregates, windows
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "bool_and",
    "bool_or",
    "every",
    "stddev",
    "variance",
    "rank",
    "lag",
    "lead",
    "ntile",
    "mode",
    "corr",
    // arrays, json
    "unnest",
    "to_json",
    "to_jsonb",
    "json_agg",
    "version",
    "grouping",
    "ts_rank",
    "var_pop",
    "var_samp",
};

constexpr std::array long_words = {
    "array_agg",
    "array_append",
    "array_length",
    "array_position",
    "array_remove",
    "array_to_string",
    "arraycontains",
    "cardinality",
    "char_length",
    "character",
    "character_length",
    "clock_timestamp",
    "concat_ws",
    "cume_dist",
    "current_setting",
    "current_timestamp",
    "date_part",
    "date_trunc",
    "dense_rank",
    "first_value",
    "gen_random_uuid",
    "generate_series",
    "generate_subscripts",
    "intersect",
    "json_array_elements",
    "json_array_elements_text",
    "json_array_length",
    "json_build_array",
    "json_build_object",
    "json_each",
    "json_each_text",
    "json_extract_path",
    "json_extract_path_text",
    "json_object_agg",
    "json_object_keys",
    "json_strip_nulls",
    "json_typeof",
    "jsonb_agg",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_array_length",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_extract_path",
    "jsonb_extract_path_text",
    "jsonb_object_agg",
    "jsonb_object_keys",
    "jsonb_path_exists",
    "jsonb_path_query",
    "jsonb_set",
    "jsonb_strip_nulls",
    "jsonb_typeof",
    "justify_days",
    "last_value",
    "localtimestamp",
    "make_date",
    "make_interval",
    "make_timestamp",
    "materialized",
    "nth_value",
    "octet_length",
    "percent_rank",
    "percentile_cont",
    "percentile_disc",
    "phraseto_tsquery",
    "plainto_tsquery",
    "quote_ident",
    "quote_literal",
    "regexp_match",
    "regexp_matches",
    "regexp_replace",
    "regexp_split_to_array",
    "regexp_split_to_table",
    "row_number",
    "row_to_json",
    "split_part",
    "starts_with",
    "statement_timestamp",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "string_to_array",
    "substring",
    "timestamp",
    "timestamptz",
    "to_number",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "transaction_timestamp",
    "translate",
    "ts_headline",
    "ts_rank_cd",
    "websearch_to_tsquery",
    "width_bucket",
};

consteval auto sorted_keys()
{
    std::array<std::uint64_t, short_words.size()> keys{};
    for (std::size_t i = 0; i < keys.size(); ++i)
        keys[i] = key_of(short_words[i]);
    std::sort(keys.begin(), keys.end());
    return keys;
}

consteval auto sorted_words()
{
    std::array<std::string_view, long_words.size()> words{};
    for (std::size_t i = 0; i < words.size(); ++i)
        words[i] = long_words[i];
    std::sort(words.begin(), words.end());
    return words;
}

constexpr auto keys = sorted_keys();
constexpr auto words = sorted_words();
constexpr std::size_t longest = 32;

consteval bool lengths_fit()
{
    for (const std::string_view word : short_words) {
        if (word.size() > 8)
            return false;
    }
    for (const std::string_view word : long_words) {
        if (word.size() <= 8)
            return false;
        if (word.size() > longest)
            return false;
    }
    return true;
}

}  // namespace

bool harmless_before_parenthesis(std::string_view word) noexcept
{
    if (word.size() <= 8)
        return std::binary_search(keys.begin(), keys.end(), key_of(word));
    if (word.size() > longest)
        return false;
    std::array<char, longest> lower;
    std::transform(word.begin(), word.end(), lower.begin(), lower_ascii);
    return std::binary_search(
        words.begin(), words.end(), std::string_view(lower.data(), word.size()));
}

static_assert(lengths_fit());

}  // namespace sluice::sql
