// tests/support/mariadb_server.cpp: mariadb-install-db, start, stop, stall.
#include "support/mariadb_server.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "support/certificates.hpp"

namespace sluice::support {
namespace {

using clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr auto start_limit = std::chrono::seconds(120);
constexpr auto stop_limit = std::chrono::seconds(60);

// Run by mariadb-install-db, one statement a line. `root` is there already, without a password.
constexpr const char* users_sql =
    "INSTALL SONAME 'auth_ed25519';\n"
    "CREATE USER trusted@'%';\n"
    "CREATE USER app@'%' IDENTIFIED BY 'secret';\n"
    "CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret');\n"
    "CREATE USER secure@'%' IDENTIFIED BY 'secret' REQUIRE SSL;\n"
    "CREATE DATABASE trusted;\n"
    "CREATE DATABASE app;\n"
    "CREATE DATABASE ed;\n"
    "CREATE DATABASE secure;\n"
    "GRANT ALL ON trusted.* TO trusted@'%';\n"
    "GRANT ALL ON app.* TO app@'%';\n"
    "GRANT ALL ON ed.* TO ed@'%';\n"
    "GRANT ALL ON secure.* TO secure@'%';\n";

std::string program(const std::string& name)
{
    for (const char* folder : {"/usr/sbin/", "/usr/bin/"}) {
        if (fs::exists(folder + name))
            return folder + name;
    }
    throw std::runtime_error(name + " not found: install mariadb-server");
}

}  // namespace

mariadb_server::mariadb_server(mariadb_settings settings) : settings_(std::move(settings))
{
    char name[] = "/tmp/sluice-my-XXXXXX";
    if (!::mkdtemp(name))
        throw std::system_error(errno, std::generic_category(), "mkdtemp");
    folder_ = name;
    try {
        create();
        start();
        query(users_sql);
    } catch (...) {
        end(SIGKILL);
        fs::remove_all(folder_);
        throw;
    }
}

mariadb_server::~mariadb_server()
{
    end(SIGKILL);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void mariadb_server::create()
{
    const auto user = unprivileged_user();
    port_ = free_port();
    for (const char* inner : {"", "/run", "/tls", "/tmp"}) {
        const auto path = folder_ + inner;
        fs::create_directory(path);
        if (user.change && ::chown(path.c_str(), user.uid, user.gid) != 0)
            throw std::system_error(errno, std::generic_category(), "chown " + path);
    }
    // The socket and the certificates are for the tests' user too.
    fs::permissions(folder_, fs::perms(0755));
    run({program("mariadb-install-db"),
         "--no-defaults",
         "--datadir=" + folder_ + "/data",
         "--tmpdir=" + folder_ + "/tmp",
         "--auth-root-authentication-method=normal",
         "--skip-test-db",
         "--skip-name-resolve",
         "--innodb-log-file-size=8M",
         "--debug-no-sync"},
        true);
    if (settings_.tls)
        create_certificates(folder_ + "/tls");
}

void mariadb_server::start()
{
    launch how{.argv = {program("mariadbd"),
                        "--no-defaults",
                        "--datadir=" + folder_ + "/data",
                        "--tmpdir=" + folder_ + "/tmp",
                        "--pid-file=" + folder_ + "/run/pid",
                        "--socket=" + socket(),
                        "--port=" + std::to_string(port_),
                        "--bind-address=127.0.0.1",
                        "--skip-name-resolve",
                        "--character-set-server=utf8mb4",
                        "--max-connections=200",
                        "--max-connect-errors=1000000",
                        "--max-allowed-packet=64M",
                        "--performance-schema=OFF",
                        "--innodb-buffer-pool-size=32M",
                        "--innodb-log-file-size=8M",
                        "--innodb-flush-log-at-trx-commit=0",
                        "--innodb-doublewrite=OFF",
                        "--innodb-use-native-aio=OFF",
                        "--innodb-buffer-pool-dump-at-shutdown=OFF",
                        "--debug-no-sync"},
               .output = folder_ + "/server.log",
               .unprivileged = true};
    if (settings_.tls) {
        how.argv.insert(how.argv.end(),
                        {"--ssl-cert=" + folder_ + "/tls/server.crt",
                         "--ssl-key=" + folder_ + "/tls/server.key",
                         "--ssl-ca=" + ca_file()});
    }
    how.argv.insert(how.argv.end(), settings_.options.begin(), settings_.options.end());
    server_ = child_process(how);
    must_reach(start_limit);
}

void mariadb_server::must_reach(std::chrono::seconds longest) const
{
    const auto until = clock::now() + longest;
    std::string last;
    while (clock::now() < until) {
        try {
            query("SELECT 1");
            return;
        } catch (const std::runtime_error& not_yet) {
            last = not_yet.what();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    throw std::runtime_error("MariaDB does not answer: " + last + log());
}

void mariadb_server::stop()
{
    end(SIGTERM);
}

void mariadb_server::crash()
{
    end(SIGKILL);
}

void mariadb_server::restart()
{
    stop();
    start();
}

void mariadb_server::end(int with_signal)
{
    if (paused_)
        resume();
    server_.signal(with_signal);
    (void)server_.wait(stop_limit);
    server_ = child_process();  // kills what did not obey
}

void mariadb_server::pause()
{
    paused_ = true;
    server_.signal(SIGSTOP);
}

void mariadb_server::resume()
{
    server_.signal(SIGCONT);
    paused_ = false;
}

std::string mariadb_server::log() const
{
    std::ifstream file(folder_ + "/server.log");
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string mariadb_server::query(const std::string& sql, const std::string& database) const
{
    auto text = run({program("mariadb"),
                     "--no-defaults",
                     "--socket=" + socket(),
                     "--user=root",
                     "--batch",
                     "--skip-column-names",
                     "--connect-timeout=30",
                     "--database=" + database,
                     "--execute=" + sql});
    if (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

}  // namespace sluice::support
