// drivers/sqlite/catalog_fill.hpp: the machine that writes a file's tables into pg_catalog.
//
// Layer: drivers, private to this folder. The handle's thread; lives for one refresh.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "drivers/sqlite/statement_text.hpp"
#include "proto/sql/sqlite_schema.hpp"

namespace sluice::sqlite {

// Where sluice_definition's texts belong to: the catalogs' own numbers.
inline constexpr int class_catalog = 1259;
inline constexpr int constraint_catalog = 2606;
inline constexpr int trigger_catalog = 2620;
inline constexpr int index_catalog = 2610;

struct schema_object {
    std::int64_t rowid;
    std::string type;
    std::string name;
    std::string table;
    std::string sql;
};

struct column_facts {
    std::string name;
    std::string declared;
    bool not_null = false;
    std::optional<std::string> standard;  // DEFAULT
    int key = 0;                          // place in the primary key, from 1
    int hidden = 0;                       // pragma_table_xinfo: 2, 3 are generated columns
};

struct table_facts {
    const schema_object* object = nullptr;
    std::vector<column_facts> columns;
    sql::table_definition definition;
    bool without_rowid = false;
    bool indexed = false;
};

// From 1; 0: there is none.
int number_of(const std::vector<column_facts>& columns, std::string_view name);
bool is_rowid_alias(const table_facts& table);

class catalog_writer {
public:
    explicit catalog_writer(sqlite3* db);
    bool run();

private:
    struct key_facts {
        std::int64_t oid = 0;
        std::string name;
        bool unique = false;
        bool primary = false;
        bool made_by_constraint = false;
        std::vector<int> numbers;  // attnum; 0: an expression
        std::vector<std::string> texts;
        std::vector<bool> descending;
        std::string predicate;
    };

    void read_objects();
    std::vector<column_facts> read_columns(const schema_object& table);
    bool write_table(const schema_object& object);
    bool write_columns(const table_facts& table);
    bool write_trigger(const schema_object& trigger);

    // catalog_keys.cpp
    bool write_keys(table_facts& table);
    std::vector<key_facts> read_keys(const table_facts& table);
    key_facts primary_key_of(const table_facts& table);
    void name_keys(const table_facts& table, std::vector<key_facts>& keys);
    bool write_index(const table_facts& table, const key_facts& key);
    bool write_foreign_keys(const table_facts& table, std::int64_t& next);
    bool write_checks(const table_facts& table, std::int64_t& next);
    std::int64_t referenced_key(const schema_object& table, const std::vector<int>& numbers);

    sqlite3* db_;
    std::vector<schema_object> objects_;
    std::map<std::string, const schema_object*> tables_;   // by name in lower case
    std::map<std::string, const schema_object*> indexes_;  // by name
    std::vector<std::string> triggered_;                   // tables, in lower case

    own_statement class_, attribute_, default_, index_, constraint_, trigger_, definition_;
    own_statement columns_, index_list_, index_keys_, foreign_keys_;
};

}  // namespace sluice::sqlite
