// drivers/sqlite/ownership.cpp: one name, a local disk, one owner.
#include "drivers/sqlite/ownership.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "drivers/sqlite/errors.hpp"

namespace sluice::sqlite {
namespace {

struct network_system {
    unsigned long magic;  // statfs(2), f_type
    const char* name;
};

constexpr std::array network_systems = {
    network_system{0x6969, "NFS"},
    network_system{0x517b, "SMB"},
    network_system{0xff534d42, "CIFS"},
    network_system{0xfe534d42, "SMB2"},
    network_system{0x5346414f, "AFS"},
    network_system{0x6b414653, "AFS"},
    network_system{0x73757245, "Coda"},
    network_system{0x564c, "NCP"},
    network_system{0x01021997, "9P"},
    network_system{0x00c36400, "Ceph"},
    network_system{0x0bd00bd0, "Lustre"},
    network_system{0x47504653, "GPFS"},
    network_system{0x7461636f, "OCFS2"},
    network_system{0x01161970, "GFS2"},
};

std::string folder_of(const std::string& path)
{
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

bool may_serve(const std::string& path, sql_error& why)
{
    struct stat file {};
    const bool exists = ::stat(path.c_str(), &file) == 0;
    if (exists && file.st_nlink > 1) {
        why = make_error("58P01",
                         "cannot open \"" + path + "\": the file has " +
                             std::to_string(file.st_nlink) +
                             " names (hard links); under each it would have a log of its own, and "
                             "be corrupted",
                         "remove the other names, or serve a copy");
        return false;
    }
    struct statfs system {};
    const std::string place = exists ? path : folder_of(path);
    if (::statfs(place.c_str(), &system) != 0)
        return true;  // opening the file will say what is wrong
    for (const auto& each : network_systems) {
        if (static_cast<unsigned long>(system.f_type) != each.magic)
            continue;
        why = make_error("58P01",
                         "cannot open \"" + path + "\": it is on a network file system (" +
                             each.name +
                             "), where locks and shared memory cannot be trusted and SQLite "
                             "databases get corrupted",
                         "keep the file on a local disk, and let clients come to this gateway");
        return false;
    }
    return true;
}

owner_lock::~owner_lock()
{
    release();
}

void owner_lock::release() noexcept
{
    if (const int fd = std::exchange(fd_, -1); fd >= 0)
        ::close(fd);
}

bool owner_lock::take(const std::string& path, sql_error& why)
{
    const std::string log = path + "-wal";
    const int fd = ::open(log.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        why = make_error("58P01", "cannot open \"" + log + "\": " + std::strerror(errno));
        return false;
    }
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
        fd_ = fd;
        return true;
    }
    const int code = errno;
    ::close(fd);
    why = code == EWOULDBLOCK
              ? make_error("55006",
                           "cannot open \"" + path + "\": another Sluice serves it",
                           "stop the other one, or let its clients use this one")
              : make_error("58P01", "cannot lock \"" + log + "\": " + std::strerror(code));
    return false;
}

}  // namespace sluice::sqlite
