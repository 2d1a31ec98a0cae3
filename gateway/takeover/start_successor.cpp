// gateway/takeover/start_successor.cpp: starting the next process.
#include "gateway/takeover/start_successor.hpp"

#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

extern char** environ;

namespace sluice::gateway::takeover {

std::string own_program()
{
    std::array<char, PATH_MAX> path{};
    const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
    return size <= 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(size));
}

pid_t start_successor(const std::string& program,
                      const std::string& config_file,
                      const std::vector<std::string>& variables)
{
    std::vector<std::string> words{program, "--config", config_file, "--takeover"};
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<std::string> added = variables;
    std::vector<char*> environment;
    for (char** each = environ; *each; ++each)
        environment.push_back(*each);
    for (auto& each : added)
        environment.push_back(each.data());
    environment.push_back(nullptr);
    pid_t made = -1;
    // Every descriptor is close-on-exec but the three of all programs.
    errno = ::posix_spawn(
        &made, program.c_str(), nullptr, nullptr, arguments.data(), environment.data());
    return errno == 0 ? made : -1;
}

}  // namespace sluice::gateway::takeover
