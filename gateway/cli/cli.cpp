// gateway/cli/cli.cpp: the command line.
#include "gateway/cli/cli.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <iostream>

#include "gateway/auth/password_command.hpp"
#include "gateway/cli/import_command.hpp"
#include "gateway/cli/settings_command.hpp"
#include "gateway/cli/sqlite_command.hpp"
#include "gateway/config/load.hpp"
#include "gateway/log/log.hpp"
#include "gateway/server.hpp"
#include "generated/version.hpp"

namespace sluice::gateway {
namespace {

constexpr int bad_configuration = 1;
constexpr int bad_arguments = 2;

constexpr const char* examples =
    "Examples:\n"
    "  sluice --config sluice.toml   run in the foreground; SIGTERM drains and stops\n"
    "  sluice --config sluice.toml --takeover\n"
    "                                replace the running process; no client is refused\n"
    "  sluice check sluice.toml      name everything that is wrong with the file\n"
    "  sluice password alice         print the lines to put into [users.alice]\n"
    "  sluice settings pool          what can be set, with defaults; a word narrows it\n"
    "  sluice import pgbouncer.ini -o sluice.toml\n"
    "                                migrate from PgBouncer; names what has no counterpart\n"
    "  sluice sqlite backup notes --config sluice.toml --to copy.db\n"
    "                                copy a SQLite file, also while it is served; or vacuum, "
    "check\n"
    "\n"
    "Exit codes: 0 all well, 1 wrong configuration or cannot serve, 2 wrong arguments\n";

void print_errors(const std::string& file, const load_result& made, std::ostream& err)
{
    for (const auto& line : made.errors)
        err << "error: " << line << '\n';
    err << file << ": " << made.errors.size() << (made.errors.size() == 1 ? " error" : " errors")
        << '\n';
}

void print_database(const database& db, std::ostream& out)
{
    static constexpr const char* modes[] = {"session", "transaction", "statement"};
    out << "database " << db.name << ": ";
    if (db.engine == engine::sqlite) {
        out << "sqlite " << db.sqlite.file << ", " << db.sqlite.readers << " readers"
            << (db.sqlite.readonly ? ", read-only" : "") << '\n';
        return;
    }
    if (db.engine == engine::mysql) {
        const auto& to = db.mysql;
        out << "mysql " << (to.socket.empty() ? to.host + ":" + std::to_string(to.port) : to.socket)
            << (to.dbname.empty() ? "" : "/" + to.dbname) << ", pool of " << db.pool.size << " in "
            << modes[static_cast<int>(db.pool.mode)] << " mode\n";
        return;
    }
    const std::string host = db.postgres.parameter("host");
    const std::string port = db.postgres.parameter("port");
    const std::string name = db.postgres.parameter("dbname");
    out << "postgres " << (host.empty() ? "(libpq's default host)" : host)
        << (port.empty() ? "" : ":" + port) << (name.empty() ? "" : "/" + name) << ", pool of "
        << db.pool.size << " in " << modes[static_cast<int>(db.pool.mode)] << " mode\n";
}

int run_command(const std::string& file, bool takeover)
{
    const auto made = load_config(file);
    if (!made) {
        print_errors(file, made, std::cerr);
        return bad_configuration;
    }
    if (const auto why = log::open(made.settings.gateway.log); !why.empty()) {
        std::cerr << "error: " << why << '\n';
        return bad_configuration;
    }
    for (const auto& line : made.warnings)
        log::warn("configuration", {{"warning", line}});
    const int code = run_gateway(made.settings, takeover);
    log::close();
    return code;
}

int settings_command(const std::string& name, bool as_page)
{
    if (as_page)
        print_settings_page(std::cout);
    else if (!print_settings(name, std::cout)) {
        std::cerr << "error: no section or key has \"" << name << "\" in its name\n";
        return bad_configuration;
    }
    return 0;
}

}  // namespace

int check_command(const std::string& file, std::ostream& out, std::ostream& err)
{
    const auto made = load_config(file);
    for (const auto& line : made.warnings)
        err << "warning: " << line << '\n';
    if (!made) {
        print_errors(file, made, err);
        return bad_configuration;
    }
    out << file << ": ok\n";
    for (const auto& where : made.settings.listen.postgres)
        out << "listen postgres " << where.text() << '\n';
    for (const auto& where : made.settings.listen.mysql)
        out << "listen mysql " << where.text() << '\n';
    for (const auto& [name, db] : made.settings.databases)
        print_database(db, out);
    out << made.settings.users.size() << (made.settings.users.size() == 1 ? " user" : " users")
        << '\n';
    return 0;
}

int run_command_line(int argc, const char* const* argv)
{
    CLI::App app("Sluice: a gateway and connection pooler for PostgreSQL, MySQL and SQLite",
                 "sluice");
    app.footer(examples);
    app.set_version_flag("--version", std::string("sluice ") + version);
    std::string file;
    std::string user;
    app.add_option("--config,-c", file, "run with this configuration")->type_name("FILE");
    bool takeover = false;
    app.add_flag("--takeover", takeover, "take over from the process that runs with it, if any");
    auto* check = app.add_subcommand("check", "validate a configuration and say what it does");
    std::string checked;
    check->add_option("file", checked, "the configuration")->required()->type_name("FILE");
    auto* password = app.add_subcommand("password", "ask for a password and print its verifiers");
    password->add_option("user", user, "whose password")->required()->type_name("USER");
    auto* sqlite =
        app.add_subcommand("sqlite", "look after a SQLite file, also while it is served");
    sqlite_command maintained;
    sqlite->add_option("what", maintained.what, "backup, vacuum or check")
        ->required()
        ->check(CLI::IsMember({"backup", "vacuum", "check"}));
    sqlite->add_option("name", maintained.name, "of [databases.NAME]; without --config: the file")
        ->required()
        ->type_name("NAME");
    sqlite->add_option("--config,-c", maintained.config_file, "the configuration")
        ->type_name("FILE");
    sqlite->add_option("--to", maintained.to, "backup: where the copy goes")->type_name("FILE");
    auto* settings = app.add_subcommand("settings", "print every setting, or those named so");
    std::string setting;
    bool as_page = false;
    settings->add_option("name", setting, "part of the name of a section or key")
        ->type_name("NAME");
    settings->add_flag("--markdown", as_page, "all of them, as a page");
    auto* importer = app.add_subcommand("import", "turn a pgbouncer.ini into a configuration");
    import_command imported;
    importer->add_option("file", imported.from, "pgbouncer.ini")->required()->type_name("FILE");
    importer->add_option("--output,-o", imported.to, "the file to make; else standard output")
        ->type_name("FILE");
    app.require_subcommand(0, 1);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& stopped) {
        return app.exit(stopped) == 0 ? 0 : bad_arguments;
    }
    if (*check)
        return check_command(checked, std::cout, std::cerr);
    if (*password)
        return run_password_command(
            user, {std::cin, std::cout, std::cerr}, ::isatty(STDIN_FILENO) == 1);
    if (*importer)
        return run_import_command(imported, std::cout, std::cerr);
    if (*settings)
        return settings_command(setting, as_page);
    if (*sqlite) {
        if (maintained.config_file.empty())
            maintained.config_file = file;
        return run_sqlite_command(maintained, std::cout, std::cerr);
    }
    if (!file.empty())
        return run_command(file, takeover);
    std::cerr << "sluice: nothing to do; say --config FILE\n\n" << app.help();
    return bad_arguments;
}

}  // namespace sluice::gateway
