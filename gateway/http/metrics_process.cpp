// gateway/http/metrics_process.cpp: what the system knows of this process.
#include <fstream>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/context.hpp"
#include "gateway/http/metrics.hpp"
#include "gateway/statistics/exposition.hpp"
#include "generated/version.hpp"

namespace sluice::gateway {

using namespace statistics;

namespace {

std::size_t open_descriptors()
{
    DIR* folder = ::opendir("/proc/self/fd");
    if (!folder)
        return 0;
    std::size_t count = 0;
    while (::readdir(folder))
        ++count;
    ::closedir(folder);
    return count > 3 ? count - 3 : 0;  // ".", ".." and the folder itself
}

}  // namespace

void add_process(exposition& out, context& shared)
{
    const labels none;
    out.family("sluice_build_info", "gauge", "Always 1; the version is a label.");
    out.sample(labels().add("version", version), 1);
    out.family("sluice_draining", "gauge", "1 while the gateway is shutting down.");
    out.sample(none, shared.control.draining() ? 1 : 0);
    out.family("process_start_time_seconds", "gauge", "When the process began, since 1970.");
    out.sample(none, std::chrono::duration<double>(shared.started_at.time_since_epoch()).count());
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto of = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    out.family("process_cpu_seconds_total", "counter", "CPU time, user and system.");
    out.sample(none, of(used.ru_utime) + of(used.ru_stime));
    std::size_t pages = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    out.family("process_resident_memory_bytes", "gauge", "Memory in use.");
    out.sample(none, resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
    out.family("process_open_fds", "gauge", "Open descriptors.");
    out.sample(none, open_descriptors());
}

}  // namespace sluice::gateway
