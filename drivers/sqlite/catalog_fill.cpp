// drivers/sqlite/catalog_fill.cpp: the file's tables, columns, indexes and constraints as rows of
// pg_catalog.
#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

#include "drivers/sqlite/catalog.hpp"
#include "drivers/sqlite/catalog_fill.hpp"
#include "proto/pg/arrays.hpp"
#include "proto/pg/declared_type.hpp"

namespace sluice::sqlite {
namespace {

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

constexpr const char* clear_sql[] = {
    "DELETE FROM pg_catalog.pg_class WHERE oid>=16384",
    "DELETE FROM pg_catalog.pg_attribute WHERE attrelid>=16384",
    "DELETE FROM pg_catalog.pg_index",
    "DELETE FROM pg_catalog.pg_constraint",
    "DELETE FROM pg_catalog.pg_attrdef",
    "DELETE FROM pg_catalog.pg_trigger",
    "DELETE FROM pg_catalog.sluice_definition",
};

bool clear(sqlite3* db)
{
    return std::all_of(std::begin(clear_sql), std::end(clear_sql), [db](const char* sql) {
        own_statement each(db, sql);
        return each.run();
    });
}

}  // namespace

catalog_writer::catalog_writer(sqlite3* db)
    : db_(db),
      class_(
          db,
          "INSERT INTO pg_catalog.pg_class(oid,relname,relnamespace,reltype,reloftype,relowner,"
          "relam,relfilenode,reltablespace,relpages,reltuples,relallvisible,reltoastrelid,"
          "relhasindex,relisshared,relpersistence,relkind,relnatts,relchecks,relhasrules,"
          "relhastriggers,relhassubclass,relrowsecurity,relforcerowsecurity,relispopulated,"
          "relreplident,relispartition,relrewrite,relfrozenxid,relminmxid) VALUES(?1,?2,2200,0,0,"
          "10,?3,?1,0,0,-1,0,0,?4,0,'p',?5,?6,?7,?8,?9,0,0,0,1,'d',0,0,0,0)"),
      attribute_(
          db,
          "INSERT INTO pg_catalog.pg_attribute(attrelid,attname,atttypid,attstattarget,attlen,"
          "attnum,attndims,attcacheoff,atttypmod,attbyval,attalign,attstorage,attcompression,"
          "attnotnull,atthasdef,atthasmissing,attidentity,attgenerated,attisdropped,"
          "attislocal,attinhcount,attcollation) SELECT ?1,?2,?3,-1,typlen,?4,0,-1,?5,typbyval,"
          "typalign,typstorage,'',?6,?7,0,'',?8,0,1,0,typcollation FROM pg_catalog.pg_type "
          "WHERE oid=?3"),
      default_(db,
               "INSERT INTO pg_catalog.pg_attrdef(oid,adrelid,adnum,adbin) VALUES((?1<<11)&"
               "4294967295|?2,?1,?2,?3)"),
      index_(
          db,
          "INSERT INTO pg_catalog.pg_index(indexrelid,indrelid,indnatts,indnkeyatts,indisunique,"
          "indnullsnotdistinct,indisprimary,indisexclusion,indimmediate,indisclustered,"
          "indisvalid,indcheckxmin,indisready,indislive,indisreplident,indkey,indcollation,"
          "indclass,indoption,indexprs,indpred) VALUES(?1,?2,?3,?3,?4,0,?5,0,1,0,1,0,1,1,0,?6,'',"
          "'',?7,?8,?9)"),
      constraint_(
          db,
          "INSERT INTO pg_catalog.pg_constraint(oid,conname,connamespace,contype,"
          "condeferrable,condeferred,convalidated,conrelid,contypid,conindid,conparentid,"
          "confrelid,confupdtype,confdeltype,confmatchtype,conislocal,coninhcount,"
          "connoinherit,conkey,confkey,conbin) VALUES(?1,?2,2200,?3,?4,?5,1,?6,0,?7,0,?8,?9,"
          "?10,CASE ?3 WHEN 'f' THEN 's' ELSE ' ' END,1,0,1,?11,?12,?13)"),
      trigger_(db,
               "INSERT INTO pg_catalog.pg_trigger(oid,tgrelid,tgparentid,tgname,tgfoid,tgtype,"
               "tgenabled,tgisinternal,tgconstrrelid,tgconstrindid,tgconstraint,tgdeferrable,"
               "tginitdeferred,tgnargs,tgattr,tgargs) VALUES(?1,?2,0,?3,0,?4,'O',0,0,0,0,0,0,0,'',"
               "x'')"),
      definition_(db, "INSERT OR REPLACE INTO pg_catalog.sluice_definition VALUES(?1,?2,?3,?4)"),
      columns_(db,
               "SELECT name,type,\"notnull\",dflt_value,pk,hidden FROM "
               "pragma_table_xinfo(?1,'main') ORDER BY cid"),
      index_list_(
          db,
          "SELECT name,\"unique\",origin,partial FROM pragma_index_list(?1,'main') ORDER BY "
          "seq DESC"),
      index_keys_(db,
                  "SELECT cid,name,\"desc\",coll FROM pragma_index_xinfo(?1,'main') WHERE key "
                  "ORDER BY seqno"),
      foreign_keys_(db,
                    "SELECT id,\"table\",\"from\",\"to\",on_update,on_delete FROM "
                    "pragma_foreign_key_list(?1,'main') ORDER BY id DESC,seq")
{
}

void catalog_writer::read_objects()
{
    own_statement shadows(
        db_, "SELECT name FROM pragma_table_list WHERE schema='main' AND type='shadow'");
    std::vector<std::string> hidden;
    while (shadows.step())
        hidden.push_back(shadows.text(0));
    own_statement all(db_, "SELECT rowid,type,name,tbl_name,sql FROM main.sqlite_schema");
    while (all.step()) {
        schema_object made{all.integer(0), all.text(1), all.text(2), all.text(3), all.text(4)};
        const bool internal = made.type != "index" && made.name.starts_with("sqlite_");
        if (!internal && std::find(hidden.begin(), hidden.end(), made.name) == hidden.end())
            objects_.push_back(std::move(made));
    }
    for (const auto& each : objects_) {
        if (each.type == "table" || each.type == "view")
            tables_[lower(each.name)] = &each;
        else if (each.type == "index")
            indexes_[each.name] = &each;
        else
            triggered_.push_back(lower(each.table));
    }
}

std::vector<column_facts> catalog_writer::read_columns(const schema_object& table)
{
    std::vector<column_facts> out;
    columns_.reset();
    columns_.bind(1, table.name);
    while (columns_.step()) {
        auto& made = out.emplace_back();
        made.name = columns_.text(0);
        made.declared = columns_.text(1);
        made.not_null = columns_.integer(2) != 0;
        if (!columns_.null(3))
            made.standard = columns_.text(3);
        made.key = static_cast<int>(columns_.integer(4));
        made.hidden = static_cast<int>(columns_.integer(5));
    }
    columns_.reset();
    return out;
}

int number_of(const std::vector<column_facts>& columns, std::string_view name)
{
    const auto wanted = lower(name);
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (lower(columns[i].name) == wanted)
            return static_cast<int>(i) + 1;
    return 0;
}

// An INTEGER PRIMARY KEY is the rowid: SQLite fills it in, as SERIAL does.
bool is_rowid_alias(const table_facts& table)
{
    int keys = 0;
    const column_facts* key = nullptr;
    for (const auto& each : table.columns) {
        keys += each.key > 0;
        if (each.key > 0)
            key = &each;
    }
    return keys == 1 && lower(key->declared) == "integer" && !table.without_rowid;
}

bool catalog_writer::write_columns(const table_facts& table)
{
    bool good = true;
    const bool alias = is_rowid_alias(table);
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const auto& column = table.columns[i];
        if (column.hidden == 1)
            continue;  // a virtual table's argument
        auto type = pg::type_of_declaration(column.declared);
        if (type == pg::oid::unspecified)
            type = pg::oid::text;
        const auto attnum = static_cast<std::int64_t>(i) + 1;
        const bool serial = alias && column.key > 0;
        std::string standard = column.standard.value_or("");
        if (serial)
            standard = "nextval('" + table.object->name + '_' + column.name + "_seq'::regclass)";
        const bool generated = column.hidden >= 2;
        if (generated)
            for (const auto& [name, expression] : table.definition.generated)
                if (lower(name) == lower(column.name))
                    standard = expression;
        const std::int64_t oid = relation_oid(table.object->rowid);
        good = attribute_.run(oid,
                              column.name,
                              std::int64_t{type},
                              attnum,
                              std::int64_t{pg::modifier_of_declaration(column.declared, type)},
                              std::int64_t{column.not_null || serial ||
                                           (column.key > 0 && table.without_rowid)},
                              std::int64_t{!standard.empty()},
                              std::string_view(generated ? "s" : "")) &&
               good;
        if (!standard.empty())
            good = default_.run(oid, attnum, standard) && good;
    }
    return good;
}

