// tests/integration/drivers_mysql/scripted_server.hpp: a server of ours, for what MariaDB cannot
// show: caching_sha2_password, and stalling or closing at any point.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proto/mysql/server_login.hpp"

namespace sluice {

enum class fault { none, stall, hang_up };

struct scripted_settings {
    mysql::server_login_options login = {};
    mysql::credentials known = {};
    std::string scram_password = "secret";  // what fits `known.other`
    SSL_CTX* tls = nullptr;
    std::string socket = {};  // path; else a port of 127.0.0.1
    // What COM_QUERY is answered with, a payload; default: OK.
    std::function<std::string(const std::string& sql)> answer = {};
    // The fault comes instead of reading for this time (0: before the greeting is sent).
    int before_read = 0;
    fault what = fault::none;
};

// One connection after the other, on a thread of its own, until it is destroyed.
class scripted_server {
public:
    explicit scripted_server(scripted_settings settings);
    ~scripted_server();

    std::uint16_t port() const noexcept { return port_; }
    // Statements that were asked for, in order. After the connection ended.
    std::vector<std::string> statements() const { return statements_; }
    bool quit() const noexcept { return quit_; }  // COM_QUIT came
    int connections() const noexcept { return connections_; }
    int clear_passwords() const noexcept { return clear_passwords_; }

private:
    friend class scripted_conversation;
    void serve();

    scripted_settings settings_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stop_ = false;
    std::atomic<bool> quit_ = false;
    std::atomic<int> connections_ = 0;
    std::atomic<int> clear_passwords_ = 0;
    std::vector<std::string> statements_;
    std::thread thread_;
};

}  // namespace sluice
