// gateway/translate/my_engine_errors.cpp: what SQLite says, in MySQL's numbers and words.
#include <array>

#include "gateway/translate/my_statement.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway {
namespace {

struct rule {
    std::string_view sqlstate;  // PostgreSQL's, as the engine gives it
    std::uint16_t number;
    std::string_view mysql_sqlstate;
};

constexpr std::array rules{
    rule{"23505", 1062, "23000"},                                // duplicate entry
    rule{"23502", 1048, "23000"},                                // column cannot be null
    rule{"23503", 1452, "23000"},                                // foreign key
    rule{"23514", 3819, "HY000"},                                // check constraint
    rule{"23000", 1022, "23000"}, rule{"P0001", 1644, "45000"},  // RAISE in a trigger
    rule{"22P02", 1366, "HY000"},                                // incorrect value for a column
    rule{"42804", 1366, "HY000"}, rule{"22021", 1366, "HY000"}, rule{"22003", 1264, "22003"},
    rule{"42601", 1064, "42000"}, rule{"42P01", 1146, "42S02"}, rule{"42703", 1054, "42S22"},
    rule{"42702", 1052, "23000"}, rule{"42701", 1060, "42S21"}, rule{"42883", 1305, "42000"},
    rule{"42803", 1111, "HY000"}, rule{"42P07", 1050, "42S01"}, rule{"42704", 1091, "42000"},
    rule{"42830", 1215, "HY000"}, rule{"42501", 1142, "42000"}, rule{"3B001", 1305, "42000"},
    rule{"25006", 1792, "25006"}, rule{"25P02", 1105, "25P02"}, rule{"25P03", 3024, "HY000"},
    rule{"40001", 1213, "40001"}, rule{"55P03", 1205, "HY000"}, rule{"57014", 1317, "70100"},
    rule{"57P01", 1053, "08S01"}, rule{"53400", 1226, "42000"}, rule{"53100", 1114, "HY000"},
    rule{"53200", 1037, "HY001"}, rule{"54000", 1301, "HY000"}, rule{"08P01", 1210, "HY000"},
    rule{"0A000", 1235, "42000"}, rule{"XX001", 1194, "HY000"}, rule{"58030", 1030, "HY000"},
};

std::string after(std::string_view text, std::string_view prefix)
{
    return std::string(text.starts_with(prefix) ? text.substr(prefix.size()) : text);
}

// MySQL's phrase, for those who read it; SQLite's own words stay where they say more.
std::string phrase(const my_error& made, const sqlite::sql_error& error, const my_state& session)
{
    const auto& m = error.message;
    switch (made.number) {
        case 1146: {
            auto name = after(m, "no such table: ");
            if (name.starts_with("main."))
                name.erase(0, 5);
            return "Table '" + session.database + "." + name + "' doesn't exist";
        }
        case 1054:
            if (m.starts_with("no such column: "))
                return "Unknown column '" + after(m, "no such column: ") + "' in 'field list'";
            return "Unknown column: " + m;
        case 1062:
            return "Duplicate entry for key '" +
                   (!error.key.empty()          ? error.key
                    : !error.constraint.empty() ? error.constraint
                                                : after(m, "UNIQUE constraint failed: ")) +
                   "'";
        case 1048:
            return "Column '" + error.column + "' cannot be null (" + error.table + ")";
        case 1451:
            return "Cannot delete or update a parent row: a foreign key constraint fails";
        case 1452:
            return "Cannot add or update a child row: a foreign key constraint fails";
        case 3819:
            return "Check constraint '" + error.constraint + "' is violated.";
        case 1064:
            return "You have an error in your SQL syntax for SQLite: " + m;
        case 1050: {
            auto name = m.substr(m.find(' ') + 1);
            if (const auto end = name.rfind(" already exists"); end != std::string::npos)
                name.resize(end);
            std::erase(name, '`');
            std::erase(name, '"');
            return "Table '" + name + "' already exists";
        }
        case 1205:
            return "Lock wait timeout exceeded; try restarting transaction (" + m + ")";
        case 1213:
            return "Deadlock found when trying to get lock; try restarting transaction (" + m + ")";
        case 1317:
            return "Query execution was interrupted";
        case 3024:
            return "Query execution was interrupted, maximum statement execution time exceeded";
        default:
            return error.hint.empty() ? m : m + ". " + error.hint;
    }
}

}  // namespace

my_error my_error_of(const sqlite::sql_error& error,
                     std::string_view statement,
                     const my_state& session)
{
    my_error out;
    if (error.limit != sqlite::ended_by::none) {
        out.number = 3024;
        out.sqlstate = "HY000";
        out.message = error.hint.empty() ? error.message : error.message + ". " + error.hint;
        return out;
    }
    for (const auto& each : rules) {
        if (error.sqlstate != each.sqlstate)
            continue;
        out.number = each.number;
        out.sqlstate = each.mysql_sqlstate;
        break;
    }
    if (out.number == 1317 && error.message.find("timeout") != std::string::npos) {
        out.number = 3024;
        out.sqlstate = "HY000";
    }
    if (out.number == 1452) {
        const auto verb = sql::lexer(statement, sql::dialect::mysql).next();
        if (sql::is_word(verb, "delete") || sql::is_word(verb, "drop") ||
            sql::is_word(verb, "truncate"))
            out.number = 1451;
    }
    if (out.number == 1050 && error.message.starts_with("index ")) {
        out.number = 1061;
        out.sqlstate = "42000";
    }
    if (out.number == 1146 &&
        sql::is_word(sql::lexer(statement, sql::dialect::mysql).next(), "drop")) {
        out.number = 1051;
        out.message = "Unknown table '" + session.database + "." +
                      error.message.substr(error.message.find(": ") + 2) + "'";
        return out;
    }
    out.message = phrase(out, error, session);
    return out;
}

}  // namespace sluice::gateway
