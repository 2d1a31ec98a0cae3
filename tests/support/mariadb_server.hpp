// tests/support/mariadb_server.hpp: a MariaDB server of a test's own, in a temporary folder.
//
// Listens on a free port of 127.0.0.1 and on a Unix socket. Users: `root` and `trusted` log in
// without a password, `app` by mysql_native_password and `ed` by ed25519 with the password
// `secret`, and `secure` like `app` but over TLS alone. A database of each name but root's. Every
// wait is bounded; the destructor ends the server and removes the folder. Takes about a second.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "support/child_process.hpp"

namespace sluice::support {

struct mariadb_settings {
    bool tls = false;  // server certificate for localhost and 127.0.0.1, signed by ca_file()
    std::vector<std::string> options = {};  // for mariadbd, "--max-connections=10"
};

class mariadb_server {
public:
    explicit mariadb_server(mariadb_settings settings = {});  // creates the data and start()
    mariadb_server(const mariadb_server&) = delete;
    mariadb_server& operator=(const mariadb_server&) = delete;
    ~mariadb_server();

    void start();  // and waits until it takes connections
    void stop();   // in order: ends sessions
    void crash();  // as if the power failed
    void restart();
    // Stops the process as a stalled machine would; resume() goes on.
    void pause();
    void resume();

    std::uint16_t port() const noexcept { return port_; }
    pid_t pid() const noexcept { return server_.pid(); }
    const std::string& folder() const noexcept { return folder_; }
    std::string socket() const { return folder_ + "/run/mariadb.sock"; }
    std::string ca_file() const { return folder_ + "/tls/ca.crt"; }
    std::string other_ca_file() const { return folder_ + "/tls/other.crt"; }  // signed nothing here
    std::string log() const;

    // Runs `sql` as root with the mariadb program; the rows as lines, columns apart by tabs,
    // without the last newline.
    std::string query(const std::string& sql, const std::string& database = "mysql") const;
    void must_reach(std::chrono::seconds longest) const;  // throws with the server's log

private:
    void create();
    void end(int with_signal);

    mariadb_settings settings_;
    std::string folder_;
    std::uint16_t port_ = 0;
    child_process server_;
    bool paused_ = false;
};

}  // namespace sluice::support
