// tests/support/child_process.cpp: fork, exec, wait.
#include "support/child_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace sluice::support {
namespace {

using clock = std::chrono::steady_clock;

// Between fork and exec: system calls only.
[[noreturn]] void become(const launch& how, char* const* argv, char* const* env, server_user user)
{
    const int out = ::open(how.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    if (how.unprivileged && user.change) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0)
            ::_exit(126);
    }
    if (how.max_files) {
        const rlimit limit{*how.max_files, *how.max_files};
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    ::prctl(PR_SET_PDEATHSIG, how.on_orphaned);  // after setuid, which clears it
    ::execve(argv[0], argv, env);
    ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts)
{
    std::vector<char*> out;
    for (auto& text : texts)
        out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& added)
{
    std::vector<std::string> all;
    for (char** variable = environ; *variable; ++variable)
        all.emplace_back(*variable);
    for (const auto& [name, value] : added)
        all.push_back(name + "=" + value);
    return all;
}

}  // namespace

server_user unprivileged_user()
{
    if (::geteuid() != 0)
        return {::geteuid(), ::getegid(), false};
    for (const char* name : {"postgres", "nobody"}) {
        if (const passwd* found = ::getpwnam(name))
            return {found->pw_uid, found->pw_gid, true};
    }
    throw std::runtime_error("neither a user postgres nor nobody");
}

child_process::child_process(const launch& how)
{
    auto arguments = how.argv;
    auto variables = environment_with(how.environment);
    const auto argv = pointers(arguments);
    const auto env = pointers(variables);
    const auto user = unprivileged_user();
    pid_ = ::fork();
    if (pid_ == 0)
        become(how, argv.data(), env.data(), user);
    if (pid_ < 0)
        throw std::system_error(errno, std::generic_category(), "fork");
}

child_process::~child_process()
{
    if (pid_ <= 0)
        return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

bool child_process::running()
{
    return pid_ > 0 && !wait(std::chrono::milliseconds(0));
}

void child_process::signal(int number) const
{
    if (pid_ > 0)
        ::kill(pid_, number);
}

std::optional<int> child_process::wait(std::chrono::milliseconds longest)
{
    const auto until = clock::now() + longest;
    while (pid_ > 0) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            return status;
        }
        if (clock::now() >= until)
            return {};
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return {};
}

std::string run(std::vector<std::string> argv, bool unprivileged, std::chrono::milliseconds longest)
{
    char output[] = "/tmp/sluice-run-XXXXXX";
    const int fd = ::mkstemp(output);
    if (fd < 0)
        throw std::system_error(errno, std::generic_category(), "mkstemp");
    ::close(fd);
    const std::string program = argv.at(0);
    launch how{.argv = std::move(argv), .output = output, .unprivileged = unprivileged};
    child_process child(how);
    const auto status = child.wait(longest);
    std::ifstream file(output);
    std::string text(std::istreambuf_iterator<char>(file), {});
    ::unlink(output);
    if (!status || !WIFEXITED(*status) || WEXITSTATUS(*status) != 0)
        throw std::runtime_error(program + (status ? " failed: " : " did not end: ") + text);
    return text;
}

std::uint16_t free_port()
{
    // Below what the kernel gives to outgoing connections (32768 and above): none of a crowd's
    // takes it before the server does.
    std::random_device random;
    for (int i = 0; i < 1000; ++i) {
        const auto port = static_cast<std::uint16_t>(12'000 + random() % 20'000);
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        const bool bound =
            ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        ::close(fd);
        if (bound)
            return port;
    }
    throw std::system_error(errno, std::generic_category(), "bind 127.0.0.1");
}

}  // namespace sluice::support
