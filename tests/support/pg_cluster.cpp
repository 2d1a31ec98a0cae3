// tests/support/pg_cluster.cpp: initdb, start, stop, stall.
#include "support/pg_cluster.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "drivers/pg/libpq.hpp"
#include "support/certificates.hpp"

namespace sluice::support {
namespace {

using clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr auto start_limit = std::chrono::seconds(120);
constexpr auto stop_limit = std::chrono::seconds(60);

std::string program(const std::string& name)
{
    for (const char* version : {"15", "16", "17", "18", "14"}) {
        const auto path = "/usr/lib/postgresql/" + std::string(version) + "/bin/" + name;
        if (fs::exists(path))
            return path;
    }
    throw std::runtime_error(name + " not found under /usr/lib/postgresql: install postgresql");
}

void write(const std::string& path, const std::vector<std::string>& lines, std::ios::openmode mode)
{
    std::ofstream file(path, mode);
    for (const auto& line : lines)
        file << line << '\n';
    if (!file.flush())
        throw std::runtime_error("cannot write " + path);
}

// The server's processes: the postmaster's direct children.
std::vector<pid_t> children_of(pid_t parent)
{
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos)
            continue;
        std::ifstream file(entry.path() / "stat");
        const std::string stat(std::istreambuf_iterator<char>(file), {});
        const auto after_name = stat.rfind(')');
        if (after_name == std::string::npos || stat.size() < after_name + 4)
            continue;
        if (std::strtol(stat.c_str() + after_name + 4, nullptr, 10) == parent)
            found.push_back(static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10)));
    }
    return found;
}

}  // namespace

pg_cluster::pg_cluster(pg_settings settings)
{
    char name[] = "/tmp/sluice-pg-XXXXXX";
    if (!::mkdtemp(name))
        throw std::system_error(errno, std::generic_category(), "mkdtemp");
    folder_ = name;
    try {
        create(settings);
        start();
        query(
            "CREATE ROLE trusted LOGIN; CREATE ROLE app LOGIN PASSWORD 'secret';"
            "SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'secret'");
        for (const char* role : {"trusted", "app", "old"})
            query("CREATE DATABASE " + std::string(role) + " OWNER " + role);
    } catch (...) {
        end(SIGQUIT);
        fs::remove_all(folder_);
        throw;
    }
}

pg_cluster::~pg_cluster()
{
    end(SIGQUIT);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void pg_cluster::create(const pg_settings& settings)
{
    const auto user = unprivileged_user();
    port_ = free_port();
    for (const auto& path : {folder_, folder_ + "/run", folder_ + "/tls"}) {
        fs::create_directory(path);
        if (user.change && ::chown(path.c_str(), user.uid, user.gid) != 0)
            throw std::system_error(errno, std::generic_category(), "chown " + path);
    }
    // The socket folder and certificates are for the tests' user too.
    fs::permissions(folder_, fs::perms(0755));
    const auto data = folder_ + "/data";
    run({program("initdb"),
         "-D",
         data,
         "-U",
         "postgres",
         "-A",
         "trust",
         "-E",
         "UTF8",
         "--locale=C.UTF-8",
         "--no-sync",
         "--no-instructions"},
        true);
    std::vector<std::string> conf = {"listen_addresses = '127.0.0.1'",
                                     "port = " + std::to_string(port_),
                                     "unix_socket_directories = '" + socket_dir() + "'",
                                     "fsync = off",
                                     "synchronous_commit = off",
                                     "full_page_writes = off",
                                     "shared_buffers = 32MB",
                                     "max_connections = 200",
                                     "log_min_messages = info",
                                     "autovacuum = off"};
    if (settings.tls) {
        create_certificates(folder_ + "/tls");
        conf.insert(conf.end(),
                    {"ssl = on",
                     "ssl_cert_file = '" + folder_ + "/tls/server.crt'",
                     "ssl_key_file = '" + folder_ + "/tls/server.key'"});
    }
    conf.insert(conf.end(), settings.conf.begin(), settings.conf.end());
    write(data + "/postgresql.conf", conf, std::ios::app);
    auto hba = settings.hba;
    hba.insert(hba.end(),
               {"local all postgres,trusted trust",
                "host all postgres,trusted 127.0.0.1/32 trust",
                "local all old md5",
                "host all old 127.0.0.1/32 md5",
                "local all all scram-sha-256",
                "host all all 127.0.0.1/32 scram-sha-256"});
    write(data + "/pg_hba.conf", hba, std::ios::trunc);
}

void pg_cluster::start()
{
    launch how{.argv = {program("postgres"), "-D", folder_ + "/data"},
               .output = folder_ + "/server.log",
               .unprivileged = true,
               .on_orphaned = SIGQUIT};
    server_ = child_process(how);
    must_reach(start_limit);
}

void pg_cluster::must_reach(std::chrono::seconds longest) const
{
    const auto until = clock::now() + longest;
    const auto target = "host=" + socket_dir() + " port=" + std::to_string(port_) +
                        " user=postgres dbname=postgres connect_timeout=10";
    while (PQping(target.c_str()) != PQPING_OK) {
        if (clock::now() >= until)
            throw std::runtime_error("PostgreSQL does not answer: " + log());
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void pg_cluster::stop()
{
    end(SIGINT);
}

void pg_cluster::crash()
{
    end(SIGQUIT);
}

void pg_cluster::restart()
{
    stop();
    start();
}

void pg_cluster::end(int with_signal)
{
    if (paused_)
        resume();
    server_.signal(with_signal);
    (void)server_.wait(stop_limit);
    server_ = child_process();  // kills what did not obey
}

void pg_cluster::pause()
{
    paused_ = true;
    signal_all(SIGSTOP);
}

void pg_cluster::resume()
{
    signal_all(SIGCONT);
    paused_ = false;
}

void pg_cluster::signal_all(int number) const
{
    // The postmaster first: stopped, it starts no new children behind our back.
    server_.signal(number);
    for (const auto child : children_of(server_.pid()))
        ::kill(child, number);
}

std::string pg_cluster::log() const
{
    std::ifstream file(folder_ + "/server.log");
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string pg_cluster::url(const std::string& user, const std::string& dbname) const
{
    return "postgresql://" + user + "@127.0.0.1:" + std::to_string(port_) + "/" + dbname;
}

std::string pg_cluster::query(const std::string& sql, const std::string& dbname) const
{
    const auto target = "host=" + socket_dir() + " port=" + std::to_string(port_) +
                        " user=postgres connect_timeout=30 dbname=" + dbname +
                        " options='-c default_transaction_read_only=off'";
    const pg::conn_ptr conn(PQconnectdb(target.c_str()));
    const pg::result_ptr result(PQexec(conn.get(), sql.c_str()));
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        throw std::runtime_error(sql + ": " + PQerrorMessage(conn.get()));
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

}  // namespace sluice::support
