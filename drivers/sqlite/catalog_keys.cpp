// drivers/sqlite/catalog_keys.cpp: indexes, keys and constraints as rows of pg_catalog.
#include <algorithm>
#include <cctype>

#include "drivers/sqlite/catalog.hpp"
#include "drivers/sqlite/catalog_fill.hpp"
#include "proto/pg/declared_type.hpp"

namespace sluice::sqlite {
namespace {

bool same_name(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() &&
           sqlite3_strnicmp(a.data(), b.data(), static_cast<int>(a.size())) == 0;
}

std::string quoted(std::string_view name)
{
    const bool plain =
        !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
        std::all_of(
            name.begin(),
            name.end(),
            [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }) &&
        !sqlite3_keyword_check(name.data(), static_cast<int>(name.size()));
    if (plain)
        return std::string(name);
    std::string out = "\"";
    for (const char c : name)
        out.append(c == '"' ? 2u : 1u, c);
    return out + '"';
}

template <class List, class Text>
std::string join(const List& list, std::string_view between, Text&& text)
{
    std::string out;
    for (const auto& each : list) {
        if (&each != &*list.begin())
            out += between;
        out += text(each);
    }
    return out;
}

std::string numbers_array(const std::vector<int>& numbers)
{
    return '{' + join(numbers, ",", [](int n) { return std::to_string(n); }) + '}';
}

std::string_view action_letter(std::string_view action) noexcept
{
    return action == "CASCADE"       ? "c"
           : action == "SET NULL"    ? "n"
           : action == "SET DEFAULT" ? "d"
           : action == "RESTRICT"    ? "r"
                                     : "a";
}

// Without COLLATE, ASC and DESC at the end.
std::string_view key_expression(std::string_view text) noexcept
{
    const auto drop = [&text](std::string_view word) {
        if (text.size() > word.size() && same_name(text.substr(text.size() - word.size()), word))
            text.remove_suffix(word.size());
    };
    drop(" asc");
    drop(" desc");
    return text;
}

}  // namespace

std::vector<catalog_writer::key_facts> catalog_writer::read_keys(const table_facts& table)
{
    std::vector<key_facts> out;
    index_list_.reset();
    index_list_.bind(1, table.object->name);
    while (index_list_.step()) {
        auto& made = out.emplace_back();
        made.name = index_list_.text(0);
        made.unique = index_list_.integer(1) != 0;
        const auto origin = index_list_.text(2);
        made.primary = origin == "pk";
        made.made_by_constraint = origin != "c";
        const auto known = indexes_.find(made.name);
        // The key of a WITHOUT ROWID table is in no list of objects.
        made.oid = known != indexes_.end() ? relation_oid(known->second->rowid)
                                           : relation_oid(table.object->rowid) + 1;
        sql::index_definition definition;
        if (known != indexes_.end() && !known->second->sql.empty())
            definition = sql::read_index_definition(known->second->sql);
        made.predicate = definition.predicate;
        index_keys_.reset();
        index_keys_.bind(1, made.name);
        while (index_keys_.step()) {
            const auto place = made.numbers.size();
            const auto column = static_cast<int>(index_keys_.integer(0));
            made.numbers.push_back(column >= 0 ? column + 1 : 0);
            made.descending.push_back(index_keys_.integer(2) != 0);
            std::string text = column >= 0 ? quoted(index_keys_.text(1))
                               : place < definition.keys.size()
                                   ? std::string(key_expression(definition.keys[place]))
                                   : std::string("rowid");
            made.texts.push_back(std::move(text));
        }
        index_keys_.reset();
    }
    index_list_.reset();
    return out;
}

catalog_writer::key_facts catalog_writer::primary_key_of(const table_facts& table)
{
    key_facts made;
    made.oid = relation_oid(table.object->rowid) + 1;
    made.unique = made.primary = made.made_by_constraint = true;
    for (int place = 1; place <= static_cast<int>(table.columns.size()); ++place)
        for (std::size_t i = 0; i < table.columns.size(); ++i)
            if (table.columns[i].key == place) {
                made.numbers.push_back(static_cast<int>(i) + 1);
                made.texts.push_back(quoted(table.columns[i].name));
                made.descending.push_back(false);
            }
    return made;
}

// As PostgreSQL names what nobody named: t_pkey, t_a_b_key.
void catalog_writer::name_keys(const table_facts& table, std::vector<key_facts>& keys)
{
    for (auto& key : keys) {
        if (!key.made_by_constraint)
            continue;
        std::string name;
        for (const auto& clause : table.definition.clauses) {
            const bool fits = key.primary ? clause.kind == sql::clause_kind::primary_key
                                          : clause.kind == sql::clause_kind::unique &&
                                                clause.columns.size() == key.numbers.size();
            bool same = fits;
            for (std::size_t i = 0; same && !key.primary && i < key.numbers.size(); ++i)
                same = number_of(table.columns, clause.columns[i]) == key.numbers[i];
            if (same && !clause.name.empty())
                name = clause.name;
        }
        if (name.empty() && key.primary)
            name = table.object->name + "_pkey";
        if (name.empty()) {
            name = table.object->name;
            for (const int n : key.numbers)
                name += '_' + (n > 0 ? table.columns[static_cast<std::size_t>(n - 1)].name
                                     : std::string("expr"));
            name += "_key";
        }
        key.name = name;
    }
}

bool catalog_writer::write_index(const table_facts& table, const key_facts& key)
{
    const auto count = static_cast<std::int64_t>(key.numbers.size());
    const auto vector = [](const auto& list, auto&& text) { return join(list, " ", text); };
    std::string options;
    for (const bool d : key.descending)
        options += (options.empty() ? "" : " ") + std::string(d ? "3" : "0");
    std::string keys;
    for (std::size_t i = 0; i < key.texts.size(); ++i)
        keys += (i ? ", " : "") + key.texts[i] + (key.descending[i] ? " DESC" : "");
    std::string expressions;
    for (std::size_t i = 0; i < key.numbers.size(); ++i)
        if (key.numbers[i] == 0)
            expressions += (expressions.empty() ? "" : ", ") + key.texts[i];
    std::string text = std::string("CREATE ") + (key.unique ? "UNIQUE " : "") + "INDEX " +
                       quoted(key.name) + " ON public." + quoted(table.object->name) +
                       " USING btree (" + keys + ')';
    if (!key.predicate.empty())
        text += " WHERE " + key.predicate;
    bool good = class_.run(key.oid,
                           key.name,
                           std::int64_t{403},
                           std::int64_t{0},
                           std::string_view("i"),
                           count,
                           std::int64_t{0},
                           std::int64_t{0},
                           std::int64_t{0});
    const char* none = nullptr;
    good = good && index_.run(key.oid,
                              relation_oid(table.object->rowid),
                              count,
                              std::int64_t{key.unique},
                              std::int64_t{key.primary},
                              vector(key.numbers, [](int n) { return std::to_string(n); }),
                              options,
                              expressions.empty() ? none : expressions.c_str(),
                              key.predicate.empty() ? none : key.predicate.c_str());
    good = good && definition_.run(std::int64_t{index_catalog}, key.oid, std::int64_t{0}, text);
    for (std::size_t i = 0; i < key.numbers.size() && good; ++i) {
        const auto n = key.numbers[i];
        const auto* column = n > 0 ? &table.columns[static_cast<std::size_t>(n - 1)] : nullptr;
        auto type = column ? pg::type_of_declaration(column->declared) : pg::oid::text;
        if (type == pg::oid::unspecified)
            type = pg::oid::text;
        good = attribute_.run(
                   key.oid,
                   column ? column->name : std::string("expr"),
                   std::int64_t{type},
                   static_cast<std::int64_t>(i) + 1,
                   std::int64_t{column ? pg::modifier_of_declaration(column->declared, type) : -1},
                   std::int64_t{0},
                   std::int64_t{0},
                   std::string_view()) &&
               definition_.run(std::int64_t{index_catalog},
                               key.oid,
                               static_cast<std::int64_t>(i) + 1,
                               key.texts[i]);
    }
    return good;
}

bool catalog_writer::write_keys(table_facts& table)
{
    auto keys = read_keys(table);
    const bool has_primary =
        std::any_of(keys.begin(), keys.end(), [](const key_facts& k) { return k.primary; });
    if (!has_primary && is_rowid_alias(table))
        keys.insert(keys.begin(), primary_key_of(table));
    name_keys(table, keys);
    table.indexed = !keys.empty();
    std::int64_t next = 0;
    bool good = true;
    for (const auto& key : keys) {
        good = good && write_index(table, key);
        if (!key.made_by_constraint)
            continue;
        const auto oid = constraint_oid(table.object->rowid, next++);
        const auto columns = join(key.texts, ", ", [](const std::string& t) { return t; });
        const char* none = nullptr;
        good = good &&
               constraint_.run(oid,
                               key.name,
                               std::string_view(key.primary ? "p" : "u"),
                               std::int64_t{0},
                               std::int64_t{0},
                               relation_oid(table.object->rowid),
                               key.oid,
                               std::int64_t{0},
                               std::string_view(" "),
                               std::string_view(" "),
                               numbers_array(key.numbers),
                               none,
                               none) &&
               definition_.run(std::int64_t{constraint_catalog},
                               oid,
                               std::int64_t{0},
                               (key.primary ? "PRIMARY KEY (" : "UNIQUE (") + columns + ')');
    }
    return good && write_foreign_keys(table, next) && write_checks(table, next);
}

// The index of the referenced columns.
std::int64_t catalog_writer::referenced_key(const schema_object& table,
                                            const std::vector<int>& numbers)
{
    table_facts facts;
    facts.object = &table;
    facts.columns = read_columns(table);
    for (const auto& key : read_keys(facts))
        if (key.unique && key.numbers == numbers)
            return key.oid;
    return is_rowid_alias(facts) ? relation_oid(table.rowid) + 1 : 0;
}

bool catalog_writer::write_foreign_keys(const table_facts& table, std::int64_t& next)
{
    struct foreign_key {
        std::string to, on_update, on_delete;
        std::vector<std::string> columns, referenced;
    };
    std::vector<foreign_key> keys;
    std::int64_t last = -1;
    foreign_keys_.reset();
    foreign_keys_.bind(1, table.object->name);
    while (foreign_keys_.step()) {
        if (keys.empty() || foreign_keys_.integer(0) != last)
            keys.push_back(
                {foreign_keys_.text(1), foreign_keys_.text(4), foreign_keys_.text(5), {}, {}});
        last = foreign_keys_.integer(0);
        keys.back().columns.push_back(foreign_keys_.text(2));
        if (!foreign_keys_.null(3))
            keys.back().referenced.push_back(foreign_keys_.text(3));
    }
    foreign_keys_.reset();

    std::vector<const sql::table_clause*> clauses;
    for (const auto& clause : table.definition.clauses)
        if (clause.kind == sql::clause_kind::foreign_key)
            clauses.push_back(&clause);
    bool good = true;
    for (std::size_t i = 0; i < keys.size() && good; ++i) {
        auto& key = keys[i];
        const auto* clause = clauses.size() == keys.size() ? clauses[i] : nullptr;
        std::string name = table.object->name;
        std::vector<int> numbers;
        for (const auto& column : key.columns) {
            numbers.push_back(number_of(table.columns, column));
            name += '_' + column;
        }
        name = clause && !clause->name.empty() ? clause->name : name + "_fkey";
        std::string wanted;
        for (const char c : key.to)
            wanted += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        const auto target = tables_.find(wanted);
        std::vector<int> referenced;
        std::int64_t index = 0;
        if (target != tables_.end()) {
            const auto columns = read_columns(*target->second);
            if (key.referenced.empty())
                for (std::size_t place = 1; place <= columns.size(); ++place)
                    for (const auto& column : columns)
                        if (column.key == static_cast<int>(place))
                            key.referenced.push_back(column.name);
            for (const auto& column : key.referenced)
                referenced.push_back(number_of(columns, column));
            index = referenced_key(*target->second, referenced);
        }
        const auto names = [](const std::vector<std::string>& list) {
            return join(list, ", ", [](const std::string& n) { return quoted(n); });
        };
        std::string text = "FOREIGN KEY (" + names(key.columns) + ") REFERENCES " + quoted(key.to) +
                           '(' + names(key.referenced) + ')';
        if (key.on_update != "NO ACTION")
            text += " ON UPDATE " + key.on_update;
        if (key.on_delete != "NO ACTION")
            text += " ON DELETE " + key.on_delete;
        if (clause && clause->deferrable)
            text += clause->deferred ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE";
        const auto oid = constraint_oid(table.object->rowid, next++);
        const char* none = nullptr;
        good = constraint_.run(
                   oid,
                   name,
                   std::string_view("f"),
                   std::int64_t{clause && clause->deferrable},
                   std::int64_t{clause && clause->deferred},
                   relation_oid(table.object->rowid),
                   index,
                   target == tables_.end() ? std::int64_t{0} : relation_oid(target->second->rowid),
                   action_letter(key.on_update),
                   action_letter(key.on_delete),
                   numbers_array(numbers),
                   numbers_array(referenced),
                   none) &&
               definition_.run(std::int64_t{constraint_catalog}, oid, std::int64_t{0}, text);
    }
    return good;
}

bool catalog_writer::write_checks(const table_facts& table, std::int64_t& next)
{
    int unnamed = 0;
    bool good = true;
    for (const auto& clause : table.definition.clauses) {
        if (clause.kind != sql::clause_kind::check)
            continue;
        std::string name = clause.name;
        if (name.empty()) {
            name = table.object->name + "_check" + (unnamed ? std::to_string(unnamed) : "");
            ++unnamed;
        }
        // The columns that its text names.
        std::vector<int> numbers;
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            const auto& column = table.columns[i].name;
            const auto at = clause.expression.find(column);
            const auto is_letter = [&](std::size_t p) {
                return p < clause.expression.size() &&
                       (std::isalnum(static_cast<unsigned char>(clause.expression[p])) ||
                        clause.expression[p] == '_');
            };
            if (at != std::string::npos && (at == 0 || !is_letter(at - 1)) &&
                !is_letter(at + column.size()))
                numbers.push_back(static_cast<int>(i) + 1);
        }
        const auto oid = constraint_oid(table.object->rowid, next++);
        const char* none = nullptr;
        good = good &&
               constraint_.run(oid,
                               name,
                               std::string_view("c"),
                               std::int64_t{0},
                               std::int64_t{0},
                               relation_oid(table.object->rowid),
                               std::int64_t{0},
                               std::int64_t{0},
                               std::string_view(" "),
                               std::string_view(" "),
                               numbers_array(numbers),
                               none,
                               clause.expression) &&
               definition_.run(std::int64_t{constraint_catalog},
                               oid,
                               std::int64_t{0},
                               "CHECK (" + clause.expression + ')');
    }
    return good;
}

}  // namespace sluice::sqlite
