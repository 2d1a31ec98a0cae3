// gateway/cli/sqlite_command.cpp: sluice sqlite backup|vacuum|check NAME.
//
// Works on the file itself, not through a gateway, so it needs no gateway; and is safe beside one.
#include "gateway/cli/sqlite_command.hpp"

#include <iostream>

#include "drivers/sqlite/maintenance.hpp"
#include "gateway/config/load.hpp"

namespace sluice::gateway {
namespace {

int complain(const sqlite::sql_error& why, std::ostream& err)
{
    err << "error: " << why.message << '\n';
    if (!why.hint.empty())
        err << "hint: " << why.hint << '\n';
    return 1;
}

// Empty: it was said why.
std::string find_file(const sqlite_command& wanted, std::ostream& err)
{
    if (wanted.config_file.empty())
        return wanted.name;
    const auto made = load_config(wanted.config_file);
    if (!made) {
        for (const auto& line : made.errors)
            err << "error: " << line << '\n';
        return {};
    }
    const auto found = made.settings.databases.find(wanted.name);
    if (found == made.settings.databases.end() || found->second.engine != engine::sqlite) {
        err << "error: " << wanted.config_file << " has no SQLite database \"" << wanted.name
            << "\"; it has:";
        for (const auto& [name, entry] : made.settings.databases)
            if (entry.engine == engine::sqlite)
                err << ' ' << name;
        err << '\n';
        return {};
    }
    return found->second.sqlite.file;
}

int run_backup(const std::string& file, const std::string& to, std::ostream& out, std::ostream& err)
{
    if (to.empty()) {
        err << "error: say where the copy goes: --to FILE\n";
        return 2;
    }
    int told = -1;
    const auto progress = [&](int done, int all) {
        const int percent = all > 0 ? static_cast<int>(100.0 * done / all) : 100;
        if (percent / 10 == told)
            return;
        told = percent / 10;
        out << "copied " << done << " of " << all << " pages (" << percent << "%)\n" << std::flush;
    };
    sqlite::sql_error why;
    if (!sqlite::backup(file, to, progress, why))
        return complain(why, err);
    std::vector<std::string> problems;
    if (!sqlite::check(to, problems, why))
        return complain(why, err);
    for (const auto& line : problems)
        err << "problem: " << line << '\n';
    out << to << ": a complete copy of " << file << (problems.empty() ? ", sound\n" : "\n");
    return problems.empty() ? 0 : 1;
}

}  // namespace

int run_sqlite_command(const sqlite_command& wanted, std::ostream& out, std::ostream& err)
{
    const auto file = find_file(wanted, err);
    if (file.empty())
        return 1;
    sqlite::sql_error why;
    if (wanted.what == "backup")
        return run_backup(file, wanted.to, out, err);
    if (wanted.what == "vacuum") {
        sqlite::vacuum_result result;
        if (!sqlite::vacuum(file, result, why))
            return complain(why, err);
        out << file << ": " << result.before << " bytes before, " << result.after << " after\n";
        return 0;
    }
    std::vector<std::string> problems;
    if (!sqlite::check(file, problems, why))
        return complain(why, err);
    for (const auto& line : problems)
        out << "problem: " << line << '\n';
    out << file << (problems.empty() ? ": ok\n" : ": damaged; restore it from a backup\n");
    return problems.empty() ? 0 : 1;
}

}  // namespace sluice::gateway