bool catalog_writer::write_table(const schema_object& object)
{
    table_facts table;
    table.object = &object;
    table.columns = read_columns(object);
    const bool view = object.type == "view";
    if (!view) {
        table.definition = sql::read_table_definition(object.sql);
        const auto tail = lower(object.sql.substr(object.sql.rfind(')') + 1));
        table.without_rowid =
            tail.find("without") != std::string::npos && tail.find("rowid") != std::string::npos;
    }
    const std::int64_t oid = relation_oid(object.rowid);
    bool good = write_columns(table) && (view || write_keys(table));
    const auto checks = std::count_if(
        table.definition.clauses.begin(), table.definition.clauses.end(), [](const auto& c) {
            return c.kind == sql::clause_kind::check;
        });
    const bool triggers =
        std::find(triggered_.begin(), triggered_.end(), lower(object.name)) != triggered_.end();
    if (view)
        good = definition_.run(std::int64_t{class_catalog},
                               oid,
                               std::int64_t{0},
                               sql::read_view_query(object.sql) + ';') &&
               good;
    return good && class_.run(oid,
                              object.name,
                              std::int64_t{view ? 0 : 2},
                              std::int64_t{table.indexed},
                              std::string_view(view ? "v" : "r"),
                              static_cast<std::int64_t>(table.columns.size()),
                              static_cast<std::int64_t>(checks),
                              std::int64_t{view},
                              std::int64_t{triggers});
}

