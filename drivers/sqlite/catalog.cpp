// drivers/sqlite/catalog.cpp: attaching pg_catalog and information_schema, and keeping them
// current.
#include "drivers/sqlite/catalog.hpp"

#include <sqlite3.h>

#include <array>
#include <string>
#include <utility>

#include "drivers/sqlite/catalog_data.hpp"
#include "drivers/sqlite/errors.hpp"
#include "drivers/sqlite/handle.hpp"
#include "drivers/sqlite/statement_text.hpp"

namespace sluice::sqlite {
namespace {

struct type_word {
    std::string_view name;
    int oid;
    std::string_view affinity;
};

// Declared as "pg_OID AFFINITY": the gateway reads the one, SQLite the other.
constexpr std::array words{
    type_word{"bool", 16, "INTEGER"},       type_word{"bytea", 17, "BLOB"},
    type_word{"char", 18, "TEXT"},          type_word{"name", 19, "TEXT"},
    type_word{"int8", 20, "INTEGER"},       type_word{"int2", 21, "INTEGER"},
    type_word{"int2vector", 22, "TEXT"},    type_word{"int4", 23, "INTEGER"},
    type_word{"regproc", 24, "INTEGER"},    type_word{"text", 25, "TEXT"},
    type_word{"oid", 26, "INTEGER"},        type_word{"xid", 28, "INTEGER"},
    type_word{"oidvector", 30, "TEXT"},     type_word{"pg_node_tree", 25, "TEXT"},
    type_word{"float4", 700, "REAL"},       type_word{"float8", 701, "REAL"},
    type_word{"inet", 25, "TEXT"},          type_word{"varchar", 1043, "TEXT"},
    type_word{"timestamptz", 1184, "TEXT"}, type_word{"interval", 25, "TEXT"},
    type_word{"regtype", 26, "INTEGER"},    type_word{"pg_lsn", 25, "TEXT"},
    type_word{"_aclitem", 1009, "TEXT"},    type_word{"_char", 1002, "TEXT"},
    type_word{"_float4", 1021, "TEXT"},     type_word{"_int2", 1005, "TEXT"},
    type_word{"_name", 1003, "TEXT"},       type_word{"_oid", 1028, "TEXT"},
    type_word{"_regtype", 1028, "TEXT"},    type_word{"_text", 1009, "TEXT"},
    type_word{"anyarray", 25, "TEXT"},
};

const type_word& word_of(std::string_view type) noexcept
{
    for (const auto& each : words)
        if (each.name == type)
            return each;
    return words[9];
}

// Calls each(name, type) for every column of the list.
template <class Each>
void each_column(const catalog_relation& relation, Each&& each)
{
    std::string_view rest = relation.columns;
    while (!rest.empty()) {
        const auto comma = std::min(rest.find(','), rest.size());
        const auto item = rest.substr(0, comma);
        const auto blank = item.find(' ');
        each(item.substr(0, blank), item.substr(blank + 1));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
}

bool create_relation(handle& on, std::string_view schema, const catalog_relation& relation)
{
    std::string sql = "CREATE TABLE " + std::string(schema) + ".\"" + relation.name + "\"(";
    each_column(relation, [&sql](std::string_view name, std::string_view type) {
        const auto& word = word_of(type);
        if (sql.back() != '(')
            sql += ',';
        sql += '"' + std::string(name) + "\" pg_" + std::to_string(word.oid) + ' ' +
               std::string(word.affinity);
    });
    return on.run((sql + ')').c_str());
}

// The catalogs describe themselves, too: psql's \d pg_class.
bool describe_relation(sqlite3* db, int schema, const catalog_relation& relation)
{
    own_statement add_class(
        db,
        "INSERT INTO pg_catalog.pg_class(oid,relname,relnamespace,reltype,reloftype,relowner,relam,"
        "relfilenode,reltablespace,relpages,reltuples,relallvisible,reltoastrelid,relhasindex,"
        "relisshared,relpersistence,relkind,relnatts,relchecks,relhasrules,relhastriggers,"
        "relhassubclass,relrowsecurity,relforcerowsecurity,relispopulated,relreplident,"
        "relispartition,relrewrite,relfrozenxid,relminmxid) VALUES(?1,?2,?3,0,0,10,CASE ?4 WHEN "
        "'r' "
        "THEN 2 ELSE 0 END,0,0,0,-1,0,0,0,0,'p',?4,?5,0,0,0,0,0,0,1,'n',0,0,0,0)");
    own_statement add_column(
        db,
        "INSERT INTO pg_catalog.pg_attribute(attrelid,attname,atttypid,attstattarget,attlen,attnum,"
        "attndims,attcacheoff,atttypmod,attbyval,attalign,attstorage,attcompression,attnotnull,"
        "atthasdef,atthasmissing,attidentity,attgenerated,attisdropped,attislocal,attinhcount,"
        "attcollation) SELECT ?1,?2,?3,-1,typlen,?4,0,-1,-1,typbyval,typalign,typstorage,'',0,0,0,"
        "'','',0,1,0,typcollation FROM pg_catalog.pg_type WHERE oid=?3");
    std::int64_t count = 0;
    bool good = true;
    each_column(relation, [&](std::string_view name, std::string_view type) {
        const std::int64_t oid = word_of(type).oid;
        good = add_column.run(std::int64_t{relation.oid}, name, oid, ++count) && good;
    });
    return good && add_class.run(std::int64_t{relation.oid},
                                 relation.name,
                                 std::int64_t{schema},
                                 std::string_view(&relation.kind, 1),
                                 count);
}

constexpr int catalog_schema = 11;
constexpr int information_schema = 13180;

bool describe_all(sqlite3* db)
{
    bool good = true;
    for (const auto& list : {catalog_relations, catalog_relations_2})
        for (const auto& each : list)
            good = good && describe_relation(db, catalog_schema, each);
    for (const auto& each : information_relations)
        good = good && describe_relation(db, information_schema, each);
    return good;
}

bool build(handle& on)
{
    bool good = on.run(
        "CREATE TABLE pg_catalog.sluice_state(version);"
        "INSERT INTO pg_catalog.sluice_state VALUES(NULL);"
        "CREATE TABLE pg_catalog.sluice_definition(classid,objid,objsubid,definition,"
        "PRIMARY KEY(classid,objid,objsubid)) WITHOUT ROWID");
    for (const auto& list : {catalog_relations, catalog_relations_2})
        for (const auto& each : list)
            good = good && create_relation(on, "pg_catalog", each);
    for (const auto& each : information_relations)
        good = good && create_relation(on, "information_schema", each);
    const std::string types =
        "INSERT INTO pg_catalog.pg_type(oid,typname,typlen,typbyval,typtype,typcategory,"
        "typispreferred,typdelim,typelem,typarray,typinput,typoutput,typreceive,typsend,typalign,"
        "typstorage,typcollation,typsubscript,typnamespace,typowner,typisdefined,typrelid,typmodin,"
        "typmodout,typanalyze,typnotnull,typbasetype,typtypmod,typndims) SELECT "
        "*,11,10,1,0,0,0,0,0,"
        "0,-1,0 FROM (VALUES " +
        std::string(catalog_types) + ")";
    const std::string procedures =
        "INSERT INTO pg_catalog.pg_proc(oid,proname,prorettype,proargtypes,pronamespace,proowner,"
        "prolang,procost,prorows,provariadic,prosupport,prokind,prosecdef,proleakproof,proisstrict,"
        "proretset,provolatile,proparallel,pronargs,pronargdefaults,prosrc) SELECT "
        "*,11,10,12,1,0,0,"
        "0,'f',0,0,1,0,'i','s',1,0,column2 FROM (VALUES " +
        std::string(catalog_procedures) + ")";
    return good && on.run(types.c_str()) && on.run(procedures.c_str()) && on.run(catalog_rows) &&
           on.run(catalog_views) && describe_all(on.db());
}

bool attach(handle& on)
{
    if (sqlite3_db_filename(on.db(), "information_schema"))
        return true;
    sqlite3_limit(on.db(), SQLITE_LIMIT_ATTACHED, 2);
    bool good = true;
    if (!sqlite3_db_filename(on.db(), "pg_catalog"))
        good = on.run("ATTACH 'file:pg_catalog?mode=memory' AS pg_catalog");
    // Not ":memory:", which cannot be written on a handle that only reads.
    good = good && on.run("ATTACH 'file:information_schema?mode=memory' AS information_schema") &&
           on.run("PRAGMA pg_catalog.page_size=1024") &&
           on.run("PRAGMA information_schema.page_size=1024");
    sqlite3_limit(on.db(), SQLITE_LIMIT_ATTACHED, 0);
    return good;
}

std::int64_t number(sqlite3* db, const char* sql, std::int64_t otherwise) noexcept
{
    own_statement asked(db, sql);
    return asked.step() && !asked.null(0) ? asked.integer(0) : otherwise;
}

// For the time of the refresh: nothing refuses, nothing interrupts, readers may write.
class quiet {
public:
    explicit quiet(handle& on)
        : on_(on),
          control_(std::exchange(on.control, nullptr)),
          ours_(std::exchange(on.guarded.ours, true)),
          defers_(std::exchange(on.defers, false)),
          query_only_(number(on.db(), "PRAGMA query_only", 0) != 0)
    {
        if (query_only_)
            on_.set_query_only(false);
    }
    ~quiet()
    {
        if (query_only_)
            on_.set_query_only(true);
        on_.guarded.ours = ours_;
        on_.defers = defers_;
        on_.control = control_;
    }
    quiet(const quiet&) = delete;
    quiet& operator=(const quiet&) = delete;

private:
    handle& on_;
    stop_control* control_;
    bool ours_;
    bool defers_;  // nothing of the file's is committed here
    bool query_only_;
};

bool rewrite(handle& on, std::int64_t version, sql_error& why)
{
    auto* db = on.db();
    if (!on.run("SAVEPOINT sluice_catalog"))
        return false;
    bool good = number(db, "SELECT count(*) FROM pg_catalog.sluice_state", 0) != 0 || build(on);
    good = good && fill_catalog(db) && add_set_functions(on, catalog_derived) &&
           on.run(catalog_derived);
    if (good) {
        // Whoever comes first names the database; all sessions of a file use the same name.
        own_statement name(db, "UPDATE pg_catalog.pg_database SET datname=current_database()");
        own_statement done(db, "UPDATE pg_catalog.sluice_state SET version=?1");
        good = name.run() && done.run(version);
    }
    if (!good) {
        why = error_of(db, {});
        on.run("ROLLBACK TO sluice_catalog");
    }
    return on.run("RELEASE sluice_catalog") && good;
}

}  // namespace

bool names_catalog(std::string_view sql) noexcept
{
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    const auto before = [&](std::size_t at, std::string_view word) {
        if (at < word.size())
            return false;
        for (std::size_t i = 0; i < word.size(); ++i)
            if (lower(sql[at - word.size() + i]) != word[i])
                return false;
        return true;
    };
    for (auto at = sql.find('_'); at != std::string_view::npos; at = sql.find('_', at + 1))
        if (before(at, "pg") || before(at, "information"))
            return true;
    return false;
}

bool refresh_catalog(handle& on, sql_error& why)
{
    auto* db = on.db();
    const bool was_ours = std::exchange(on.guarded.ours, true);
    const auto current = number(db, "PRAGMA main.schema_version", -1);
    const auto written = number(db, "SELECT version FROM pg_catalog.sluice_state", -2);
    on.guarded.ours = was_ours;
    if (current == written)
        return true;
    const quiet undisturbed(on);
    // A transaction on its own where there is none: what is read of the file is of one moment.
    if (!attach(on))
        why = error_of(db, {});
    else if (rewrite(on, current, why))
        return true;
    why.message = "the catalogs cannot be read: " + why.message;
    return false;
}

}  // namespace sluice::sqlite
