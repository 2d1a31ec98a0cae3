// drivers/sqlite/catalog_functions.cpp: what tools ask the catalogs by calling functions.
#include <charconv>
#include <cstdio>

#include "drivers/sqlite/catalog.hpp"
#include "drivers/sqlite/catalog_fill.hpp"
#include "drivers/sqlite/function_call.hpp"
#include "drivers/sqlite/statement_text.hpp"
#include "proto/pg/arrays.hpp"

namespace sluice::sqlite {
namespace {

bool is_number(std::string_view text) noexcept
{
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// 'public."My table"' without its schema and quotes, folded as PostgreSQL does.
std::string bare_name(std::string_view written)
{
    std::string out;
    bool quoted = false;
    for (std::size_t i = 0; i < written.size(); ++i) {
        const char c = written[i];
        if (c == '"' && quoted && i + 1 < written.size() && written[i + 1] == '"')
            out += written[++i];
        else if (c == '"')
            quoted = !quoted;
        else if (c == '.' && !quoted)
            out.clear();
        else
            out += !quoted && c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
    return out;
}

// What a reg* type looks up: by name (?1, in any case for tables, which SQLite folds), by number.
struct registry {
    std::string_view kind;
    const char* by_name;
    const char* by_number;
    const char* what;
    const char* sqlstate;
};

constexpr registry registries[] = {
    {"regclass",
     "SELECT oid FROM pg_catalog.pg_class WHERE lower(relname)=lower(?1) ORDER BY "
     "relnamespace=2200 DESC, relname=?1 DESC LIMIT 1",
     "SELECT relname FROM pg_catalog.pg_class WHERE oid=?1",
     "relation",
     "42P01"},
    {"regtype",
     "SELECT oid FROM pg_catalog.pg_type WHERE typname=?1",
     "SELECT format_type(?1, NULL)",
     "type",
     "42704"},
    {"regproc",
     "SELECT oid FROM pg_catalog.pg_proc WHERE proname=?1",
     "SELECT proname FROM pg_catalog.pg_proc WHERE oid=?1",
     "function",
     "42883"},
    {"regnamespace",
     "SELECT oid FROM pg_catalog.pg_namespace WHERE nspname=?1",
     "SELECT nspname FROM pg_catalog.pg_namespace WHERE oid=?1",
     "schema",
     "3F000"},
    {"regrole",
     "SELECT oid FROM pg_catalog.pg_roles WHERE rolname=?1",
     "SELECT rolname FROM pg_catalog.pg_roles WHERE oid=?1",
     "role",
     "42704"},
};

const registry& registry_of(std::string_view kind) noexcept
{
    for (const auto& each : registries)
        if (kind.starts_with(each.kind))
            return each;
    return registries[0];
}

// SQL's names of types to pg_type's.
std::string_view internal_name(std::string_view type) noexcept
{
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"integer", "int4"},
        {"int", "int4"},
        {"bigint", "int8"},
        {"smallint", "int2"},
        {"boolean", "bool"},
        {"real", "float4"},
        {"double precision", "float8"},
        {"character varying", "varchar"},
        {"character", "bpchar"},
        {"decimal", "numeric"},
        {"timestamp without time zone", "timestamp"},
        {"timestamp with time zone", "timestamptz"},
    };
    for (const auto& [sql, internal] : names)
        if (type == sql)
            return internal;
    return type;
}

std::optional<std::int64_t> look_up(sqlite3* db, const registry& in, std::string_view written)
{
    if (is_number(written)) {
        std::int64_t number = 0;
        std::from_chars(written.data(), written.data() + written.size(), number);
        return number;
    }
    // regprocedure: the arguments' types follow the name.
    if (in.kind == "regproc")
        written = written.substr(0, written.find('('));
    auto name = bare_name(written);
    if (in.kind == "regtype") {
        if (name.ends_with("[]"))
            name =
                '_' + std::string(internal_name(std::string_view(name).substr(0, name.size() - 2)));
        name = internal_name(name);
    }
    own_statement asked(db, in.by_name);
    asked.bind(1, name);
    if (!asked.step())
        return std::nullopt;
    return asked.integer(0);
}

// pg_reg('regclass', x): the number.
void to_number(sqlite3_context* call, int, arguments given)
{
    if (is_null(given[1]))
        return;
    if (sqlite3_value_type(given[1]) == SQLITE_INTEGER)
        return sqlite3_result_int64(call, sqlite3_value_int64(given[1]));
    const auto& in = registry_of(text_of(given[0]));
    const auto written = text_of(given[1]);
    if (const auto found = look_up(sqlite3_context_db_handle(call), in, written))
        return sqlite3_result_int64(call, *found);
    refuse(call, std::string(in.what) + " \"" + std::string(written) + "\" does not exist");
}

// pg_reg_name('regclass', x): the name as it is displayed.
void to_name(sqlite3_context* call, int, arguments given)
{
    if (is_null(given[1]))
        return;
    auto* db = sqlite3_context_db_handle(call);
    const auto& in = registry_of(text_of(given[0]));
    std::int64_t number = sqlite3_value_int64(given[1]);
    if (sqlite3_value_type(given[1]) != SQLITE_INTEGER) {
        const auto found = look_up(db, in, text_of(given[1]));
        if (!found)
            return refuse(call,
                          std::string(in.what) + " \"" + std::string(text_of(given[1])) +
                              "\" does not exist");
        number = *found;
    }
    own_statement asked(db, in.by_number);
    asked.bind(1, number);
    if (number == 0)
        return answer(call, "-");
    answer(call, asked.step() && !asked.null(0) ? asked.text(0) : std::to_string(number));
}

void to_regclass(sqlite3_context* call, int, arguments given)
{
    if (is_null(given[0]))
        return;
    if (const auto found =
            look_up(sqlite3_context_db_handle(call), registries[0], text_of(given[0])))
        sqlite3_result_int64(call, *found);
}
void to_regtype(sqlite3_context* call, int, arguments given)
{
    if (is_null(given[0]))
        return;
    if (const auto found =
            look_up(sqlite3_context_db_handle(call), registries[1], text_of(given[0])))
        sqlite3_result_int64(call, *found);
}

std::string with_modifier(std::string_view name, pg::type_oid type, std::int64_t modifier)
{
    std::string out(name);
    if (modifier < 4)
        return out;
    modifier -= 4;
    if (type == pg::oid::numeric)
        out += '(' + std::to_string(modifier >> 16) + ',' + std::to_string(modifier & 0xffff) + ')';
    else if (type == pg::oid::varchar || type == pg::oid::bpchar)
        out += '(' + std::to_string(modifier) + ')';
    return out;
}

void format_type(sqlite3_context* call, int count, arguments given)
{
    if (is_null(given[0]))
        return;
    const auto type = static_cast<pg::type_oid>(sqlite3_value_int64(given[0]));
    if (type == 0)
        return answer(call, "-");
    const auto modifier = count > 1 && !is_null(given[1]) ? sqlite3_value_int64(given[1]) : -1;
    if (const auto name = pg::type_name(type); name != "unknown type")
        return answer(call, with_modifier(name, type, modifier));
    if (const auto element = pg::element_type(type); element != 0 && type != 22 && type != 30)
        return answer(call, with_modifier(pg::type_name(element), element, modifier) + "[]");
    own_statement asked(sqlite3_context_db_handle(call),
                        "SELECT CASE WHEN typcategory='A' AND typname LIKE '\\_%' ESCAPE '\\' THEN "
                        "substr(typname,2)||'[]' ELSE typname END FROM pg_catalog.pg_type WHERE "
                        "oid=?1");
    asked.bind(1, std::int64_t{type});
    answer(call, asked.step() ? asked.text(0) : std::string("???"));
}

void expression(sqlite3_context* call, int, arguments given)
{
    sqlite3_result_value(call, given[0]);
}

template <int Catalog>
void definition(sqlite3_context* call, int count, arguments given)
{
    if (is_null(given[0]))
        return;
    auto* db = sqlite3_context_db_handle(call);
    const auto object = look_up(db, registries[0], text_of(given[0]));
    if (!object)
        return refuse(call, "relation \"" + std::string(text_of(given[0])) + "\" does not exist");
    own_statement asked(db,
                        "SELECT definition FROM pg_catalog.sluice_definition WHERE classid=?1 AND "
                        "objid=?2 AND objsubid=?3");
    asked.bind(1, std::int64_t{Catalog});
    asked.bind(2, *object);
    asked.bind(
        3, Catalog == index_catalog && count > 1 ? sqlite3_value_int64(given[1]) : std::int64_t{0});
    if (asked.step())
        answer(call, asked.text(0));
}

void serial_sequence(sqlite3_context* call, int, arguments given)
{
    own_statement asked(
        sqlite3_context_db_handle(call),
        "SELECT 'public.'||relname||'_'||attname||'_seq' FROM pg_catalog.pg_attrdef "
        "JOIN pg_catalog.pg_class c ON c.oid=adrelid JOIN pg_catalog.pg_attribute ON "
        "attrelid=adrelid AND attnum=adnum WHERE adbin LIKE 'nextval(%' AND "
        "lower(relname)=lower(?1) AND attname=?2");
    if (is_null(given[0]) || is_null(given[1]))
        return;
    asked.bind(1, bare_name(text_of(given[0])));
    asked.bind(2, text_of(given[1]));
    if (asked.step())
        answer(call, asked.text(0));
}

void yes(sqlite3_context* call, int, arguments)
{
    sqlite3_result_int(call, 1);
}
void no(sqlite3_context* call, int, arguments)
{
    sqlite3_result_int(call, 0);
}
void null(sqlite3_context*, int, arguments) {}
void empty(sqlite3_context* call, int, arguments)
{
    answer(call, {});
}
void utf8(sqlite3_context* call, int, arguments)
{
    answer(call, "UTF8");
}
void utf8_number(sqlite3_context* call, int, arguments)
{
    sqlite3_result_int(call, 6);
}
void empty_array(sqlite3_context* call, int, arguments)
{
    answer(call, "{}");
}

// information_schema is on nobody's search_path.
void table_is_visible(sqlite3_context* call, int, arguments given)
{
    const auto oid = sqlite3_value_int64(given[0]);
    sqlite3_result_int(call, oid < 13000 || oid >= first_object);
}

void schemas(sqlite3_context* call, int, arguments given)
{
    answer(call, sqlite3_value_int(given[0]) ? "{pg_catalog,public}" : "{public}");
}

void database_size(sqlite3_context* call, int, arguments)
{
    own_statement asked(sqlite3_context_db_handle(call),
                        "SELECT page_count*page_size FROM pragma_page_count('main'), "
                        "pragma_page_size('main')");
    if (asked.step())
        sqlite3_result_int64(call, asked.integer(0));
}

void pretty_size(sqlite3_context* call, int, arguments given)
{
    if (is_null(given[0]))
        return;
    static constexpr const char* units[] = {"bytes", "kB", "MB", "GB", "TB"};
    auto size = sqlite3_value_int64(given[0]);
    int unit = 0;
    while (unit < 4 && (size >= 10240 || size <= -10240)) {
        size = (size + 512) / 1024;
        ++unit;
    }
    answer(call, std::to_string(size) + ' ' + units[unit]);
}

void last_value(sqlite3_context* call, int, arguments)
{
    const auto* who = handle_of(call).asking;
    if (!who || who->last_insert_rowid == 0)
        return refuse(call, "lastval is not yet defined in this session");
    sqlite3_result_int64(call, who->last_insert_rowid);
}
void next_value(sqlite3_context* call, int, arguments)
{
    refuse(call,
           "there are no sequences in SQLite databases: leave an INTEGER PRIMARY KEY out of the "
           "INSERT and it counts by itself");
}
void set_value(sqlite3_context* call, int, arguments given)
{
    sqlite3_result_value(call, given[1]);  // keys count by themselves
}

constexpr function functions[] = {
    {"pg_reg", 2, to_number},
    {"pg_reg_name", 2, to_name},
    {"to_regclass", 1, to_regclass},
    {"to_regtype", 1, to_regtype},
    {"format_type", 1, format_type},
    {"format_type", 2, format_type},
    {"pg_get_expr", 2, expression},
    {"pg_get_expr", 3, expression},
    {"pg_get_constraintdef", 1, definition<constraint_catalog>},
    {"pg_get_constraintdef", 2, definition<constraint_catalog>},
    {"pg_get_indexdef", 1, definition<index_catalog>},
    {"pg_get_indexdef", 3, definition<index_catalog>},
    {"pg_get_viewdef", 1, definition<class_catalog>},
    {"pg_get_viewdef", 2, definition<class_catalog>},
    {"pg_get_triggerdef", 1, definition<trigger_catalog>},
    {"pg_get_triggerdef", 2, definition<trigger_catalog>},
    {"pg_get_serial_sequence", 2, serial_sequence},
    {"pg_get_ruledef", -1, null},
    {"pg_get_functiondef", 1, null},
    {"pg_get_function_result", 1, null},
    {"pg_get_function_arguments", 1, null},
    {"pg_get_function_identity_arguments", 1, null},
    {"pg_get_partkeydef", 1, null},
    {"pg_get_statisticsobjdef_columns", 1, null},
    {"pg_get_statisticsobjdef", 1, null},
    {"pg_table_is_visible", 1, table_is_visible},
    {"pg_collation_is_visible", 1, yes},
    {"pg_conversion_is_visible", 1, yes},
    {"pg_function_is_visible", 1, yes},
    {"pg_opclass_is_visible", 1, yes},
    {"pg_operator_is_visible", 1, yes},
    {"pg_opfamily_is_visible", 1, yes},
    {"pg_statistics_obj_is_visible", 1, yes},
    {"pg_ts_config_is_visible", 1, yes},
    {"pg_ts_dict_is_visible", 1, yes},
    {"pg_ts_parser_is_visible", 1, yes},
    {"pg_ts_template_is_visible", 1, yes},
    {"has_table_privilege", -1, yes},
    {"has_any_column_privilege", -1, yes},
    {"has_column_privilege", -1, yes},
    {"has_schema_privilege", -1, yes},
    {"has_database_privilege", -1, yes},
    {"has_sequence_privilege", -1, yes},
    {"has_function_privilege", -1, yes},
    {"has_tablespace_privilege", -1, yes},
    {"has_type_privilege", -1, yes},
    {"has_language_privilege", -1, yes},
    {"pg_has_role", -1, yes},
    {"obj_description", 1, null},
    {"obj_description", 2, null},
    {"col_description", 2, null},
    {"shobj_description", 2, null},
    {"pg_relation_size", -1, no},
    {"pg_table_size", 1, no},
    {"pg_indexes_size", 1, no},
    {"pg_total_relation_size", 1, no},
    {"pg_database_size", 1, database_size},
    {"pg_size_pretty", 1, pretty_size},
    {"pg_relation_is_publishable", 1, no},
    {"pg_tablespace_location", 1, empty},
    {"pg_char_to_encoding", 1, utf8_number},
    {"pg_client_encoding", 0, utf8},
    {"getdatabaseencoding", 0, utf8},
    {"current_schemas", 1, schemas},
    {"pg_my_temp_schema", 0, no},
    {"pg_is_other_temp_schema", 1, no},
    {"pg_blocking_pids", 1, empty_array},
    {"pg_sequence_last_value", 1, null},
    {"inet_server_addr", 0, null},
    {"inet_server_port", 0, null},
    {"inet_client_addr", 0, null},
    {"inet_client_port", 0, null},
    {"lastval", 0, last_value},
    {"currval", 1, last_value},
    {"nextval", 1, next_value},
    {"setval", 2, set_value},
    {"setval", 3, set_value},
};

}  // namespace

void add_catalog_functions(handle& on)
{
    add_functions(on, functions);
}

}  // namespace sluice::sqlite