bool catalog_writer::write_trigger(const schema_object& trigger)
{
    const auto table = tables_.find(lower(trigger.table));
    if (table == tables_.end())
        return true;
    const auto words = lower(trigger.sql.substr(0, trigger.sql.size()));
    const auto head = words.substr(0, words.find(" on "));
    const auto has = [&head](std::string_view word) {
        return head.find(word) != std::string::npos;
    };
    const int type = 1 + (has("before") ? 2 : 0) + (has("insert") ? 4 : 0) +
                     (has("delete") ? 8 : 0) + (has("update") ? 16 : 0) + (has("instead") ? 64 : 0);
    const std::int64_t oid = relation_oid(trigger.rowid);
    return trigger_.run(
               oid, relation_oid(table->second->rowid), trigger.name, std::int64_t{type}) &&
           definition_.run(std::int64_t{trigger_catalog}, oid, std::int64_t{0}, trigger.sql);
}

bool catalog_writer::run()
{
    if (!clear(db_))
        return false;
    read_objects();
    bool good = true;
    for (const auto& each : objects_) {
        if (each.type == "table" || each.type == "view")
            good = good && write_table(each);
        else if (each.type == "trigger")
            good = good && write_trigger(each);
    }
    // In PostgreSQL foreign keys are triggers: psql looks for them only where there are some.
    own_statement keys(db_,
                       "UPDATE pg_catalog.pg_class SET relhastriggers=1 WHERE oid IN (SELECT "
                       "conrelid FROM pg_catalog.pg_constraint WHERE contype='f' UNION SELECT "
                       "confrelid FROM pg_catalog.pg_constraint WHERE contype='f')");
    return keys.run() && good;
}

bool fill_catalog(sqlite3* db)
{
    return catalog_writer(db).run();
}

}  // namespace sluice::sqlite
