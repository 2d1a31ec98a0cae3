// proto/sql/harmless_mysql_calls.cpp: the list for MySQL and MariaDB. MariaDB's knowledge base,
// "Built-in Functions" and "Reserved Words"; MySQL 8 Reference Manual, chapter 14.
#include "proto/sql/harmless_calls.hpp"
#include "proto/sql/word_table.hpp"

namespace sluice::sql {
namespace {

// Those that take or release locks are here as well: they are known by name, see function_name().
// clang-format off
constexpr word_table table(std::to_array<std::string_view>({
    "abs", "acos", "add_months", "adddate", "addtime", "aes_decrypt", "aes_encrypt", "against",
    "all", "and", "any", "any_value", "as", "ascii", "asin", "atan", "atan2", "avg", "benchmark",
    "between", "bin", "bin_to_uuid", "binary", "bit", "bit_and", "bit_count", "bit_length",
    "bit_or", "bit_xor", "by", "case", "cast", "ceil", "ceiling", "char", "char_length",
    "character", "character_length", "charset", "chr", "coalesce", "coercibility", "collate",
    "collation", "columns", "compress", "concat", "concat_ws", "connection_id", "conv", "convert",
    "convert_tz", "cos", "cot", "count", "crc32", "crc32c", "cross", "cume_dist", "curdate",
    "current_date", "current_role", "current_time", "current_timestamp", "current_user", "curtime",
    "database", "date", "date_add", "date_format", "date_sub", "datediff", "datetime", "day",
    "dayname", "dayofmonth", "dayofweek", "dayofyear", "dec", "decimal", "decode", "decode_oracle",
    "default", "degrees", "delete", "dense_rank", "distinct", "div", "double", "duplicate", "else",
    "elt", "escape", "except", "exists", "exp", "export_set", "extract", "extractvalue", "field",
    "find_in_set", "first_value", "float", "floor", "force", "format", "found_rows", "from",
    "from_base64", "from_days", "from_unixtime", "geometrycollection", "get_format", "get_lock",
    "greatest", "group", "group_concat", "grouping", "having", "hex", "hour", "if", "ifnull",
    "ignore", "in", "index", "inet6_aton", "inet6_ntoa", "inet_aton", "inet_ntoa", "inner",
    "insert", "instr", "int", "integer", "intersect", "interval", "into", "is", "is_free_lock",
    "is_ipv4", "is_ipv4_compat", "is_ipv4_mapped", "is_ipv6", "is_used_lock", "is_uuid", "isnull",
    "join", "json", "json_array", "json_array_append", "json_array_insert", "json_arrayagg",
    "json_compact", "json_contains", "json_contains_path", "json_depth", "json_detailed",
    "json_equals", "json_exists", "json_extract", "json_insert", "json_keys", "json_length",
    "json_loose", "json_merge", "json_merge_patch", "json_merge_preserve", "json_normalize",
    "json_object", "json_objectagg", "json_overlaps", "json_pretty", "json_query", "json_quote",
    "json_remove", "json_replace", "json_schema_valid", "json_search", "json_set",
    "json_storage_size", "json_table", "json_type", "json_unquote", "json_valid", "json_value",
    "key", "lag", "last_day", "last_insert_id", "last_value", "lateral", "lcase", "lead", "least",
    "left", "length", "lengthb", "like", "limit", "linestring", "ln", "localtime",
    "localtimestamp", "locate", "log", "log10", "log2", "lower", "lpad", "ltrim", "make_set",
    "makedate", "maketime", "match", "max", "mbrcontains", "mbrintersects", "mbrwithin", "md5",
    "median", "microsecond", "mid", "min", "minus", "minute", "mod", "month", "monthname",
    "multilinestring", "multipoint", "multipolygon", "name_const", "natural", "natural_sort_key",
    "nchar", "nested", "not", "now", "nth_value", "ntile", "nullif", "numeric", "nvl", "nvl2",
    "oct", "octet_length", "offset", "on", "or", "ord", "order", "outer", "over", "partition",
    "password", "path", "percent_rank", "percentile_cont", "percentile_disc", "period_add",
    "period_diff", "pi", "point", "polygon", "position", "pow", "power", "qualify", "quarter",
    "quote", "radians", "rand", "random_bytes", "range", "rank", "real", "recursive", "regexp",
    "regexp_instr", "regexp_like", "regexp_replace", "regexp_substr", "release_all_locks",
    "release_lock", "repeat", "replace", "return", "returning", "reverse", "right", "rlike",
    "rollup", "round", "row", "row_count", "row_number", "rows", "rpad", "rtrim", "schema",
    "sec_to_time", "second", "select", "session_user", "set", "sformat", "sha", "sha1", "sha2",
    "sign", "signed", "sin", "sleep", "some", "soundex", "space", "sqrt", "st_area", "st_asbinary",
    "st_asgeojson", "st_astext", "st_aswkb", "st_aswkt", "st_buffer", "st_centroid", "st_contains",
    "st_crosses", "st_disjoint", "st_distance", "st_distance_sphere", "st_envelope", "st_equals",
    "st_geomfromgeojson", "st_geomfromtext", "st_geomfromwkb", "st_intersection", "st_intersects",
    "st_latitude", "st_length", "st_longitude", "st_overlaps", "st_srid", "st_touches", "st_union",
    "st_within", "st_x", "st_y", "std", "stddev", "stddev_pop", "stddev_samp", "str_to_date",
    "straight_join", "strcmp", "subdate", "substr", "substring", "substring_index", "subtime",
    "sum", "sys_guid", "sysdate", "system_user", "table", "tan", "then", "time", "time_format",
    "time_to_sec", "timediff", "timestamp", "timestampadd", "timestampdiff", "to_base64",
    "to_char", "to_days", "to_seconds", "trim", "trim_oracle", "truncate", "ucase", "uncompress",
    "uncompressed_length", "unhex", "union", "unix_timestamp", "unsigned", "update", "updatexml",
    "upper", "use", "user", "using", "utc_date", "utc_time", "utc_timestamp", "uuid", "uuid_short",
    "uuid_to_bin", "value", "values", "var_pop", "var_samp", "varchar", "variance", "version",
    "week", "weekday", "weekofyear", "weight_string", "when", "where", "window", "with", "xor",
    "year", "yearweek",
}));
// clang-format on

}  // namespace

bool harmless_before_parenthesis_in_mysql(std::string_view word) noexcept
{
    return table.contains(word);
}

}  // namespace sluice::sql
