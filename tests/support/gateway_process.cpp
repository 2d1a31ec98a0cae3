// tests/support/gateway_process.cpp: starts sluice and reads /proc.
#include "support/gateway_process.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "support/wire_client.hpp"

namespace sluice::support {
namespace {

using clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr auto start_limit = std::chrono::seconds(60);
constexpr auto stop_limit = std::chrono::seconds(60);

std::string text_of(const std::string& path)
{
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

gateway_process::gateway_process(std::string program,
                                 const std::string& configuration,
                                 std::optional<std::uint64_t> max_files,
                                 const gateway_listen& where)
{
    char name[] = "/tmp/sluice-gw-XXXXXX";
    if (!::mkdtemp(name))
        throw std::system_error(errno, std::generic_category(), "mkdtemp");
    folder_ = name;
    port_ = free_port();
    const auto file = folder_ + "/sluice.toml";
    std::ofstream toml(file);
    toml << configuration << "\n[listen]\npostgres = [\"127.0.0.1:" << port_ << "\"]\n";
    if (where.mysql) {
        mysql_port_ = free_port();
        toml << "mysql = [\"127.0.0.1:" << mysql_port_ << "\", \"unix:mysql.sock\"]\n";
    }
    toml << where.more;
    toml.close();
    launch how{.argv = {std::move(program), "--config", file},
               .output = folder_ + "/sluice.log",
               .max_files = max_files};
    child_ = child_process(how);
    const auto until = clock::now() + start_limit;
    // MySQL's listeners are opened last.
    const auto last = where.mysql ? mysql_port_ : port_;
    while (!wire_client(last).connected()) {
        if (!child_.running() || clock::now() > until) {
            const auto text = log();
            fs::remove_all(folder_);
            throw std::runtime_error("sluice does not listen: " + text);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

gateway_process::~gateway_process()
{
    child_.signal(SIGINT);
    (void)child_.wait(stop_limit);
    child_ = child_process();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

std::string gateway_process::log() const
{
    return text_of(folder_ + "/sluice.log");
}

std::size_t gateway_process::resident_kib() const
{
    std::istringstream status(text_of("/proc/" + std::to_string(child_.pid()) + "/status"));
    for (std::string word; status >> word;) {
        std::size_t size = 0;
        if (word == "VmRSS:" && status >> size)
            return size;
    }
    throw std::runtime_error("no memory figure: has sluice ended?");
}

std::size_t gateway_process::descriptors() const
{
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each :
         fs::directory_iterator("/proc/" + std::to_string(child_.pid()) + "/fd"))
        ++count;
    return count;
}

std::chrono::milliseconds gateway_process::cpu() const
{
    const auto stat = text_of("/proc/" + std::to_string(child_.pid()) + "/stat");
    std::istringstream fields(stat.substr(stat.rfind(')') + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i)
        fields >> skipped;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}

std::string gateway_process::target(const std::string& user, const std::string& dbname) const
{
    return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user + " dbname=" + dbname +
           " connect_timeout=30";
}

}  // namespace sluice::support
