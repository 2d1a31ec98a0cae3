// gateway/cli/import_command.cpp: sluice import pgbouncer.ini.
#include "gateway/cli/import_command.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ostream>

#include "gateway/config/load.hpp"
#include "gateway/import/pgbouncer.hpp"

namespace sluice::gateway {
namespace {

// Readable by its owner alone, for it holds passwords; never over a file that is there.
bool write_new_file(const std::string& file, const std::string& text, std::ostream& err)
{
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        err << "error: cannot make " << file << ": " << std::strerror(errno)
            << (errno == EEXIST ? "; choose another name, or remove it" : "") << '\n';
        return false;
    }
    std::size_t done = 0;
    while (done < text.size()) {
        const auto written = ::write(fd, text.data() + done, text.size() - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            err << "error: cannot write " << file << ": " << std::strerror(errno) << '\n';
            ::close(fd);
            return false;
        }
        done += static_cast<std::size_t>(written);
    }
    return ::close(fd) == 0;
}

}  // namespace

int run_import_command(const import_command& wanted, std::ostream& out, std::ostream& err)
{
    const auto made = importing::import_pgbouncer(wanted.from);
    for (const auto& line : made.errors)
        err << "error: " << line << '\n';
    if (!made)
        return 1;
    for (const auto& line : made.notes)
        err << "note: " << line << '\n';
    if (wanted.to.empty()) {
        out << made.toml;
        return 0;
    }
    if (!write_new_file(wanted.to, made.toml, err))
        return 1;
    // Certificates, for one, may not be where the file says on this machine.
    const auto checked = load_config(wanted.to);
    for (const auto& line : checked.errors)
        err << "error: " << line << '\n';
    err << wanted.to << ": written" << (checked ? "" : "; it has errors") << '\n';
    return checked ? 0 : 1;
}

}  // namespace sluice::gateway
