// tests/support/gateway_process.hpp: the sluice program, started by a test with a configuration of
// its own, watched from outside.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "support/child_process.hpp"

namespace sluice::support {

struct gateway_listen {
    bool mysql = false;     // MySQL clients too: on a port and a Unix socket
    std::string more = {};  // other lines of [listen]
};

class gateway_process {
public:
    // `configuration` is TOML without a [listen] table; a free port of 127.0.0.1 is added to it.
    // Waits until it takes connections; throws with its log when it does not.
    gateway_process(std::string program,
                    const std::string& configuration,
                    std::optional<std::uint64_t> max_files = {},
                    const gateway_listen& where = {});
    gateway_process(const gateway_process&) = delete;
    gateway_process& operator=(const gateway_process&) = delete;
    ~gateway_process();  // SIGINT; SIGKILL if that does not end it

    std::uint16_t port() const noexcept { return port_; }
    std::uint16_t mysql_port() const noexcept { return mysql_port_; }
    std::string mysql_socket() const { return folder_ + "/mysql.sock"; }
    const std::string& folder() const noexcept { return folder_; }
    std::string log() const;

    bool running() { return child_.running(); }
    void signal(int number) const { child_.signal(number); }
    // The wait status, once it has ended.
    std::optional<int> wait(std::chrono::milliseconds longest) { return child_.wait(longest); }

    std::size_t resident_kib() const;  // memory
    std::size_t descriptors() const;   // open files and sockets
    std::chrono::milliseconds cpu() const;

    // libpq's keyword=value form for a client of it.
    std::string target(const std::string& user, const std::string& dbname) const;

private:
    std::string folder_;
    std::uint16_t port_ = 0;
    std::uint16_t mysql_port_ = 0;
    child_process child_;
};

}  // namespace sluice::support
