// tests/support/child_process.hpp: a program started by a test and ended with it, every wait
// bounded.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::support {

struct launch {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> environment = {};  // added to the test's
    std::string output = "/dev/null";  // file for standard output and error, appended
    bool unprivileged = false;         // as postgres (or nobody) when the test runs as root
    std::optional<std::uint64_t> max_files = {};  // RLIMIT_NOFILE
    int on_orphaned = 9;  // sent when the thread that started it ends: nothing is left behind
};

class child_process {
public:
    child_process() noexcept = default;
    explicit child_process(const launch& how);  // throws std::system_error
    child_process(child_process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    child_process& operator=(child_process&& other) noexcept
    {
        std::swap(pid_, other.pid_);
        return *this;
    }
    ~child_process();  // kills what still runs

    bool running();
    pid_t pid() const noexcept { return pid_; }
    void signal(int number) const;
    // The wait status once it has ended; nothing while it runs on. Asked once per process.
    std::optional<int> wait(std::chrono::milliseconds longest);

private:
    pid_t pid_ = -1;
};

// Runs to the end; throws std::runtime_error with the output unless the exit status is 0.
std::string run(std::vector<std::string> argv,
                bool unprivileged = false,
                std::chrono::milliseconds longest = std::chrono::seconds(120));

// The user that `unprivileged` means, and whether the test has to change to it.
struct server_user {
    uid_t uid;
    gid_t gid;
    bool change;
};
server_user unprivileged_user();

// A TCP port of 127.0.0.1 that is free now.
std::uint16_t free_port();

}  // namespace sluice::support
