// tests/support/pg_cluster.hpp: a PostgreSQL server of a test's own, in a temporary folder.
//
// Listens on a free port of 127.0.0.1 and on a Unix socket. Roles: `postgres` (superuser) and
// `trusted` log in without a password, `app` by SCRAM with the password `secret`, `old` by md5 with
// `secret`. A database of each name. Every wait is bounded; the destructor ends the server and
// removes the folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "support/child_process.hpp"

namespace sluice::support {

struct pg_settings {
    bool tls = false;  // server certificate for localhost and 127.0.0.1, signed by ca_file()
    std::vector<std::string> conf = {};  // lines for postgresql.conf
    std::vector<std::string> hba = {};   // lines that come first in pg_hba.conf
};

class pg_cluster {
public:
    explicit pg_cluster(pg_settings settings = {});  // initdb and start()
    pg_cluster(const pg_cluster&) = delete;
    pg_cluster& operator=(const pg_cluster&) = delete;
    ~pg_cluster();

    void start();  // and waits until it takes connections
    void stop();   // fast: ends sessions
    void crash();  // immediate: as if the power failed
    void restart();
    // Stops every process of the server as a stalled machine would be; resume() goes on.
    void pause();
    void resume();

    std::uint16_t port() const noexcept { return port_; }
    pid_t pid() const noexcept { return server_.pid(); }
    const std::string& folder() const noexcept { return folder_; }
    std::string socket_dir() const { return folder_ + "/run"; }
    std::string ca_file() const { return folder_ + "/tls/ca.crt"; }
    std::string other_ca_file() const { return folder_ + "/tls/other.crt"; }  // signed nothing here
    std::string log() const;

    // postgresql://user@127.0.0.1:port/dbname
    std::string url(const std::string& user, const std::string& dbname = "postgres") const;
    // Runs `sql` as superuser; the first column of the first row, empty without one.
    std::string query(const std::string& sql, const std::string& dbname = "postgres") const;
    void must_reach(std::chrono::seconds longest) const;  // throws with the server's log

private:
    void create(const pg_settings& settings);
    void end(int with_signal);
    void signal_all(int number) const;

    std::string folder_;
    std::uint16_t port_ = 0;
    child_process server_;
    bool paused_ = false;
};

}  // namespace sluice::support
